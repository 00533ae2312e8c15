# SPDX-License-Identifier: Apache-2.0
"""VLANs: the tags that name them on uplinks and towards guests, and whom a flooded frame is for."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4MulticastGroupEntry, P4TableEntry

from headgate.config.nic import NicConfig, Vlan, Vnic
from headgate.vocabulary import UPLINK_COPY, TagType

ETHER_TYPES = {"802.1q": 0x8100, "802.1ad": 0x88A8}
TAG_TYPES = {None: TagType.UNTAGGED, "802.1q": TagType.C_TAG, "802.1ad": TagType.S_TAG}


def desired(config: NicConfig) -> Iterator[P4TableEntry | P4MulticastGroupEntry]:
    """Tags of every uplink and VNIC, each VLAN's way out, and its flood group."""
    for vlan in config.vlans:
        if vlan.uplink is not None:
            yield from _on_uplink(vlan, config.port_number(vlan.uplink))
        yield from _flood(config, vlan)
    for vnic in config.vnics:
        yield from _on_vnic(vnic)


def _on_uplink(vlan: Vlan, port: int) -> Iterator[P4TableEntry]:
    tag_type = TAG_TYPES[vlan.tag.ether_type]
    yield P4TableEntry(
        "uplink_vlan",
        match=Match(port=port, tag_type=tag_type, tag_vlan_id=vlan.wire_vlan_id),
        action=Action("set_vlan", vlan_id=vlan.vlan_id),
    )
    yield P4TableEntry(
        "uplink_tag",
        match=Match(port=port, vlan_id=vlan.vlan_id),
        action=_tag(vlan.tag.ether_type, vlan.wire_vlan_id),
    )
    yield P4TableEntry("vlan_uplink", match=Match(vlan_id=vlan.vlan_id), action=Action("send_to_uplink", port=port))


def _on_vnic(vnic: Vnic) -> Iterator[P4TableEntry]:
    for vlan_id in vnic.vlans:
        ether_type = None if vlan_id == vnic.vlan else "802.1q"
        tag_vlan_id = 0 if ether_type is None else vlan_id
        yield P4TableEntry(
            "vnic_vlan",
            match=Match(vnic_id=vnic.vnic_id, tag_type=TAG_TYPES[ether_type], tag_vlan_id=tag_vlan_id),
            action=Action("set_vlan", vlan_id=vlan_id),
        )
        yield P4TableEntry(
            "vnic_tag",
            match=Match(vnic_id=vnic.vnic_id, vlan_id=vlan_id),
            action=_tag(ether_type, tag_vlan_id),
        )


def _tag(ether_type: str | None, tag_vlan_id: int) -> Action:
    if ether_type is None:
        return Action("untag")
    return Action("tag", ether_type=ETHER_TYPES[ether_type], tag_vlan_id=tag_vlan_id)


def _flood(config: NicConfig, vlan: Vlan) -> Iterator[P4TableEntry | P4MulticastGroupEntry]:
    """A copy for each member's first local ring, and one for the uplink. The group's id is the VLAN's; a replica's
    instance is the VNIC's id, and `UPLINK_COPY` for the uplink."""
    replicas = [(config.port_number(vnic.rings.local[0].port), vnic.vnic_id) for vnic in config.members(vlan.vlan_id)]
    if vlan.uplink is not None:
        replicas.append((config.port_number(vlan.uplink), UPLINK_COPY))
    if not replicas:
        return
    yield P4MulticastGroupEntry(vlan.vlan_id, replicas=tuple(replicas))
    yield P4TableEntry(
        "vlan_flood", match=Match(vlan_id=vlan.vlan_id), action=Action("replicate", group_id=vlan.vlan_id)
    )
