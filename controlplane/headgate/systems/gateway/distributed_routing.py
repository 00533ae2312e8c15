# SPDX-License-Identifier: Apache-2.0
"""Each tenant's own router: its segments' prefixes, its routes, and groups of next hops."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, Tenant, TenantRoute
from headgate.config.scalars import IpNetwork
from headgate.systems.gateway.ecmp import group_entry
from headgate.systems.gateway.hops import host_identity
from headgate.systems.gateway.ids import Ids, tenant_group_identity


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `tenant_route_*`, and of `ecmp` for the groups that they lead to."""
    for tenant in config.tenants:
        networks = {network: segment for segment in tenant.segments for network in segment.networks}
        for network, segment in networks.items():
            yield _route_entry(tenant, network, Action("connected", segment_id=segment.segment_id))
        groups: dict[str, TenantRoute] = {}
        for route in tenant.routes:
            yield _route_entry(tenant, route.prefix, _action(tenant, route, ids))
            if route.is_shared:
                groups[tenant_group_identity(tenant, route)] = route
        for identity, route in groups.items():
            yield group_entry(identity, ids.groups[identity], _members(tenant, route, ids))


def _action(tenant: Tenant, route: TenantRoute, ids: Ids) -> Action:
    if route.is_shared:
        return Action("distributed_routing.to_group", group_id=ids.groups[tenant_group_identity(tenant, route)])
    for via in route.via or ():
        segment = tenant.segment_of(via)
        if segment is not None:
            family = f"via_ipv{via.address.version}"
            return Action(family, segment_id=segment.segment_id, next_hop=via.address)
    return Action("to_router" if route.to == "router" else "distributed_routing.blackhole")


def _members(tenant: Tenant, route: TenantRoute, ids: Ids) -> Iterator[tuple[int, int]]:
    for via in route.via or ():
        segment = tenant.segment_of(via)
        if segment is not None:
            yield ids.next_hops[host_identity(tenant.tenant_id, segment.segment_id, via.address)], via.weight


def _route_entry(tenant: Tenant, prefix: IpNetwork, action: Action) -> P4TableEntry:
    match = Match(tenant_id=tenant.tenant_id, dst_addr=prefix)
    return P4TableEntry(f"tenant_route_ipv{prefix.version}", match=match, action=action)
