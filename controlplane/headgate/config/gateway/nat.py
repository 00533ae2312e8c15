# SPDX-License-Identifier: Apache-2.0
"""Network address translation of a tenant: shared addresses, addresses one to one, and forwarded ports. IPv4 only."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from headgate.config.gateway.routes import one_or_many
from headgate.config.gateway.transport import PortRange, TransportPort
from headgate.config.scalars import IpAddress, Model, Name, parse_address, parse_prefix, refuse
from headgate.vocabulary import Protocol


def _ipv4_address(value: object) -> IPv4Address:
    ip = parse_address(value)
    if not isinstance(ip, IPv4Address):
        raise refuse("is an IPv6 address, and only IPv4 is translated: give an IPv4 address")
    return ip


def _ipv4_prefix(value: object) -> IPv4Network:
    prefix = parse_prefix(value)
    if not isinstance(prefix, IPv4Network):
        raise refuse("is an IPv6 prefix, and only IPv4 is translated: give an IPv4 prefix")
    return prefix


Ipv4 = Annotated[IPv4Address, BeforeValidator(_ipv4_address)]
Ipv4Prefix = Annotated[IPv4Network, BeforeValidator(_ipv4_prefix)]
Ipv4Prefixes = Annotated[tuple[Ipv4Prefix, ...], BeforeValidator(one_or_many), Field(min_length=1)]
PoolId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]


class Pool(Model):
    """Addresses that hosts share: each connection gets an address and a port of it (RFC 4787, RFC 5382)."""

    name: Name
    pool_id: PoolId
    inside: Ipv4Prefixes
    """Whose connections are translated."""
    outside: Ipv4Prefixes
    ports: Annotated[PortRange, BeforeValidator(PortRange.spell_out)] = PortRange(first=1024, last=65535)

    def covers(self, outside: IpAddress) -> bool:
        """Whether an address is one of the pool's."""
        return any(outside in prefix for prefix in self.outside)


class OneToOne(Model):
    """An address of the outside that is one host's alone, with all its ports."""

    inside: Ipv4
    outside: Ipv4


class PortForward(Model):
    """A port of an outside address that leads to a host. The address may be one of the tenant's pools."""

    protocol: Literal["tcp", "udp"]
    outside: Ipv4
    outside_port: TransportPort
    inside: Ipv4
    inside_port: TransportPort | None = None
    """The same as outside, if not given."""

    @property
    def to_port(self) -> int:
        return self.inside_port if self.inside_port is not None else self.outside_port

    @property
    def protocol_number(self) -> int:
        return Protocol[self.protocol.upper()]


class Nat(Model):
    """All of a tenant's translations."""

    pools: tuple[Pool, ...] = ()
    one_to_one: tuple[OneToOne, ...] = ()
    port_forwards: tuple[PortForward, ...] = ()

    @property
    def outside(self) -> tuple[IPv4Network, ...]:
        """Every address of the outside that is the tenant's, once; as a host prefix where it is a single one."""
        prefixes = [prefix for pool in self.pools for prefix in pool.outside]
        single = [IPv4Network(item.outside) for item in (*self.one_to_one, *self.port_forwards)]
        pooled = [address for address in single if not any(address.subnet_of(prefix) for prefix in prefixes)]
        return tuple(dict.fromkeys([*prefixes, *pooled]))
