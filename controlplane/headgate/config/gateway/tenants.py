# SPDX-License-Identifier: Apache-2.0
"""Tenants: segments with their hosts, and the routes, firewall and translations between them."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from headgate.config.gateway.firewall import Firewall
from headgate.config.gateway.nat import Nat
from headgate.config.gateway.routes import TenantRoute, Via, one_or_many
from headgate.config.gateway.tunnels import NetworkId, Scope
from headgate.config.scalars import (
    Address,
    AddressAndPrefix,
    IpAddress,
    IpNetwork,
    MacAddress,
    Model,
    MtuBytes,
    Name,
    Prefix,
    refuse,
    routed_networks,
)
from headgate.vocabulary import MAX_TENANT_ID

TenantId = Annotated[int, Field(strict=True, ge=1, le=MAX_TENANT_ID)]
SegmentId = Annotated[int, Field(strict=True, ge=1, le=0xFFFF)]
"""0 stands for the outside in the data plane."""


class Attachment(Model):
    """Where a segment's packets come in: an interface, or a network of the tunnels of a scope."""

    interface: Name | None = None
    scope: Scope = 0
    network_id: NetworkId | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.interface is None) == (self.network_id is None):
            raise refuse("has to have either `interface: NAME` or `network_id: NUMBER`")
        return self


class Host(Model):
    """A neighbor that is known beforehand, or of which at least is known behind which tunnel it is."""

    address: Address
    mac: MacAddress | None = None
    via: Name | None = None
    """A tunnel or an interface; if not given, the interface the segment is attached to."""
    network_id: NetworkId | None = None
    """What packets to it carry; if not given, the segment's network of the tunnel's scope."""


class Segment(Model):
    """A subnet of a tenant, and the gateway's addresses in it."""

    name: Name
    segment_id: SegmentId
    mac: MacAddress | None = None
    """The gateway's. Where only IP packets pass (GRE, IP in IP, GTP-U) there is none."""
    addresses: Annotated[tuple[AddressAndPrefix, ...], Field(min_length=1)]
    mtu_bytes: MtuBytes | None = None
    """If not given, what fits through each tunnel or interface, and 1500 at most."""
    attached: Annotated[tuple[Attachment, ...], BeforeValidator(one_or_many), Field(min_length=1)]
    hosts: tuple[Host, ...] = ()

    @property
    def networks(self) -> tuple[IpNetwork, ...]:
        """Its prefixes, each once; link-local ones, which are never routed, left out (RFC 4291 2.5.6)."""
        return routed_networks(self.addresses)

    @property
    def interfaces(self) -> tuple[str, ...]:
        """The interfaces it is attached to."""
        return tuple(item.interface for item in self.attached if item.interface is not None)

    def network_ids(self, scope: int) -> tuple[int, ...]:
        """The networks it is attached to in a scope."""
        return tuple(item.network_id for item in self.attached if item.network_id is not None and item.scope == scope)

    def is_connected(self, ip: IpAddress) -> bool:
        """Whether `ip` is on one of its prefixes."""
        return any(ip in address.network for address in self.addresses)


class Tenant(Model):
    """One tenant. Its addresses may be another's as well."""

    name: Name
    tenant_id: TenantId
    router: Name | None = None
    """The central router that `to: router` leads to, and by which the outside reaches the tenant."""
    advertise: tuple[Prefix, ...] = ()
    """Of its own addresses, those that the outside reaches without translation."""
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]
    routes: tuple[TenantRoute, ...] = ()
    firewall: Firewall | None = None
    """None: all that can be routed passes."""
    nat: Nat | None = None

    def segment_of(self, next_hop: Via) -> Segment | None:
        """The segment that a next hop is on, or None. A link-local one is where it says, or on the only one."""
        if next_hop.on is not None:
            return next((segment for segment in self.segments if segment.name == next_hop.on), None)
        if next_hop.address.is_link_local and next_hop.address.version == 6:
            return self.segments[0] if len(self.segments) == 1 else None
        return next((segment for segment in self.segments if segment.is_connected(next_hop.address)), None)
