# SPDX-License-Identifier: Apache-2.0
"""Central routers: what tenants share to reach the outside."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headgate.config.gateway.routes import RouterRoute, Via
from headgate.config.scalars import (
    Address,
    AddressAndPrefix,
    IpAddress,
    IpNetwork,
    MacAddress,
    Model,
    Name,
    routed_networks,
)

RouterId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]


class Uplink(Model):
    """An interface of a central router to the outside."""

    interface: Name
    mac: MacAddress
    addresses: Annotated[tuple[AddressAndPrefix, ...], Field(min_length=1)]

    @property
    def networks(self) -> tuple[IpNetwork, ...]:
        """Its prefixes, each once; link-local ones, which are never routed, left out (RFC 4291 2.5.6)."""
        return routed_networks(self.addresses)

    def is_connected(self, ip: IpAddress) -> bool:
        """Whether `ip` is on one of its prefixes."""
        return any(ip in address.network for address in self.addresses)


class RouterNeighbor(Model):
    """A next hop whose MAC address is known beforehand."""

    address: Address
    mac: MacAddress
    on: Name | None = None
    """The interface where a link-local address is."""


class Router(Model):
    """A central router."""

    name: Name
    router_id: RouterId
    uplinks: tuple[Uplink, ...] = ()
    neighbors: tuple[RouterNeighbor, ...] = ()
    routes: tuple[RouterRoute, ...] = ()

    def uplink_of(self, next_hop: Via | RouterNeighbor) -> Uplink | None:
        """The uplink that a next hop is on, or None. A link-local one is where it says, or on the only one."""
        if next_hop.on is not None:
            return next((uplink for uplink in self.uplinks if uplink.interface == next_hop.on), None)
        if next_hop.address.is_link_local and next_hop.address.version == 6:
            return self.uplinks[0] if len(self.uplinks) == 1 else None
        return next((uplink for uplink in self.uplinks if uplink.is_connected(next_hop.address)), None)
