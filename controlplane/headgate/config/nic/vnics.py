# SPDX-License-Identifier: Apache-2.0
"""A VNIC: its VLANs and addresses, its receive rings, and what it passes on for others."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from headgate.config.scalars import (
    Address,
    AddressAndPrefix,
    IpNetwork,
    MacAddress,
    Model,
    MtuBytes,
    Name,
    Prefix,
    RingId,
    VlanId,
    VnicId,
    refuse,
)

HOST = "host"
"""In place of a port's name: the ring is the host's own, by the host port."""

MAX_RINGS = 128
"""Buckets of a ring group: more rings could not be told apart."""


class Ring(Model):
    """A receive ring, and where what is put on it goes."""

    ring_id: RingId
    port: Name


class Rings(Model):
    """A VNIC's ring groups: packets for itself, and packets it is only to pass on."""

    local: Annotated[tuple[Ring, ...], Field(min_length=1, max_length=MAX_RINGS)]
    forwarding: Annotated[tuple[Ring, ...], Field(max_length=MAX_RINGS)] = ()


class InterfaceAddress(Model):
    """An address with its prefix, on one of the VNIC's VLANs (by default the untagged one)."""

    address: AddressAndPrefix
    vlan: VlanId | None = None

    @property
    def ip(self) -> IPv4Address | IPv6Address:
        return self.address.ip

    @property
    def network(self) -> IpNetwork:
        return self.address.network


class Route(Model):
    """What becomes of packets for a prefix: a next hop, the VNIC's own stack, or nothing."""

    prefix: Prefix
    via: Address | None = None
    to: Literal["ring", "blackhole"] | None = None
    vlan: VlanId | None = None
    """Of a link-local next hop, when the VNIC has several."""

    @model_validator(mode="after")
    def _one_way_out(self) -> Route:
        if (self.via is None) == (self.to is None):
            raise refuse("has to have either `via: ADDRESS` or `to: ring` or `to: blackhole`")
        if self.via is not None and self.via.version != self.prefix.version:
            raise refuse(
                f"leads an IPv{self.prefix.version} prefix to an IPv{self.via.version} next hop: "
                f"give an IPv{self.prefix.version} address"
            )
        return self


class Neighbor(Model):
    """A next hop whose MAC address is known beforehand; others are resolved when they are needed."""

    address: Address
    mac: MacAddress
    vlan: VlanId | None = None
    """Of a link-local address, when the VNIC has several."""


class Forwarding(Model):
    """Who routes the packets that this VNIC is only to pass on."""

    routed_by: Literal["guest", "nic_on_transmit", "nic_on_receive"]
    routes: tuple[Route, ...] = ()
    neighbors: tuple[Neighbor, ...] = ()
    mtu: MtuBytes = 1500

    @property
    def by_nic(self) -> bool:
        return self.routed_by != "guest"


def _with_defaults(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


class Vnic(Model):
    """A virtual NIC, as a guest or the host sees it."""

    name: Name
    vnic_id: VnicId
    vlan: VlanId | None = None
    """Its frames of this VLAN are untagged."""
    tagged_vlans: tuple[VlanId, ...] = ()
    macs: Annotated[tuple[MacAddress, ...], Field(min_length=1)]
    addresses: tuple[Annotated[InterfaceAddress, BeforeValidator(_with_defaults)], ...] = ()
    rings: Rings
    forwarding: Forwarding | None = None

    @property
    def vlans(self) -> tuple[int, ...]:
        """Every VLAN it is a member of."""
        return (*([self.vlan] if self.vlan is not None else []), *self.tagged_vlans)

    @property
    def mac(self) -> str:
        """The address it sends from when it routes."""
        return self.macs[0]

    def vlan_of(self, address: InterfaceAddress) -> int:
        """The VLAN an address is on. Raises: ValueError, when it names none and the VNIC has no untagged VLAN."""
        vlan_id = address.vlan if address.vlan is not None else self.vlan
        if vlan_id is None:
            raise ValueError(f"{address.address} of {self.name} is on no VLAN")
        return vlan_id

    def link_of(self, ip: IPv4Address | IPv6Address, vlan: int | None = None) -> int | None:
        """The VLAN on which `ip` is a neighbor of this VNIC, or None.

        A link-local address (RFC 4291 2.5.6) is on any of them: on `vlan`, else on the only one there is.
        """
        if ip.version == 6 and ip.is_link_local:
            only = self.vlans[0] if len(self.vlans) == 1 else None
            return vlan if vlan is not None else only
        for address in self.addresses:
            if ip in address.network:
                return self.vlan_of(address)
        return None
