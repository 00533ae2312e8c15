# SPDX-License-Identifier: Apache-2.0
"""The whole configuration of a gateway."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from headgate.config.gateway.interfaces import Interface, Underlay, UnderlayNextHop
from headgate.config.gateway.routers import Router
from headgate.config.gateway.tenants import Tenant
from headgate.config.gateway.tunnels import Tunnel
from headgate.config.rates import PacketRate
from headgate.config.scalars import Model

Seconds = Annotated[int, Field(strict=True, ge=1, le=86_400)]


class Cache(Model):
    """Recorded results of flows."""

    aggregate: bool = True
    """Whether one entry may stand for many flows, where nobody looked at what tells them apart."""
    idle_timeout_s: Seconds = 30


class Sessions(Model):
    """How long connections without traffic are remembered; defaults are the least that the RFCs allow or advise."""

    tcp_established_s: Seconds = 7440  # RFC 5382 REQ-5: 2 h 4 min
    tcp_transitory_s: Seconds = 240  # RFC 5382 REQ-5: 4 min
    udp_s: Seconds = 300  # RFC 4787 REQ-5: 5 min recommended
    icmp_s: Seconds = 60  # RFC 5508 REQ-2
    nat_quarantine_s: Seconds = 120  # as long as a segment may live (RFC 9293 3.4.1, MSL)
    """How long the port of a connection that ended rests before it is another's."""


class LearningLimits(Model):
    """How many flows the controller is told of. Those it isn't told of stay on the slow path."""

    total: PacketRate = PacketRate(packets_per_s=100_000, burst_packets=20_000)
    per_tenant: PacketRate = PacketRate(packets_per_s=50_000, burst_packets=10_000)


class PuntLimits(Model):
    """One limit for each reason, named like `punt_reason_t`."""

    neighbor_miss: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)
    neighbor_heard: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)
    ttl_expired: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)
    packet_too_big: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)
    no_route: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)
    nat_mapping_miss: PacketRate = PacketRate(packets_per_s=5_000, burst_packets=2_000)
    local: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)
    icmp_error: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)


class GatewayConfig(Model):
    """A gateway: its wires and tunnels, the routers to the outside, and the tenants that share them."""

    program: Literal["gateway"]
    interfaces: tuple[Interface, ...]
    underlay: Underlay | None = None
    tunnels: tuple[Tunnel, ...] = ()
    routers: tuple[Router, ...]
    tenants: tuple[Tenant, ...]
    cache: Cache = Cache()
    sessions: Sessions = Sessions()
    learning_limits: LearningLimits = LearningLimits()
    punt_limits: PuntLimits = PuntLimits()

    @cached_property
    def interfaces_by_name(self) -> dict[str, Interface]:
        return {interface.name: interface for interface in self.interfaces}

    @cached_property
    def tunnels_by_name(self) -> dict[str, Tunnel]:
        return {tunnel.name: tunnel for tunnel in self.tunnels}

    @cached_property
    def routers_by_name(self) -> dict[str, Router]:
        return {router.name: router for router in self.routers}

    @cached_property
    def tenants_by_id(self) -> dict[int, Tenant]:
        return {tenant.tenant_id: tenant for tenant in self.tenants}

    @cached_property
    def underlay_next_hops(self) -> dict[str, UnderlayNextHop]:
        """By name."""
        return {hop.name: hop for hop in self.underlay.next_hops} if self.underlay is not None else {}

    @cached_property
    def tunnels_by_scope(self) -> dict[int, tuple[Tunnel, ...]]:
        """The tunnels that share their network ids."""
        scopes: dict[int, tuple[Tunnel, ...]] = {}
        for tunnel in self.tunnels:
            scopes[tunnel.scope] = (*scopes.get(tunnel.scope, ()), tunnel)
        return scopes

    def room_bytes(self, tunnel: Tunnel) -> int:
        """The longest IP packet that fits through a tunnel. Raises: KeyError (its next hop or interface is unknown)."""
        interface = self.interfaces_by_name[self.underlay_next_hops[tunnel.next_hop].interface]
        return interface.mtu_bytes - tunnel.overhead_bytes
