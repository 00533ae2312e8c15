# SPDX-License-Identifier: Apache-2.0
"""Whether what a VNIC is to pass on can go where it is sent."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.errors import Path, Problem
from headgate.config.nic.config import NicConfig
from headgate.config.nic.vnics import Forwarding, Neighbor, Route, Vnic
from headgate.config.scalars import IpAddress


def check_routing(config: NicConfig, vnic: Vnic, at: Path) -> Iterator[Problem]:
    """Problems of `vnic`'s `forwarding` section; `at` is the VNIC's own path."""
    forwarding = vnic.forwarding
    if forwarding is None:
        return
    at = (*at, "forwarding")
    if forwarding.routed_by != "nic_on_receive" and not vnic.rings.forwarding:
        yield Problem(
            (*at, "routed_by"),
            forwarding.routed_by,
            "needs a ring to hand packets over on: add `rings: {forwarding: [...]}`, or let `nic_on_receive` route",
        )
    if not forwarding.by_nic:
        yield from _check_guest(forwarding, at)
        return
    if not vnic.addresses:
        yield Problem(at, None, "routes without an address to route from: give the VNIC `addresses`")
    yield from _check_routes(config, vnic, forwarding, at)
    yield from _check_neighbors(vnic, forwarding, at)


def _check_guest(forwarding: Forwarding, at: Path) -> Iterator[Problem]:
    for key in ("routes", "neighbors"):
        if getattr(forwarding, key):
            yield Problem(
                (*at, key),
                None,
                "are the NIC's, and this VNIC's guest routes for itself: take them out, or set `routed_by` to "
                "nic_on_transmit or nic_on_receive",
            )


def _check_routes(config: NicConfig, vnic: Vnic, forwarding: Forwarding, at: Path) -> Iterator[Problem]:
    taken = {address.network: f"connected by {address.address}" for address in vnic.addresses}
    for i, route in enumerate(forwarding.routes):
        path = (*at, "routes", i)
        if route.prefix in taken:
            yield Problem((*path, "prefix"), route.prefix, f"is already {taken[route.prefix]}: keep one of the two")
        taken[route.prefix] = f"routed by routes[{i}]"
        yield from _check_way_out(config, vnic, forwarding, route, path)


def _check_way_out(
    config: NicConfig, vnic: Vnic, forwarding: Forwarding, route: Route, path: Path
) -> Iterator[Problem]:
    if route.via is not None:
        yield from _check_on_link(vnic, route, route.via, (*path, "via"))
        vlan_id = vnic.link_of(route.via, route.vlan)
        gateway = None if vlan_id is None else owner_of(config, vlan_id, route.via)
        if gateway is not None and gateway.forwarding is not None and not gateway.rings.forwarding:
            yield Problem(
                (*path, "via"),
                str(route.via),
                f"is {gateway.name}'s, which has no ring to get it on: give it forwarding rings, or go another way",
            )
    elif route.to == "ring" and forwarding.routed_by == "nic_on_transmit":
        yield Problem(
            (*path, "to"), "ring", "would send packets back to the ring they came from: let `nic_on_receive` route"
        )
    elif route.to == "ring" and not vnic.rings.forwarding:
        yield Problem((*path, "to"), "ring", "needs a ring to go to: add `rings: {forwarding: [...]}`")


def _check_neighbors(vnic: Vnic, forwarding: Forwarding, at: Path) -> Iterator[Problem]:
    seen: dict[tuple[int | None, IpAddress], int] = {}
    for i, neighbor in enumerate(forwarding.neighbors):
        path = (*at, "neighbors", i, "address")
        yield from _check_on_link(vnic, neighbor, neighbor.address, path)
        key = (vnic.link_of(neighbor.address, neighbor.vlan), neighbor.address)
        if key in seen:
            yield Problem(path, str(neighbor.address), f"is also neighbors[{seen[key]}]: keep one of the two")
        seen.setdefault(key, i)


def _check_on_link(vnic: Vnic, item: Route | Neighbor, ip: IpAddress, path: Path) -> Iterator[Problem]:
    if any(ip == address.ip for address in vnic.addresses):
        yield Problem(path, str(ip), f"is {vnic.name}'s own address: give a neighbor's")
    link = vnic.link_of(ip, item.vlan)
    if link is None and ip.version == 6 and ip.is_link_local:
        yield Problem(path, str(ip), "is link-local, and the VNIC has several VLANs: say which with `vlan: ...`")
    elif link is None:
        networks = ", ".join(str(address.network) for address in vnic.addresses) or "none"
        yield Problem(path, str(ip), f"is on no connected prefix ({networks}): add an address of its prefix")
    elif link not in vnic.vlans or (item.vlan is not None and item.vlan != link):
        yield Problem((*path[:-1], "vlan"), item.vlan, f"is not where {ip} is: leave it out, or name its VLAN")


def owner_of(config: NicConfig, vlan_id: int, ip: IpAddress) -> Vnic | None:
    """The VNIC of this NIC that has address `ip` in a VLAN."""
    for vnic in config.members(vlan_id):
        if any(address.ip == ip and vnic.vlan_of(address) == vlan_id for address in vnic.addresses):
            return vnic
    return None
