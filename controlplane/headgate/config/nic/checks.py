# SPDX-License-Identifier: Apache-2.0
"""What no single value shows: references that lead nowhere, things that are there twice, next hops out of reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from headgate.config.errors import Path, Problem, format_path
from headgate.config.nic.config import NicConfig
from headgate.config.nic.routing_checks import check_routing
from headgate.config.nic.vnics import HOST, Ring
from headgate.config.problems import did_you_mean, duplicates, unusable
from headgate.config.scalars import IpInterface


def check(config: NicConfig) -> Iterator[Problem]:
    """Everything that is wrong with a configuration whose values are each well-formed."""
    yield from _check_ports(config)
    yield from _check_vlans(config)
    yield from _check_vnics(config)
    yield from _check_rings(config)
    yield from _check_addresses(config)
    for index, vnic in enumerate(config.vnics):
        yield from check_routing(config, vnic, ("vnics", index))


def _check_ports(config: NicConfig) -> Iterator[Problem]:
    names = [(port.name, ("ports", i, "name"), port.name) for i, port in enumerate(config.ports)]
    numbers = [(port.port, ("ports", i, "port"), port.port) for i, port in enumerate(config.ports)]
    yield from duplicates(names, "give each port its own name")
    yield from duplicates(numbers, "give each port its own number")
    for _, path, name in names:
        if name == HOST:
            yield Problem(path, name, "is what rings call the host port: give this port another name")


def _check_vlans(config: NicConfig) -> Iterator[Problem]:
    yield from duplicates(
        ((vlan.vlan_id, ("vlans", i, "vlan_id"), vlan.vlan_id) for i, vlan in enumerate(config.vlans)),
        "describe each VLAN once",
    )
    yield from duplicates(
        (
            ((vlan.uplink, vlan.tag.ether_type, vlan.wire_vlan_id), ("vlans", i, "tag"), _show_tag(config, i))
            for i, vlan in enumerate(config.vlans)
            if vlan.uplink is not None
        ),
        "on one uplink frames of the two could not be told apart, so give each its own",
    )
    uplinks = {port.name for port in config.ports if port.role == "uplink"}
    for i, vlan in enumerate(config.vlans):
        if vlan.uplink is not None and vlan.uplink not in uplinks:
            yield Problem(
                ("vlans", i, "uplink"),
                vlan.uplink,
                f"is not a port with role uplink: {did_you_mean(vlan.uplink, uplinks)}",
            )


def _show_tag(config: NicConfig, index: int) -> str:
    vlan = config.vlans[index]
    return f"{vlan.tag.ether_type} tag {vlan.wire_vlan_id}" if vlan.tag.ether_type else "untagged"


def _check_vnics(config: NicConfig) -> Iterator[Problem]:
    vlan_ids = {vlan.vlan_id for vlan in config.vlans}
    yield from duplicates(
        ((vnic.name, ("vnics", i, "name"), vnic.name) for i, vnic in enumerate(config.vnics)),
        "give each VNIC its own name",
    )
    yield from duplicates(
        ((vnic.vnic_id, ("vnics", i, "vnic_id"), vnic.vnic_id) for i, vnic in enumerate(config.vnics)),
        "give each VNIC its own id",
    )
    yield from duplicates(
        (
            ((vlan_id, mac), ("vnics", i, "macs", j), mac)
            for i, vnic in enumerate(config.vnics)
            for j, mac in enumerate(vnic.macs)
            for vlan_id in dict.fromkeys(vnic.vlans)
        ),
        "in one VLAN a MAC address leads to one VNIC, so give each its own",
    )
    for i, vnic in enumerate(config.vnics):
        memberships: list[tuple[Path, int]] = [
            (("vnics", i, "tagged_vlans", j), vlan_id) for j, vlan_id in enumerate(vnic.tagged_vlans)
        ]
        if vnic.vlan is not None:
            memberships.insert(0, (("vnics", i, "vlan"), vnic.vlan))
        if not memberships:
            yield Problem(("vnics", i), vnic.name, "is in no VLAN: give it `vlan` or `tagged_vlans`")
        yield from duplicates(
            ((vlan_id, path, vlan_id) for path, vlan_id in memberships), "a VNIC is in a VLAN either tagged or untagged"
        )
        for path, vlan_id in memberships:
            if vlan_id not in vlan_ids:
                yield Problem(path, vlan_id, "is not among `vlans`: add it there, or use one that is")

    if config.default_ring is not None and config.default_ring.vnic not in config.vnics_by_name:
        name = config.default_ring.vnic
        yield Problem(("default_ring", "vnic"), name, f"is no VNIC's name: {did_you_mean(name, config.vnics_by_name)}")


def _check_rings(config: NicConfig) -> Iterator[Problem]:
    rings = [
        (("vnics", i, "rings", kind, j), ring)
        for i, vnic in enumerate(config.vnics)
        for kind, group in (("local", vnic.rings.local), ("forwarding", vnic.rings.forwarding))
        for j, ring in enumerate(group)
    ]
    yield from _check_ring_ids(rings)
    yield from duplicates(
        ((ring.port, (*path, "port"), ring.port) for path, ring in rings if ring.port != HOST),
        "a port is wired to one ring, so give each its own",
    )
    wirable = {port.name for port in config.ports if port.role == "ring"} | {HOST}
    for path, ring in rings:
        if ring.port not in wirable:
            hint = did_you_mean(ring.port, wirable)
            yield Problem((*path, "port"), ring.port, f"is not a port with role ring, nor `host`: {hint}")
    for i, vnic in enumerate(config.vnics):
        if vnic.rings.forwarding and vnic.forwarding is None:
            yield Problem(
                ("vnics", i, "rings", "forwarding"),
                None,
                "would never get a packet: say who routes with `forwarding: {routed_by: ...}`, or take the rings out",
            )


def _check_ring_ids(rings: Sequence[tuple[Path, Ring]]) -> Iterator[Problem]:
    """VNICs may share local rings of the host port, where descriptors tell their frames apart; no other ring has two
    owners, nor one owner twice."""
    earlier: dict[int, list[tuple[Path, bool]]] = {}
    for path, ring in rings:
        _, vnic, _, kind, _ = path
        shareable = kind == "local" and ring.port == HOST
        for other, other_shareable in earlier.setdefault(ring.ring_id, []):
            if other[1] == vnic or not (shareable and other_shareable):
                fix = "give each ring its own id (VNICs may share local rings with `port: host`)"
                yield Problem((*path, "ring_id"), ring.ring_id, f"is also {format_path((*other, 'ring_id'))}: {fix}")
                break
        earlier[ring.ring_id].append((path, shareable))


class _Located(NamedTuple):
    """An address of a VNIC, on a VLAN of it."""

    vnic: str
    vlan_id: int
    interface: IpInterface
    path: Path


def _check_addresses(config: NicConfig) -> Iterator[Problem]:
    located: list[_Located] = []
    for i, vnic in enumerate(config.vnics):
        for j, address in enumerate(vnic.addresses):
            path = ("vnics", i, "addresses", j)
            if address.vlan is None and vnic.vlan is None:
                yield Problem(path, str(address.address), "is on no VLAN: write `{address: ..., vlan: ...}`")
            elif vnic.vlan_of(address) not in vnic.vlans:
                yield Problem((*path, "vlan"), address.vlan, f"is not a VLAN of {vnic.name}: use one that is")
            elif reason := unusable(address.address):
                yield Problem(path, str(address.address), f"{reason}: give an address that a host can have")
            else:
                located.append(_Located(vnic.name, vnic.vlan_of(address), address.address, path))

    yield from duplicates(
        (((item.vlan_id, item.interface.ip), item.path, str(item.interface.ip)) for item in located),
        "in one VLAN an address is one VNIC's",
    )
    yield from _check_overlaps(located)


def _check_overlaps(located: Iterable[_Located]) -> Iterator[Problem]:
    """A VNIC's connected prefixes may not overlap, unless they are one prefix on one VLAN: a destination in two of
    them would have two ways to go."""
    before: dict[str, list[_Located]] = {}
    for item in located:
        for other in before.setdefault(item.vnic, []):
            if _overlap(item, other):
                network = other.interface.network
                yield Problem(
                    item.path,
                    str(item.interface),
                    f"overlaps {format_path(other.path)} ({network} in VLAN {other.vlan_id}): "
                    "give each VLAN of a VNIC a prefix of its own",
                )
        before[item.vnic].append(item)


def _overlap(one: _Located, other: _Located) -> bool:
    network, other_network = one.interface.network, other.interface.network
    if network.version != other_network.version or network.is_link_local:
        return False
    same_link = (one.vlan_id, network) == (other.vlan_id, other_network)
    return network.overlaps(other_network) and not same_link
