# SPDX-License-Identifier: Apache-2.0
"""Where a neighbor is to be found: out of a port, or through a tunnel."""

from __future__ import annotations

from dataclasses import dataclass

from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.interfaces import Interface
from headgate.config.gateway.tenants import Segment
from headgate.config.gateway.tunnels import Tunnel
from headgate.config.scalars import IpAddress

_ORDINARY_MTU_BYTES = 1500


@dataclass(frozen=True, slots=True)
class OnInterface:
    """Out of an interface, as an Ethernet frame."""

    interface: Interface
    mtu_bytes: int
    has_macs = True


@dataclass(frozen=True, slots=True)
class InTunnel:
    """Through a tunnel, under a network id."""

    tunnel: Tunnel
    network_id: int
    mtu_bytes: int

    @property
    def has_macs(self) -> bool:
        """Whether a MAC address takes part: not where only IP packets pass."""
        return self.tunnel.carries_frames


Place = OnInterface | InTunnel


def place_of(config: GatewayConfig, segment: Segment, ip: IpAddress) -> Place | None:
    """Where a neighbor of a segment is: where its host entry says, else on the segment's interface, if it has one.

    None where the configuration doesn't say.
    """
    host = next((host for host in segment.hosts if host.address == ip), None)
    return place_of_host(config, segment, host.via if host else None, host.network_id if host else None)


def place_of_host(config: GatewayConfig, segment: Segment, via: str | None, network_id: int | None) -> Place | None:
    """Where a host entry with these values leads (see `Host`)."""
    via = via if via is not None else next(iter(segment.interfaces), None)
    if via is None:
        return None
    if via in segment.interfaces:
        interface = config.interfaces_by_name[via]
        return OnInterface(interface, segment.mtu_bytes or min(_ORDINARY_MTU_BYTES, interface.mtu_bytes))
    tunnel = config.tunnels_by_name.get(via)
    if tunnel is None:
        return None
    network_ids = segment.network_ids(tunnel.scope)
    if network_id is None and len(network_ids) == 1:
        [network_id] = network_ids
    if network_id is None:
        return None
    return InTunnel(tunnel, network_id, segment.mtu_bytes or min(_ORDINARY_MTU_BYTES, config.room_bytes(tunnel)))
