# SPDX-License-Identifier: Apache-2.0
"""Central routers: routes to the outside, and the neighbors there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, Router, RouterRoute, Via
from headgate.config.gateway.routers import RouterNeighbor
from headgate.config.scalars import IpNetwork
from headgate.systems.gateway.ecmp import group_entry
from headgate.systems.gateway.hops import glean_identity, uplink_identity
from headgate.systems.gateway.ids import Ids, router_group_identity


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `central_route_*`, and of `ecmp` for the groups that they lead to."""
    for router in config.routers:
        for prefix, next_hop_id in _connected(router, ids).items():
            yield _route_entry(router, prefix, Action("central_routing.to_next_hop", next_hop_id=next_hop_id))
        groups: dict[str, RouterRoute] = {}
        for route in router.routes:
            yield _route_entry(router, route.prefix, _action(router, route, ids))
            if route.is_shared:
                groups[router_group_identity(router, route)] = route
        for identity, route in groups.items():
            members = ((_next_hop_id(router, via, ids), via.weight) for via in route.via or ())
            yield group_entry(identity, ids.groups[identity], members)


def _connected(router: Router, ids: Ids) -> dict[IpNetwork, int]:
    """Prefixes of uplinks and known neighbors are reached directly, but where a route of their own says otherwise.

    A neighbor that is not known yet has no next hop of its own: see `headgate.systems.gateway.hops.glean_identity`.
    """
    glean = {
        network: ids.next_hops[glean_identity(router.router_id, uplink.interface)]
        for uplink in router.uplinks
        for network in uplink.networks
    }
    hops: list[Via | RouterNeighbor] = [*router.neighbors, *(via for route in router.routes for via in route.via or ())]
    routed = {route.prefix for route in router.routes}
    direct = {ip_network(hop.address): hop for hop in hops if not hop.address.is_link_local}
    known = {prefix: _next_hop_id(router, hop, ids) for prefix, hop in direct.items()}
    return {prefix: next_hop_id for prefix, next_hop_id in (glean | known).items() if prefix not in routed}


def _action(router: Router, route: RouterRoute, ids: Ids) -> Action:
    if route.is_shared:
        return Action("central_routing.to_group", group_id=ids.groups[router_group_identity(router, route)])
    for via in route.via or ():
        return Action("central_routing.to_next_hop", next_hop_id=_next_hop_id(router, via, ids))
    return Action("central_routing.blackhole")


def _next_hop_id(router: Router, hop: Via | RouterNeighbor, ids: Ids) -> int:
    uplink = router.uplink_of(hop)
    interface = uplink.interface if uplink is not None else ""
    return ids.next_hops[uplink_identity(router.router_id, interface, hop.address)]


def _route_entry(router: Router, prefix: IpNetwork, action: Action) -> P4TableEntry:
    match = Match(router_id=router.router_id, dst_addr=prefix)
    return P4TableEntry(f"central_route_ipv{prefix.version}", match=match, action=action)
