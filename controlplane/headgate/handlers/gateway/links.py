# SPDX-License-Identifier: Apache-2.0
"""Where the gateway has neighbors: the segments of its tenants, and the uplinks of its central routers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, ip_network

from finsy import Action, MACAddress, Match, P4TableEntry

from headgate.config.gateway import GatewayConfig, InTunnel, OnInterface, Place, Router, Segment, Tenant, Uplink, Via
from headgate.config.gateway.places import place_of_host
from headgate.config.scalars import IpAddress, IpInterface
from headgate.systems.gateway.hops import NextHop, host_identity, host_next_hop, uplink_identity, uplink_next_hop
from headgate.vocabulary import FROM_OUTSIDE, TENANTLESS

MAX_TUNNELS_ASKED = 64
"""Where it is not known behind which tunnel of a segment a neighbor is, so many are asked at most."""

_ANY = IPv4Address(0)


@dataclass(frozen=True)
class Link:
    """A segment or an uplink.

    Attributes:
        name: What the identities of its next hops begin with (see `headgate.systems.gateway.hops`).
        tenant_id: Whose segment it is; `TENANTLESS` for an uplink.
        segment_id: `FROM_OUTSIDE` for an uplink.
        router_id: The tenant's central router, or the one whose uplink it is; 0 for none.
        mac: The gateway's address there; None where only IP packets pass.
        interfaces: The gateway's IP addresses there, with their prefixes.
        places: Where its stations may be.
    """

    config: GatewayConfig
    name: str
    tenant_id: int
    segment_id: int
    router_id: int
    mac: MACAddress | None
    interfaces: tuple[IpInterface, ...]
    places: tuple[Place, ...]

    @cached_property
    def broadcasts(self) -> frozenset[IPv4Address]:
        """Of its IPv4 subnets; a /31 or /32 has none (RFC 3021)."""
        networks = (interface.network for interface in self.interfaces)
        return frozenset(
            network.broadcast_address
            for network in networks
            if isinstance(network, IPv4Network) and network.prefixlen < 31
        )

    def owns(self, address: IpAddress) -> bool:
        """Whether an address is the gateway's own there."""
        return any(address == interface.ip for interface in self.interfaces)

    def source_towards(self, address: IpAddress) -> IpAddress | None:
        """The address to ask for a neighbor from, or None where `address` can't be one.

        A link-local neighbor is asked for from any address of the link (RFC 4861 7.2.2).
        """
        if address.is_multicast or address.is_unspecified or address in self.broadcasts or self.owns(address):
            return None
        if isinstance(address, IPv6Address) and address.is_link_local:
            return next((interface.ip for interface in self.interfaces if interface.version == 6), None)
        return next((interface.ip for interface in self.interfaces if address in interface.network), None)

    def source_of_error(self, version: int) -> IpAddress | None:
        """The address that an ICMP error about a packet from there comes from (RFC 1812 4.3.2.4, RFC 4443 2.2)."""
        addresses = (interface.ip for interface in self.interfaces if interface.version == version)
        return next((address for address in addresses if not address.is_link_local), None)

    def answers_for(self, address: IpAddress) -> bool:
        """Whether the gateway is to be found there under an address."""
        return self.owns(address)

    def way_to(self, address: IpAddress, next_hop_id: int) -> P4TableEntry:
        """The entry that leads packets for a neighbor to its next hop."""
        raise NotImplementedError

    def next_hop(self, address: IpAddress, heard_at: Place | None) -> NextHop | None:
        """A neighbor as a next hop; None where nobody knows where it is.

        Args:
            heard_at: Where it spoke, if it did.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class SegmentLink(Link):
    """A tenant's segment."""

    tenant: Tenant
    segment: Segment

    def way_to(self, address: IpAddress, next_hop_id: int) -> P4TableEntry:
        return P4TableEntry(
            f"neighbor_ipv{address.version}",
            match=Match(tenant_id=self.tenant_id, segment_id=self.segment_id, next_hop=address),
            action=Action("neighbor.to_next_hop", next_hop_id=next_hop_id),
        )

    def next_hop(self, address: IpAddress, heard_at: Place | None) -> NextHop | None:
        configured = host_next_hop(self.config, self.tenant, self.segment, address)
        if configured is not None or heard_at is None:
            return configured
        return NextHop(f"{self.name} {address}", address, heard_at, self.segment.mac, None)


