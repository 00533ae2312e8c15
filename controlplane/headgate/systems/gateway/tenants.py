# SPDX-License-Identifier: Apache-2.0
"""Tenants: what stages each one's packets pass, which addresses are its own, and how the outside reaches it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network
from itertools import filterfalse

from finsy import Action, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, Tenant
from headgate.config.scalars import IpAddress, IpInterface
from headgate.systems.gateway.firewall import consulted_fields
from headgate.systems.gateway.ids import Ids
from headgate.vocabulary import NO_ROUTER, TENANTLESS

FIRST_EPOCH = 1
"""A stand-in: which epoch a tenant or router is in is not the configuration's to say (see
`headgate.reconcile.gateway.epochs`)."""


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4TableEntry]:
    """Entries of `tenant`, `router`, `tenant_destination_*` and `local_address_*`."""
    for router in config.routers:
        yield P4TableEntry(
            "router", match=Match(router_id=router.router_id), action=Action("set_router", epoch=FIRST_EPOCH)
        )
        own = [address for uplink in router.uplinks for address in uplink.addresses]
        yield from _local(TENANTLESS, router.router_id, _answered(own))
    for tenant in config.tenants:
        router_id = config.routers_by_name[tenant.router].router_id if tenant.router is not None else NO_ROUTER
        yield _tenant(tenant, router_id)
        yield from _destinations(tenant, router_id)
        for segment in tenant.segments:
            others = (other for other in tenant.segments if other is not segment)
            elsewhere = (address.ip for other in others for address in other.addresses)
            own = _answered(segment.addresses)
            yield from _local(tenant.tenant_id, segment.segment_id, [*own, *filterfalse(_is_link_local, elsewhere)])


def _tenant(tenant: Tenant, router_id: int) -> P4TableEntry:
    stages = Action(
        "set_tenant",
        epoch=FIRST_EPOCH,
        router_id=router_id,
        firewall=int(tenant.firewall is not None),
        nat=int(tenant.nat is not None),
        firewall_fields=consulted_fields(tenant.firewall.rules) if tenant.firewall is not None else 0,
    )
    return P4TableEntry("tenant", match=Match(tenant_id=tenant.tenant_id), action=stages)


def _destinations(tenant: Tenant, router_id: int) -> Iterator[P4TableEntry]:
    ways = [(prefix, "to_tenant") for prefix in tenant.advertise]
    ways += [(prefix, "to_tenant_nat") for prefix in (tenant.nat.outside if tenant.nat is not None else ())]
    for prefix, action in ways:
        yield P4TableEntry(
            f"tenant_destination_ipv{prefix.version}",
            match=Match(router_id=router_id, dst_addr=prefix),
            action=Action(action, tenant_id=tenant.tenant_id),
        )


def _local(tenant_id: int, owner_id: int, addresses: Iterable[IpAddress]) -> Iterator[P4TableEntry]:
    """Addresses of a router as they are met on one of its interfaces: of all its interfaces (RFC 1122 3.3.4.2, the weak
    model)."""
    for ip in dict.fromkeys(addresses):
        yield P4TableEntry(
            f"local_address_ipv{ip.version}",
            match=Match(tenant_id=tenant_id, owner_id=owner_id, dst_addr=ip),
            action=Action("local"),
        )


def _answered(interfaces: Iterable[IpInterface]) -> Iterator[IpAddress]:
    """An interface's own address; the subnet's broadcast (RFC 1812 5.3.5.2), of which a /31 or /32 has none
    (RFC 3021 2.1), or the subnet-router anycast address (RFC 4291 2.6.1), of which a /127 has none (RFC 6164 5.1)."""
    for interface in interfaces:
        yield interface.ip
        match interface.network:
            case IPv4Network() as network if network.prefixlen < 31:
                yield network.broadcast_address
            case IPv6Network() as network if network.prefixlen < 127:
                yield network.network_address
            case _:
                pass


def _is_link_local(ip: IpAddress) -> bool:
    return ip.version == 6 and ip.is_link_local
