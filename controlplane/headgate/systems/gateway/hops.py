# SPDX-License-Identifier: Apache-2.0
"""Next hops that a configuration knows of: hosts of segments, neighbors of central routers, and what routes lead to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from headgate.config.gateway import GatewayConfig, OnInterface, Place, Router, Segment, Tenant, Uplink, Via, place_of
from headgate.config.gateway.routers import RouterNeighbor
from headgate.config.scalars import IpAddress


@dataclass(frozen=True, slots=True)
class NextHop:
    """A neighbor of the gateway.

    Attributes:
        identity: What tells it from all others, on this device. It does not change with where the neighbor is.
        src_mac: The gateway's own address there, None where there is none.
        dst_mac: None where it is not known, or there is none.
    """

    identity: str
    address: IpAddress
    place: Place
    src_mac: str | None
    dst_mac: str | None

    @property
    def is_resolved(self) -> bool:
        """Whether a packet can be sent to it."""
        return self.dst_mac is not None or not self.place.has_macs


def host_identity(tenant_id: int, segment_id: int, address: IpAddress) -> str:
    """The identity of a next hop in a tenant's segment."""
    return f"tenant {tenant_id} segment {segment_id} {address}"


def uplink_identity(router_id: int, interface: str, address: IpAddress) -> str:
    """The identity of a next hop on a central router's uplink."""
    return f"router {router_id} {interface} {address}"


def glean_identity(router_id: int, interface: str) -> str:
    """The identity of what stands for all neighbors on an uplink that are not known yet."""
    return f"router {router_id} {interface} any"


def host_next_hop(config: GatewayConfig, tenant: Tenant, segment: Segment, address: IpAddress) -> NextHop | None:
    """The next hop `address` in a segment, configured or not; None where the configuration can't say where it is."""
    place = place_of(config, segment, address)
    if place is None:
        return None
    mac = next((host.mac for host in segment.hosts if host.address == address), None)
    src_mac = segment.mac if place.has_macs else None
    return NextHop(host_identity(tenant.tenant_id, segment.segment_id, address), address, place, src_mac, mac)


def uplink_next_hop(config: GatewayConfig, router: Router, hop: Via | RouterNeighbor) -> NextHop | None:
    """A next hop of a central router; None where it is on no uplink."""
    uplink = router.uplink_of(hop)
    if uplink is None:
        return None
    interface = config.interfaces_by_name[uplink.interface]
    return NextHop(
        uplink_identity(router.router_id, uplink.interface, hop.address),
        hop.address,
        OnInterface(interface, interface.mtu_bytes),
        uplink.mac,
        _mac_of(router, uplink, hop.address),
    )


def next_hops(config: GatewayConfig) -> dict[str, NextHop]:
    """All that the configuration knows of, by identity.

    A tenant's next hops that no host entry and no route with several next hops names are found as they are needed.
    """
    return {hop.identity: hop for hop in _all(config) if hop is not None}


def _all(config: GatewayConfig) -> Iterator[NextHop | None]:
    for tenant in config.tenants:
        for segment in tenant.segments:
            for host in segment.hosts:
                yield host_next_hop(config, tenant, segment, host.address)
        for route in tenant.routes:
            for via in route.via or ():
                segment = tenant.segment_of(via)
                if route.is_shared and segment is not None:
                    yield host_next_hop(config, tenant, segment, via.address)
    for router in config.routers:
        for uplink in router.uplinks:
            yield _glean(config, router, uplink)
        for neighbor in router.neighbors:
            yield uplink_next_hop(config, router, neighbor)
        for route in router.routes:
            for via in route.via or ():
                yield uplink_next_hop(config, router, via)


def _glean(config: GatewayConfig, router: Router, uplink: Uplink) -> NextHop:
    interface = config.interfaces_by_name[uplink.interface]
    place = OnInterface(interface, interface.mtu_bytes)
    return NextHop(glean_identity(router.router_id, uplink.interface), IPv4Address(0), place, uplink.mac, None)


def _mac_of(router: Router, uplink: Uplink, address: IpAddress) -> str | None:
    for neighbor in router.neighbors:
        if neighbor.address == address and router.uplink_of(neighbor) == uplink:
            return neighbor.mac
    return None
