# SPDX-License-Identifier: Apache-2.0
"""What is on the wires, and the network between the tunnels' ends."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headgate.config.scalars import (
    Address,
    AddressAndPrefix,
    IpAddress,
    MacAddress,
    Model,
    MtuBytes,
    Name,
    PortNumber,
    VlanId,
)


class Interface(Model):
    """A port, or a VLAN of it. Who names it says what it is for: the underlay, an uplink or a segment."""

    name: Name
    port: PortNumber
    vlan_id: VlanId | None = None
    """None: its frames are untagged."""
    mtu_bytes: MtuBytes = 1500


class UnderlayInterface(Model):
    """An interface where tunnels' packets come and go, and the gateway's addresses there."""

    interface: Name
    mac: MacAddress
    addresses: tuple[AddressAndPrefix, ...] = ()


class UnderlayNextHop(Model):
    """The neighbor that tunnels' packets are handed to."""

    name: Name
    interface: Name
    mac: MacAddress


class Underlay(Model):
    """The network that carries the tunnels."""

    addresses: tuple[Address, ...] = ()
    """Ends of tunnels on no interface in particular."""
    interfaces: Annotated[tuple[UnderlayInterface, ...], Field(min_length=1)]
    next_hops: tuple[UnderlayNextHop, ...] = ()

    @property
    def own_addresses(self) -> tuple[IpAddress, ...]:
        """Every address that is the gateway's: tunnels end at one of them."""
        on_interfaces = (address.ip for interface in self.interfaces for address in interface.addresses)
        return (*self.addresses, *on_interfaces)
