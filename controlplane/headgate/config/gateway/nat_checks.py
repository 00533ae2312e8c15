# SPDX-License-Identifier: Apache-2.0
"""Whether each address of the outside is translated to one thing only, and the inside it leads to is there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import Literal, NamedTuple

from headgate.config.errors import Path, Problem, format_path
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.nat import Nat
from headgate.config.gateway.tenants import Tenant
from headgate.config.problems import duplicates


class _Outside(NamedTuple):
    """Addresses of the outside, and what they are used for."""

    tenant_id: int
    prefix: IPv4Network
    path: Path
    use: Literal["pool", "one to one", "port forward"]


def check_nat(config: GatewayConfig) -> Iterator[Problem]:
    """Problems of every tenant's `nat`, and between tenants that share a central router."""
    used: dict[str, list[_Outside]] = {}
    for i, tenant in enumerate(config.tenants):
        if tenant.nat is None:
            continue
        at: Path = ("tenants", i, "nat")
        if tenant.router is None:
            yield Problem(at, None, "is done on the way to the outside: give the tenant a `router`")
            continue
        if all(route.to != "router" for route in tenant.routes):
            yield Problem(at, None, "is never met: no route of the tenant leads `to: router`, so add one")
        yield from _check_inside(tenant, tenant.nat, at)
        for outside in _outsides(tenant, tenant.nat, at):
            yield from _check_overlap(outside, used.setdefault(tenant.router, []))
            yield from _check_against_router(config, tenant.router, outside)
            used[tenant.router].append(outside)
        yield from _check_against_advertised(config, tenant, at)


def _outsides(tenant: Tenant, nat: Nat, at: Path) -> Iterator[_Outside]:
    for i, pool in enumerate(nat.pools):
        for j, prefix in enumerate(pool.outside):
            yield _Outside(tenant.tenant_id, prefix, (*at, "pools", i, "outside", j), "pool")
    for i, pair in enumerate(nat.one_to_one):
        yield _Outside(tenant.tenant_id, IPv4Network(pair.outside), (*at, "one_to_one", i, "outside"), "one to one")
    for i, forward in enumerate(nat.port_forwards):
        path = (*at, "port_forwards", i, "outside")
        yield _Outside(tenant.tenant_id, IPv4Network(forward.outside), path, "port forward")


def _check_overlap(one: _Outside, earlier: list[_Outside]) -> Iterator[Problem]:
    """A tenant may forward ports of an address of its own pool, and several ports of an address."""
    for other in earlier:
        shareable = one.use == "port forward" and other.use != "one to one" and one.tenant_id == other.tenant_id
        if one.prefix.overlaps(other.prefix) and not shareable:
            yield Problem(
                one.path,
                _show(one.prefix),
                f"overlaps {format_path(other.path)} ({_show(other.prefix)}): "
                "what comes back could be for either, so give each its own addresses",
            )
            return


def _check_against_router(config: GatewayConfig, router: str, outside: _Outside) -> Iterator[Problem]:
    for uplink in config.routers_by_name[router].uplinks:
        for address in uplink.addresses:
            if address.version == 4 and address.ip in outside.prefix:
                yield Problem(
                    outside.path,
                    _show(outside.prefix),
                    f"has {router}'s own address {address.ip} in it: use addresses that are nobody's",
                )


def _check_against_advertised(config: GatewayConfig, tenant: Tenant, at: Path) -> Iterator[Problem]:
    for i, other in enumerate(config.tenants):
        if other is tenant or other.router != tenant.router or tenant.nat is None:
            continue
        for j, prefix in enumerate(other.advertise):
            for outside in _outsides(tenant, tenant.nat, at):
                if prefix.version == 4 and outside.prefix.overlaps(IPv4Network(prefix)):
                    yield Problem(
                        outside.path,
                        _show(outside.prefix),
                        f"overlaps tenants[{i}].advertise[{j}] ({prefix}): "
                        f"by {tenant.router} an address leads to one tenant, so give each its own",
                    )


def _check_inside(tenant: Tenant, nat: Nat, at: Path) -> Iterator[Problem]:
    yield from duplicates(
        (
            (prefix, (*at, "pools", i, "inside", j), str(prefix))
            for i, pool in enumerate(nat.pools)
            for j, prefix in enumerate(pool.inside)
        ),
        "who comes from there has one pool, so keep one of the two",
    )
    yield from duplicates(
        ((pair.inside, (*at, "one_to_one", i, "inside"), str(pair.inside)) for i, pair in enumerate(nat.one_to_one)),
        "one to one is one outside address for each inside one",
    )
    for key, endpoint in (("outside", "outside_port"), ("inside", "to_port")):
        yield from duplicates(
            (
                (
                    (forward.protocol, getattr(forward, key), getattr(forward, endpoint)),
                    (*at, "port_forwards", i, key),
                    f"{getattr(forward, key)} {forward.protocol} port {getattr(forward, endpoint)}",
                )
                for i, forward in enumerate(nat.port_forwards)
            ),
            f"each {key} port is translated to one, so keep one of the two",
        )
    hosts = [(pair.inside, (*at, "one_to_one", i, "inside")) for i, pair in enumerate(nat.one_to_one)]
    hosts += [(forward.inside, (*at, "port_forwards", i, "inside")) for i, forward in enumerate(nat.port_forwards)]
    for inside, path in hosts:
        if not _has_way(tenant, inside):
            yield Problem(
                path, str(inside), "can't be reached: no segment and no route of the tenant leads there, so add one"
            )


def _has_way(tenant: Tenant, inside: IPv4Address) -> bool:
    ways = [network for segment in tenant.segments for network in segment.networks]
    ways += [route.prefix for route in tenant.routes if route.via is not None]
    return any(inside in way for way in ways)


def _show(prefix: IPv4Network) -> str:
    return str(prefix.network_address) if prefix.prefixlen == 32 else str(prefix)
