# SPDX-License-Identifier: Apache-2.0
"""VNICs: the classifier that finds one by MAC address and VLAN, its rings, and what it may call itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finsy import Action, Match, P4TableEntry

from headgate.config.nic import HOST, NicConfig, Ring, Vnic
from headgate.vocabulary import RingType

BUCKETS = 128
"""Of a group with several rings: 7 bits of the flow hash, as the indirection tables of receive-side scaling have."""


def desired(config: NicConfig) -> Iterator[P4TableEntry]:
    """Every VNIC's classifier entries, transmit guard, rings and ring groups; and the default ring."""
    yield from _rings(config)
    for vnic in config.vnics:
        yield from _addresses(vnic)
        yield _replica(vnic)
        yield from _ring_group(vnic, RingType.LOCAL, vnic.rings.local)
        if vnic.rings.forwarding:
            yield from _ring_group(vnic, RingType.FORWARD, vnic.rings.forwarding)
    yield _default_ring(config)


def _addresses(vnic: Vnic) -> Iterator[P4TableEntry]:
    for mac in vnic.macs:
        yield P4TableEntry(
            "transmit_mac", match=Match(vnic_id=vnic.vnic_id, src_mac=mac), action=Action("transmit_guard.allow")
        )
        for vlan_id in vnic.vlans:
            yield P4TableEntry(
                "l2_classify",
                match=Match(vlan_id=vlan_id, dst_mac=mac),
                action=Action("vnic.to_vnic", vnic_id=vnic.vnic_id),
            )


def _rings(config: NicConfig) -> Iterator[P4TableEntry]:
    """One entry for each, though VNICs may share it."""
    rings = {ring.ring_id: ring for vnic in config.vnics for ring in (*vnic.rings.local, *vnic.rings.forwarding)}
    for ring in rings.values():
        wired = ring.port != HOST
        yield P4TableEntry(
            "ring",
            match=Match(ring_id=ring.ring_id),
            action=Action("to_port", port=config.port_number(ring.port)) if wired else Action("to_host"),
        )


def _replica(vnic: Vnic) -> P4TableEntry:
    return P4TableEntry(
        "replica",
        match=Match(vnic_id=vnic.vnic_id),
        action=Action("copy_to_ring", ring_id=vnic.rings.local[0].ring_id),
    )


def _ring_group(vnic: Vnic, ring_type: RingType, rings: Sequence[Ring]) -> Iterator[P4TableEntry]:
    buckets = BUCKETS if len(rings) > 1 else 1
    yield P4TableEntry(
        "ring_group",
        match=Match(vnic_id=vnic.vnic_id, ring_type=ring_type),
        action=Action("spread", bucket_mask=buckets - 1),
    )
    for bucket in range(buckets):
        yield P4TableEntry(
            "ring_pick",
            match=Match(vnic_id=vnic.vnic_id, ring_type=ring_type, bucket=bucket),
            action=Action("set_ring", ring_id=rings[bucket % len(rings)].ring_id),
        )


def _default_ring(config: NicConfig) -> P4TableEntry:
    """A default action can't be deleted, only set: without a default ring it is set to drop."""
    action = Action("no_default_ring")
    if config.default_ring is not None:
        vnic = config.vnics_by_name[config.default_ring.vnic]
        action = Action("set_default_ring", vnic_id=vnic.vnic_id, ring_id=vnic.rings.local[0].ring_id)
    return P4TableEntry("default_ring", is_default_action=True, action=action)
