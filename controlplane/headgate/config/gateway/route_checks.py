# SPDX-License-Identifier: Apache-2.0
"""Whether packets can go where routes send them, and the outside to what is advertised."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.errors import Path, Problem, format_path
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.places import place_of
from headgate.config.gateway.routers import Router, RouterNeighbor
from headgate.config.gateway.routes import MAX_MEMBERS, Route, Via
from headgate.config.gateway.tenants import Tenant
from headgate.config.problems import duplicates
from headgate.config.scalars import IpNetwork


def check_routes(config: GatewayConfig) -> Iterator[Problem]:
    """Problems of central routers' and tenants' routes, and of what tenants advertise."""
    for i, router in enumerate(config.routers):
        yield from _check_router(router, ("routers", i))
    for i, tenant in enumerate(config.tenants):
        yield from _check_tenant_routes(config, tenant, ("tenants", i))
        yield from _check_advertised(tenant, ("tenants", i))
    yield from _check_advertised_once(config)


# ---- central routers


def _check_router(router: Router, at: Path) -> Iterator[Problem]:
    yield from _check_prefixes(router.routes, {}, at)
    for i, route in enumerate(router.routes):
        for j, via in enumerate(route.via or ()):
            yield from _check_on_uplink(router, via, (*at, "routes", i, "via", j))
        yield from _check_members(route, (*at, "routes", i))
    for i, neighbor in enumerate(router.neighbors):
        yield from _check_on_uplink(router, neighbor, (*at, "neighbors", i))
    yield from duplicates(
        (
            ((neighbor.address, neighbor.on), (*at, "neighbors", i, "address"), str(neighbor.address))
            for i, neighbor in enumerate(router.neighbors)
        ),
        "keep one of the two",
    )


def _check_on_uplink(router: Router, hop: Via | RouterNeighbor, at: Path) -> Iterator[Problem]:
    uplink = router.uplink_of(hop)
    interfaces = ", ".join(uplink.interface for uplink in router.uplinks) or "none"
    if hop.on is not None and uplink is None:
        yield Problem((*at, "on"), hop.on, f"is no uplink of {router.name}: use the interface of one ({interfaces})")
    elif uplink is None and hop.address.version == 6 and hop.address.is_link_local:
        yield Problem(
            (*at, "on"), None, f"is missing, and {hop.address} is link-local: say on which uplink ({interfaces})"
        )
    elif uplink is None:
        networks = (
            ", ".join(str(address.network) for uplink in router.uplinks for address in uplink.addresses) or "none"
        )
        yield Problem(
            (*at, "address"), str(hop.address), f"is on no uplink's prefix ({networks}): add an address of its prefix"
        )
    elif any(hop.address == address.ip for address in uplink.addresses):
        yield Problem((*at, "address"), str(hop.address), f"is {router.name}'s own address: give a neighbor's")


# ---- tenants


def _check_tenant_routes(config: GatewayConfig, tenant: Tenant, at: Path) -> Iterator[Problem]:
    connected = {
        network: f"connected by segment {segment.name}" for segment in tenant.segments for network in segment.networks
    }
    yield from _check_prefixes(tenant.routes, connected, at)
    router = config.routers_by_name[tenant.router] if tenant.router is not None else None
    for i, route in enumerate(tenant.routes):
        path = (*at, "routes", i)
        for j, via in enumerate(route.via or ()):
            yield from _check_in_segment(config, tenant, route, via, (*path, "via", j))
        yield from _check_members(route, path)
        if route.to == "router" and router is None:
            yield Problem((*path, "to"), "router", "has none to go to: give the tenant a `router`")
        elif route.to == "router" and router is not None and not _leads_on(router, route.prefix):
            yield Problem(
                (*path, "to"),
                "router",
                f"is a dead end: {router.name} has no route for anything in {route.prefix}, so add one there",
            )


def _leads_on(router: Router, prefix: IpNetwork) -> bool:
    """Whether a router has a route for some of a prefix."""
    ways = [route.prefix for route in router.routes if route.via is not None]
    ways += [address.network for uplink in router.uplinks for address in uplink.addresses]
    return any(way.version == prefix.version and way.overlaps(prefix) for way in ways)


def _check_in_segment(config: GatewayConfig, tenant: Tenant, route: Route, via: Via, at: Path) -> Iterator[Problem]:
    segment = tenant.segment_of(via)
    if segment is None and via.address.version == 6 and via.address.is_link_local:
        names = ", ".join(segment.name for segment in tenant.segments)
        yield Problem((*at, "on"), None, f"is missing, and {via.address} is link-local: say in which segment ({names})")
    elif segment is None or not (segment.is_connected(via.address) or via.address.is_link_local):
        networks = ", ".join(str(network) for segment in tenant.segments for network in segment.networks)
        yield Problem(
            (*at, "address"), str(via.address), f"is on no segment's prefix ({networks}): give a neighbor's address"
        )
    elif any(via.address == address.ip for address in segment.addresses):
        yield Problem((*at, "address"), str(via.address), "is the gateway's own: give a neighbor's address")
    elif all(host.address != via.address for host in segment.hosts) and place_of(config, segment, via.address) is None:
        yield Problem(
            (*at, "address"),
            str(via.address),
            f"is behind a tunnel, and nothing says which: add it to the hosts of segment {segment.name}",
        )


def _check_advertised(tenant: Tenant, at: Path) -> Iterator[Problem]:
    if tenant.advertise and tenant.router is None:
        yield Problem((*at, "advertise"), None, "needs a router that the outside comes by: give the tenant a `router`")
    ways = [network for segment in tenant.segments for network in segment.networks]
    ways += [route.prefix for route in tenant.routes if route.to is None]
    for i, prefix in enumerate(tenant.advertise):
        if not any(way.version == prefix.version and way.overlaps(prefix) for way in ways):
            yield Problem(
                (*at, "advertise", i),
                str(prefix),
                "leads nowhere: no segment and no route of the tenant has any of it, so add one, or take it out",
            )


def _check_advertised_once(config: GatewayConfig) -> Iterator[Problem]:
    """By one router, the outside reaches each address at one tenant."""
    before: dict[str, list[tuple[IpNetwork, Path]]] = {}
    for i, tenant in enumerate(config.tenants):
        for j, prefix in enumerate(tenant.advertise):
            path = ("tenants", i, "advertise", j)
            for other, other_path in before.setdefault(tenant.router or "", []):
                if other.version == prefix.version and other.overlaps(prefix):
                    yield Problem(
                        path,
                        str(prefix),
                        f"overlaps {format_path(other_path)} ({other}): "
                        f"by {tenant.router} an address leads to one tenant, so give each its own",
                    )
            before[tenant.router or ""].append((prefix, path))


# ---- both


def _check_prefixes(routes: tuple[Route, ...], taken: dict[IpNetwork, str], at: Path) -> Iterator[Problem]:
    taken = dict(taken)
    for i, route in enumerate(routes):
        if route.prefix in taken:
            yield Problem(
                (*at, "routes", i, "prefix"),
                str(route.prefix),
                f"is already {taken[route.prefix]}: keep one of the two",
            )
        taken[route.prefix] = f"routed by routes[{i}]"


def _check_members(route: Route, at: Path) -> Iterator[Problem]:
    vias = route.via or ()
    yield from duplicates(
        (((via.address, via.on), (*at, "via", j, "address"), str(via.address)) for j, via in enumerate(vias)),
        "to give it a larger share, write `{address: ..., weight: ...}`",
    )
    if sum(via.weight for via in vias) > MAX_MEMBERS:
        yield Problem(
            (*at, "via"),
            None,
            f"has weights of more than {MAX_MEMBERS} in all: give smaller ones in the same proportion",
        )
