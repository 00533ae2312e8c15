# SPDX-License-Identifier: Apache-2.0
"""Whether names lead somewhere, and names and numbers are given once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from headgate.config.errors import Path, Problem
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.firewall import INSIDE, OUTSIDE
from headgate.config.gateway.tenants import Segment, Tenant
from headgate.config.problems import did_you_mean, duplicates
from headgate.config.scalars import Model


def check_references(config: GatewayConfig) -> Iterator[Problem]:
    """Names and numbers that are there twice, and references to what is not there."""
    yield from _check_unique(config)
    yield from _check_interfaces_in_use(config)
    yield from _check_underlay(config)
    routers = [router.name for router in config.routers]
    for i, tenant in enumerate(config.tenants):
        at: Path = ("tenants", i)
        if tenant.router is not None:
            yield from _known((*at, "router"), tenant.router, routers, "a router")
        yield from _check_unique_in_tenant(tenant, at)
        yield from _check_tenant(config, tenant, at)


def _known(path: Path, name: str, known: Iterable[str], what: str) -> Iterator[Problem]:
    if name not in (known := list(known)):
        yield Problem(path, name, f"is not {what}: {did_you_mean(name, known)}")


def _unique(items: Sequence[Model], at: Path, key: str, what: str) -> Iterator[Problem]:
    values = ((i, getattr(item, key)) for i, item in enumerate(items))
    yield from duplicates(((value, (*at, i, key), value) for i, value in values), f"give each {what} its own")


def _check_unique(config: GatewayConfig) -> Iterator[Problem]:
    named = [(interface.name, ("interfaces", i, "name")) for i, interface in enumerate(config.interfaces)]
    named += [(tunnel.name, ("tunnels", i, "name")) for i, tunnel in enumerate(config.tunnels)]
    fix = "hosts are `via` either, so give each interface and tunnel its own name"
    yield from duplicates(((name, path, name) for name, path in named), fix)
    yield from duplicates(
        (
            ((interface.port, interface.vlan_id), ("interfaces", i, "vlan_id"), _show_wire(interface.vlan_id))
            for i, interface in enumerate(config.interfaces)
        ),
        "on one port frames of the two could not be told apart, so give each its own",
    )
    if config.underlay is not None:
        yield from _unique(config.underlay.next_hops, ("underlay", "next_hops"), "name", "next hop")
    yield from _unique(config.tunnels, ("tunnels",), "tunnel_id", "tunnel")
    for key in ("name", "router_id"):
        yield from _unique(config.routers, ("routers",), key, "router")
    for key in ("name", "tenant_id"):
        yield from _unique(config.tenants, ("tenants",), key, "tenant")


def _show_wire(vlan_id: int | None) -> str:
    return f"VLAN {vlan_id}" if vlan_id is not None else "untagged"


def _check_unique_in_tenant(tenant: Tenant, at: Path) -> Iterator[Problem]:
    for key in ("name", "segment_id"):
        yield from _unique(tenant.segments, (*at, "segments"), key, "segment of a tenant")
    if tenant.firewall is not None:
        yield from _unique(tenant.firewall.rules, (*at, "firewall", "rules"), "name", "rule of a tenant")
    if tenant.nat is not None:
        for key in ("name", "pool_id"):
            yield from _unique(tenant.nat.pools, (*at, "nat", "pools"), key, "pool of a tenant")


def _check_interfaces_in_use(config: GatewayConfig) -> Iterator[Problem]:
    """Each interface is for one purpose."""
    users: list[tuple[str, Path]] = []
    if config.underlay is not None:
        users += [
            (item.interface, ("underlay", "interfaces", i, "interface"))
            for i, item in enumerate(config.underlay.interfaces)
        ]
    for i, router in enumerate(config.routers):
        users += [(up.interface, ("routers", i, "uplinks", j, "interface")) for j, up in enumerate(router.uplinks)]
    for i, tenant in enumerate(config.tenants):
        for j, segment in enumerate(tenant.segments):
            users += [
                (item.interface, ("tenants", i, "segments", j, "attached", k, "interface"))
                for k, item in enumerate(segment.attached)
                if item.interface is not None
            ]
    for name, path in users:
        yield from _known(path, name, config.interfaces_by_name, "an interface")
    yield from duplicates(((name, path, name) for name, path in users), "use each interface for one thing")


def _check_underlay(config: GatewayConfig) -> Iterator[Problem]:
    if config.underlay is None:
        if config.tunnels:
            yield Problem(("tunnels",), None, "need a network to go through: add `underlay: {...}`")
        return
    interfaces = [item.interface for item in config.underlay.interfaces]
    for i, hop in enumerate(config.underlay.next_hops):
        path = ("underlay", "next_hops", i, "interface")
        yield from _known(path, hop.interface, interfaces, "an interface of the underlay")
    for i, tunnel in enumerate(config.tunnels):
        yield from _known(
            ("tunnels", i, "next_hop"), tunnel.next_hop, config.underlay_next_hops, "an underlay next hop"
        )


def _check_tenant(config: GatewayConfig, tenant: Tenant, at: Path) -> Iterator[Problem]:
    for i, segment in enumerate(tenant.segments):
        yield from _check_segment(config, segment, (*at, "segments", i))
    segments = [segment.name for segment in tenant.segments]
    for i, rule in enumerate(tenant.firewall.rules if tenant.firewall is not None else ()):
        for j, name in enumerate(rule.ingress):
            path = (*at, "firewall", "rules", i, "ingress", j)
            yield from _known(path, name, [*segments, INSIDE, OUTSIDE], "a segment of the tenant")
    for i, route in enumerate(tenant.routes):
        for j, via in enumerate(route.via or ()):
            if via.on is not None:
                yield from _known((*at, "routes", i, "via", j, "on"), via.on, segments, "a segment of the tenant")


def _check_segment(config: GatewayConfig, segment: Segment, at: Path) -> Iterator[Problem]:
    if segment.name in (INSIDE, OUTSIDE):
        yield Problem((*at, "name"), segment.name, "has a meaning of its own in firewall rules: take another name")
    scopes = {item.scope for item in segment.attached if item.network_id is not None}
    for i, item in enumerate(segment.attached):
        if item.network_id is not None and item.scope not in config.tunnels_by_scope:
            known = ", ".join(map(str, sorted(config.tunnels_by_scope))) or "none"
            path = (*at, "attached", i, "scope")
            yield Problem(path, item.scope, f"has no tunnel: add one, or use a scope that has ({known})")
    tunnels = [tunnel.name for scope in scopes for tunnel in config.tunnels_by_scope.get(scope, ())]
    for i, host in enumerate(segment.hosts):
        if host.via is not None:
            where = "an interface or tunnel that the segment is attached to"
            yield from _known((*at, "hosts", i, "via"), host.via, [*segment.interfaces, *tunnels], where)
