# SPDX-License-Identifier: Apache-2.0
"""Routes of the VNICs the NIC routes for, and their neighbors: configured, found among its own VNICs, or learned.

Learned neighbors are marked with `LEARNED`, and kept for as long as the configuration would let them be learned again
(`may_be_learned`).
"""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, MACAddress, Match, P4TableEntry

from headgate.config.nic import Forwarding, NicConfig, Route, Vnic
from headgate.config.scalars import IpAddress, IpNetwork
from headgate.systems.entity import LEARNED


def desired(config: NicConfig) -> Iterator[P4TableEntry]:
    """Routes and known neighbors of every VNIC that the NIC routes for."""
    for vnic in config.vnics:
        if vnic.forwarding is not None and vnic.forwarding.by_nic:
            yield from _connected_routes(vnic, vnic.forwarding)
            for route in vnic.forwarding.routes:
                yield _route(vnic, vnic.forwarding, route)
            yield from _neighbors(config, vnic, vnic.forwarding)


def neighbor_entry(
    config: NicConfig, vnic: Vnic, vlan_id: int, next_hop: IpAddress, mac: str, *, metadata: bytes = b""
) -> P4TableEntry:
    """How `vnic` reaches a neighbor in `vlan_id` that has `mac`: on this NIC, if the address is a VNIC's, else by wire.

    Args:
        next_hop: the neighbor's IP address.
        mac: its MAC address, lower case with colons.
        metadata: `LEARNED`, when the neighbor said so itself.
    """
    return P4TableEntry(
        f"ipv{next_hop.version}_neighbor",
        match=Match(vnic_id=vnic.vnic_id, vlan_id=vlan_id, next_hop=next_hop),
        action=_to_neighbor(config, vnic, vlan_id, mac),
        metadata=metadata,
    )


def _to_neighbor(config: NicConfig, vnic: Vnic, vlan_id: int, mac: str) -> Action:
    macs = {"src_mac": int(MACAddress(vnic.mac)), "dst_mac": int(MACAddress(mac))}
    owner = next((member for member in config.members(vlan_id) if mac in member.macs), None)
    if owner is None:
        return Action("to_wire", **macs)
    to_owner = "routing.to_vnic" if owner.forwarding is None else "to_forwarding_vnic"
    return Action(to_owner, **macs, vnic_id=owner.vnic_id)


def may_be_learned(config: NicConfig, entity: object) -> bool:
    """Whether `entity`, as read from a device, is a neighbor entry marked as learned that would be learned like that
    today: the VNIC routes, the neighbor is on a link of it, and both MAC addresses still lead where the entry says."""
    if not isinstance(entity, P4TableEntry) or entity.metadata != LEARNED:
        return False
    if entity.table_id not in ("ipv4_neighbor", "ipv6_neighbor"):
        return False
    vnic = next((vnic for vnic in config.vnics if vnic.vnic_id == entity["vnic_id"]), None)
    if vnic is None or vnic.forwarding is None or not vnic.forwarding.by_nic:
        return False
    vlan_id, next_hop = entity["vlan_id"], entity["next_hop"]
    if vlan_id not in vnic.vlans or vnic.link_of(next_hop, vlan_id) != vlan_id:
        return False
    if not isinstance(entity.action, Action) or any(next_hop == address.ip for address in vnic.addresses):
        return False
    mac = str(MACAddress(entity.action.args["dst_mac"]))
    return entity.action == neighbor_entry(config, vnic, vlan_id, next_hop, mac).action


def _connected_routes(vnic: Vnic, forwarding: Forwarding) -> Iterator[P4TableEntry]:
    """One for each prefix. Link-local destinations are never routed (RFC 4291 2.5.6)."""
    links = {address.network: vnic.vlan_of(address) for address in vnic.addresses if not address.network.is_link_local}
    for network, vlan_id in links.items():
        yield _route_entry(vnic, network, Action("on_link", vlan_id=vlan_id, mtu_bytes=forwarding.mtu))


def _route(vnic: Vnic, forwarding: Forwarding, route: Route) -> P4TableEntry:
    if route.via is None:
        return _route_entry(vnic, route.prefix, Action("to_ring" if route.to == "ring" else "blackhole"))
    vlan_id = vnic.link_of(route.via, route.vlan)
    via = f"via_ipv{route.via.version}"
    return _route_entry(vnic, route.prefix, Action(via, next_hop=route.via, vlan_id=vlan_id, mtu_bytes=forwarding.mtu))


def _route_entry(vnic: Vnic, prefix: IpNetwork, action: Action) -> P4TableEntry:
    family = f"ipv{prefix.version}"
    return P4TableEntry(
        f"{family}_route", match=Match({"vnic_id": vnic.vnic_id, f"{family}_dst": prefix}), action=action
    )


def _neighbors(config: NicConfig, vnic: Vnic, forwarding: Forwarding) -> Iterator[P4TableEntry]:
    """What the configuration says of a neighbor goes before what follows from other VNICs' addresses."""
    known: dict[tuple[int, IpAddress], str] = {}
    for other in config.vnics:
        if other is not vnic:
            for address in other.addresses:
                vlan_id = other.vlan_of(address)
                if vlan_id in vnic.vlans and vnic.link_of(address.ip, vlan_id) == vlan_id:
                    known[vlan_id, address.ip] = other.mac
    for neighbor in forwarding.neighbors:
        vlan_id = vnic.link_of(neighbor.address, neighbor.vlan)
        if vlan_id is not None:
            known[vlan_id, neighbor.address] = neighbor.mac
    for (vlan_id, ip), mac in known.items():
        yield neighbor_entry(config, vnic, vlan_id, ip, mac)
