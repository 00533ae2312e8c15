# SPDX-License-Identifier: Apache-2.0
"""What the flow cache and NAT have to know of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from headgate.config.gateway import GatewayConfig, Tenant
from headgate.handlers.gateway.nat_ports import Pool, PoolKey
from headgate.handlers.gateway.synthesis import Timeouts

NS_PER_S = 1_000_000_000


def timeouts_of(config: GatewayConfig) -> Timeouts:
    """How long what is learned stays without use."""
    sessions = config.sessions
    return Timeouts(
        flow_ns=config.cache.idle_timeout_s * NS_PER_S,
        tcp_established_ns=sessions.tcp_established_s * NS_PER_S,
        tcp_transitory_ns=sessions.tcp_transitory_s * NS_PER_S,
        udp_ns=sessions.udp_s * NS_PER_S,
        icmp_ns=sessions.icmp_s * NS_PER_S,
    )


def is_stateful(tenant: Tenant) -> bool:
    """Whether a tenant's connections have sessions."""
    return tenant.firewall is not None and any(rule.action == "allow_stateful" for rule in tenant.firewall.rules)


def pools_of(config: GatewayConfig) -> dict[PoolKey, Pool]:
    """Every tenant's NAT pools."""
    return {
        (tenant.tenant_id.to_bytes(2, "big"), pool.pool_id): Pool(
            tuple(address.packed for address in chain.from_iterable(pool.outside)),
            pool.ports.first,
            pool.ports.last,
            _forwarded(tenant),
        )
        for tenant in config.tenants
        if tenant.nat is not None
        for pool in tenant.nat.pools
    }


def _forwarded(tenant: Tenant) -> frozenset[bytes]:
    """The outside endpoints of a tenant's port forwards."""
    return frozenset(
        bytes((forward.protocol_number,)) + forward.outside.packed + forward.outside_port.to_bytes(2, "big")
        for forward in (tenant.nat.port_forwards if tenant.nat is not None else ())
    )


@dataclass(frozen=True, slots=True)
class StaticNat:
    """Translations that the configuration fixes.

    Attributes:
        addresses: Outside addresses to {tenant, inside address}.
        ports: {protocol, address, port} outside to inside endpoints.
    """

    addresses: dict[bytes, bytes]
    ports: dict[bytes, bytes]

    @classmethod
    def of(cls, config: GatewayConfig) -> StaticNat:
        """Every tenant's."""
        addresses: dict[bytes, bytes] = {}
        ports: dict[bytes, bytes] = {}
        for tenant in config.tenants:
            tenant_id = tenant.tenant_id.to_bytes(2, "big")
            for pair in tenant.nat.one_to_one if tenant.nat is not None else ():
                addresses[pair.outside.packed] = tenant_id + pair.inside.packed
            for forward in tenant.nat.port_forwards if tenant.nat is not None else ():
                protocol = bytes((forward.protocol_number,))
                outside = protocol + forward.outside.packed + forward.outside_port.to_bytes(2, "big")
                ports[outside] = tenant_id + protocol + forward.inside.packed + forward.to_port.to_bytes(2, "big")
        return cls(addresses, ports)

    def inside_of(self, outside: bytes) -> bytes | None:
        """The inside endpoint of {protocol, address, port} outside; None where none is fixed."""
        if (forwarded := self.ports.get(outside)) is not None:
            return forwarded
        host = self.addresses.get(outside[1:5])
        return None if host is None else host[:2] + outside[:1] + host[2:] + outside[5:]
