# SPDX-License-Identifier: Apache-2.0
"""What a VNIC's router has to know of the configuration: its own addresses, its links, and how entries are written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from finsy import MACAddress, Match, P4TableEntry

from headgate.config.nic import NicConfig, Vnic
from headgate.config.scalars import IpAddress, IpInterface
from headgate.protocols.neighbor_cache import NextHop
from headgate.systems import LEARNED
from headgate.systems.nic import neighbor_entry


@dataclass(frozen=True)
class RouterView:
    """A VNIC whose packets the NIC routes, as `config` has it.

    Attributes:
        mtu_bytes: Of every link it routes to.
    """

    config: NicConfig
    vnic: Vnic
    mtu_bytes: int

    @cached_property
    def macs(self) -> tuple[MACAddress, ...]:
        """Its own addresses; it sends from the first."""
        return tuple(MACAddress(mac) for mac in self.vnic.macs)

    @cached_property
    def interfaces(self) -> tuple[tuple[int, IpInterface], ...]:
        """Its IP addresses with their prefixes, each with its VLAN."""
        return tuple((self.vnic.vlan_of(address), address.address) for address in self.vnic.addresses)

    @cached_property
    def subnet_broadcasts(self) -> frozenset[IPv4Address]:
        """Of the IPv4 subnets it is connected to; a /31 or /32 has none (RFC 3021)."""
        networks = (interface.network for _, interface in self.interfaces)
        return frozenset(
            network.broadcast_address
            for network in networks
            if isinstance(network, IPv4Network) and network.prefixlen < 31
        )

    def source_towards(self, next_hop: NextHop) -> IpAddress | None:
        """The address to ask for a neighbor from, or None where `next_hop` can't be one.

        A neighbor is on a connected prefix, neither this router itself nor a broadcast address. A link-local one is
        asked for from any address of the link (RFC 4861 7.2.2).
        """
        address = next_hop.address
        on_link = [interface for vlan_id, interface in self.interfaces if vlan_id == next_hop.vlan_id]
        if address.is_multicast or address.is_unspecified or address in self.subnet_broadcasts:
            return None
        if any(address == interface.ip for interface in on_link):
            return None
        if isinstance(address, IPv6Address) and address.is_link_local:
            return next((interface.ip for interface in on_link if interface.version == 6), None)
        return next((interface.ip for interface in on_link if address in interface.network), None)

    def source_of_error(self, to: IpAddress, vlan_id: int) -> IpAddress | None:
        """The address that an ICMP error comes from: the nearest to its receiver, else to where the packet was.

        RFC 1812 4.3.2.4, RFC 4443 2.2. None where the router has no address of the family.
        """
        candidates = [
            (to in interface.network, interface_vlan_id == vlan_id, interface.ip)
            for interface_vlan_id, interface in self.interfaces
            if interface.version == to.version and not interface.is_link_local
        ]
        return max(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None

    def entry(self, next_hop: NextHop, mac: MACAddress) -> P4TableEntry:
        """The entry that leads to `next_hop` at `mac`, on the wire or on another VNIC of this NIC."""
        return neighbor_entry(self.config, self.vnic, next_hop.vlan_id, next_hop.address, str(mac), metadata=LEARNED)

    def key(self, next_hop: NextHop) -> P4TableEntry:
        """The entry that leads to `next_hop`, as far as it takes to delete it."""
        match = Match(vnic_id=self.vnic.vnic_id, vlan_id=next_hop.vlan_id, next_hop=next_hop.address)
        return P4TableEntry(f"ipv{next_hop.address.version}_neighbor", match=match)


def router_views(config: NicConfig) -> tuple[RouterView, ...]:
    """Each VNIC whose packets the NIC routes."""
    return tuple(
        RouterView(config, vnic, vnic.forwarding.mtu)
        for vnic in config.vnics
        if vnic.forwarding is not None and vnic.forwarding.by_nic
    )
