# SPDX-License-Identifier: Apache-2.0
"""The whole configuration of a NIC."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from headgate.config.nic.ports import Port, Vlan
from headgate.config.nic.vnics import HOST, Vnic
from headgate.config.rates import PacketRate
from headgate.config.scalars import Model, Name
from headgate.vocabulary import HOST_PORT


class DefaultRing(Model):
    """Who gets what is nobody's: the first local ring of a VNIC."""

    vnic: Name


class PuntLimits(Model):
    """One limit for each reason, named like `punt_reason_t`."""

    neighbor_miss: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)
    neighbor_heard: PacketRate = PacketRate(packets_per_s=200, burst_packets=100)
    ttl_expired: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)
    packet_too_big: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)
    no_route: PacketRate = PacketRate(packets_per_s=50, burst_packets=20)


class NicConfig(Model):
    """A NIC: what is wired to its ports, its VLANs, and the VNICs that live on it."""

    program: Literal["nic"] = "nic"
    ports: tuple[Port, ...]
    vlans: tuple[Vlan, ...]
    vnics: tuple[Vnic, ...]
    default_ring: DefaultRing | None = None
    punt_limits: PuntLimits = PuntLimits()

    @cached_property
    def ports_by_name(self) -> dict[str, Port]:
        return {port.name: port for port in self.ports}

    @cached_property
    def vnics_by_name(self) -> dict[str, Vnic]:
        return {vnic.name: vnic for vnic in self.vnics}

    def port_number(self, name: str) -> int:
        """The number of a port of that name; of `host`, the host port's. Raises: KeyError."""
        return HOST_PORT if name == HOST else self.ports_by_name[name].port

    def members(self, vlan_id: int) -> tuple[Vnic, ...]:
        """The VNICs of a VLAN."""
        return tuple(vnic for vnic in self.vnics if vlan_id in vnic.vlans)
