# SPDX-License-Identifier: Apache-2.0
"""What a configuration calls the things that a device knows by number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from headgate.config import Config, GatewayConfig, NicConfig
from headgate.config.nic import HOST
from headgate.systems.gateway import Ids
from headgate.systems.gateway.ids import router_group_identity, rule_identity, tenant_group_identity
from headgate.vocabulary import CPU_PORT, FROM_OUTSIDE, HOST_PORT, TENANTLESS

Numbers = Mapping[str, object]
"""Fields and parameters of an entry, by name."""


@dataclass(frozen=True, slots=True)
class Names:
    """Names by field and number, as in ``{"vnic_id": {3: "vm2"}}``.

    Attributes:
        within: Names of what is numbered within something else, by field: that other field, and names by both numbers.
    """

    fields: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    within: Mapping[str, tuple[str, Mapping[tuple[int, int], str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, config: Config) -> Names:
        return _nic(config) if isinstance(config, NicConfig) else _gateway(config)

    def show(self, name: str, number: int, entry: Numbers) -> str:
        """A number of the field or parameter `name`, as people call it; `entry` is what stands beside it."""
        if name in self.within:
            other, names = self.within[name]
            scope = entry.get(other)
            known = names.get((scope, number)) if isinstance(scope, int) else None
        else:
            known = self.fields.get(name, {}).get(number)
        return known if known is not None else str(number)


def _nic(config: NicConfig) -> Names:
    """A ring is called after its VNIC."""
    owners: dict[int, list[str]] = {}
    for vnic in config.vnics:
        for kind, group in (("local", vnic.rings.local), ("forwarding", vnic.rings.forwarding)):
            for ring in group:
                owners.setdefault(ring.ring_id, []).append(f"{vnic.name}.{kind}")
    return Names(
        {
            "port": {**{port.port: port.name for port in config.ports}, HOST_PORT: HOST, CPU_PORT: "cpu"},
            "vnic_id": {vnic.vnic_id: vnic.name for vnic in config.vnics},
            "ring_id": {ring_id: f"{ring_id}({'+'.join(names)})" for ring_id, names in owners.items()},
        }
    )


def _gateway(config: GatewayConfig) -> Names:
    """Segments, rules and pools are called after their tenants; next hops, by their addresses as well."""
    ids = Ids.of(config)
    segments = {
        (tenant.tenant_id, segment.segment_id): segment.name for tenant in config.tenants for segment in tenant.segments
    }
    outside = {(tenant.tenant_id, FROM_OUTSIDE): "outside" for tenant in config.tenants}
    routers = {(TENANTLESS, router.router_id): router.name for router in config.routers}
    pools = {
        (tenant.tenant_id, pool.pool_id): pool.name
        for tenant in config.tenants
        if tenant.nat is not None
        for pool in tenant.nat.pools
    }
    vlans = {(item.port, item.vlan_id or 0): f"{item.vlan_id or 0}({item.name})" for item in config.interfaces}
    return Names(
        {
            "port": {CPU_PORT: "cpu"},
            "tenant_id": {tenant.tenant_id: tenant.name for tenant in config.tenants},
            "router_id": {router.router_id: router.name for router in config.routers},
            "tunnel_id": {tunnel.tunnel_id: tunnel.name for tunnel in config.tunnels},
            "underlay_id": {number: name for name, number in ids.underlays.items()},
            "next_hop_id": dict(_next_hops(config, ids)),
            "group_id": dict(_groups(config, ids)),
            "rule_id": dict(_rules(config, ids)),
        },
        {
            "segment_id": ("tenant_id", segments | outside),
            "originator_segment_id": ("tenant_id", segments | outside),
            "owner_id": ("tenant_id", segments | routers),
            "pool_id": ("tenant_id", pools),
            "vlan_id": ("port", vlans),
        },
    )


def _next_hops(config: GatewayConfig, ids: Ids) -> Iterable[tuple[int, str]]:
    tenants = {f"tenant {tenant.tenant_id}": tenant for tenant in config.tenants}
    routers = {f"router {router.router_id}": router for router in config.routers}
    for identity, number in ids.next_hops.items():
        kind, owner_id, *where, address = identity.split()
        owner = f"{kind} {owner_id}"
        if owner in tenants:
            names = {str(segment.segment_id): segment.name for segment in tenants[owner].segments}
            yield number, f"{tenants[owner].name}/{names[where[-1]]}/{address}"
        else:
            yield number, f"{routers[owner].name}/{where[-1]}/{address}"


def _groups(config: GatewayConfig, ids: Ids) -> Iterable[tuple[int, str]]:
    """Routes with the same next hops have one group: it is called after the first of them."""
    for tenant in config.tenants:
        for route in reversed(tenant.routes):
            if route.is_shared:
                yield ids.groups[tenant_group_identity(tenant, route)], f"{tenant.name}/{route.prefix}"
    for router in config.routers:
        for route in reversed(router.routes):
            if route.is_shared:
                yield ids.groups[router_group_identity(router, route)], f"{router.name}/{route.prefix}"


def _rules(config: GatewayConfig, ids: Ids) -> Iterable[tuple[int, str]]:
    for tenant in config.tenants:
        for rule in tenant.firewall.rules if tenant.firewall is not None else ():
            yield ids.rules[rule_identity(tenant, rule.name)], f"{tenant.name}/{rule.name}"