@dataclass(frozen=True)
class UplinkLink(Link):
    """A central router's uplink."""

    router: Router
    uplink: Uplink

    @cached_property
    def translated(self) -> tuple[IPv4Network, ...]:
        """Outside addresses of NAT for which the router is the way in."""
        tenants = (tenant for tenant in self.config.tenants if tenant.router == self.router.name)
        return tuple(network for tenant in tenants if tenant.nat is not None for network in tenant.nat.outside)

    def answers_for(self, address: IpAddress) -> bool:
        """Its own addresses, and those of NAT in its prefixes: nobody else would say where they are."""
        if not isinstance(address, IPv4Address) or self.owns(address):
            return self.owns(address)
        on_link = any(address in interface.network for interface in self.interfaces)
        return on_link and any(address in network for network in self.translated)

    def source_towards(self, address: IpAddress) -> IpAddress | None:
        return None if self.answers_for(address) else super().source_towards(address)

    def way_to(self, address: IpAddress, next_hop_id: int) -> P4TableEntry:
        return P4TableEntry(
            f"central_route_ipv{address.version}",
            match=Match(router_id=self.router_id, dst_addr=ip_network(address)),
            action=Action("central_routing.to_next_hop", next_hop_id=next_hop_id),
        )

    def next_hop(self, address: IpAddress, heard_at: Place | None) -> NextHop | None:
        return uplink_next_hop(self.config, self.router, Via(address=address, on=self.uplink.interface))


Wire = tuple[int, int]
"""Port and VLAN, 0 for untagged frames."""


@dataclass(frozen=True)
class Links:
    """All of a gateway's links.

    Attributes:
        segments: By tenant and segment.
        uplinks: By port and VLAN.
    """

    segments: dict[tuple[int, int], SegmentLink]
    uplinks: dict[Wire, UplinkLink]

    @classmethod
    def of(cls, config: GatewayConfig) -> Links:
        """The links of a configuration."""
        segments = {
            (tenant.tenant_id, segment.segment_id): _segment_link(config, tenant, segment)
            for tenant in config.tenants
            for segment in tenant.segments
        }
        uplinks = {
            _wire(config, uplink): _uplink_link(config, router, uplink)
            for router in config.routers
            for uplink in router.uplinks
        }
        return cls(segments, uplinks)

    @cached_property
    def by_name(self) -> dict[str, Link]:
        """All of them."""
        return {link.name: link for link in self}

    def __iter__(self) -> Iterator[Link]:
        yield from self.segments.values()
        yield from self.uplinks.values()


def _segment_link(config: GatewayConfig, tenant: Tenant, segment: Segment) -> SegmentLink:
    router = config.routers_by_name.get(tenant.router or "")
    return SegmentLink(
        config,
        host_identity(tenant.tenant_id, segment.segment_id, _ANY).removesuffix(f" {_ANY}"),
        tenant.tenant_id,
        segment.segment_id,
        router.router_id if router is not None else 0,
        MACAddress(segment.mac) if segment.mac is not None else None,
        tuple(segment.addresses),
        tuple(_places(config, segment)),
        tenant,
        segment,
    )


def _places(config: GatewayConfig, segment: Segment) -> Iterator[Place]:
    """Interfaces, then tunnels that carry frames."""
    for item in segment.attached:
        if item.interface is not None:
            place = place_of_host(config, segment, item.interface, None)
            if place is not None:
                yield place
    tunnels = 0
    for item in segment.attached:
        for tunnel in config.tunnels_by_scope.get(item.scope, ()) if item.network_id is not None else ():
            place = place_of_host(config, segment, tunnel.name, item.network_id)
            if place is not None and tunnel.carries_frames and tunnels < MAX_TUNNELS_ASKED:
                tunnels += 1
                yield place


def _uplink_link(config: GatewayConfig, router: Router, uplink: Uplink) -> UplinkLink:
    interface = config.interfaces_by_name[uplink.interface]
    return UplinkLink(
        config,
        uplink_identity(router.router_id, uplink.interface, _ANY).removesuffix(f" {_ANY}"),
        TENANTLESS,
        FROM_OUTSIDE,
        router.router_id,
        MACAddress(uplink.mac),
        tuple(uplink.addresses),
        (OnInterface(interface, interface.mtu_bytes),),
        router,
        uplink,
    )


def _wire(config: GatewayConfig, uplink: Uplink) -> Wire:
    interface = config.interfaces_by_name[uplink.interface]
    return interface.port, interface.vlan_id or 0


def place_in(link: Link, tunnel_id: int, network_id: int) -> Place | None:
    """The place of a link that a frame came from: through a tunnel, or by an interface if `tunnel_id` is 0."""
    for place in link.places:
        match place:
            case InTunnel(tunnel, its_network_id):
                if (tunnel.tunnel_id, its_network_id) == (tunnel_id, network_id):
                    return place
            case OnInterface():
                if tunnel_id == 0:
                    return place
    return None
