# SPDX-License-Identifier: Apache-2.0
"""What the rack's hosts send one another, and how it looks where it comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scapy.layers.inet import UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from harness.dut import Dut
from harness.frames import Family, routed, tagged, tcp, udp
from harness.gateway.rack import (
    HOST,
    HOST_MAC,
    REMOTE_MAC,
    SEGMENT_MAC,
    TRUNK_HOST_MAC,
    UPLINK_MAC,
    WORLD,
    WORLD_MAC,
    Tenant,
    remote,
)
from harness.gateway.tunnels import Tunnel
from harness.observed import Observed

FROM_HOST = (HOST_MAC, SEGMENT_MAC)
FROM_REMOTE = (REMOTE_MAC, SEGMENT_MAC)
FROM_WORLD = (WORLD_MAC, UPLINK_MAC)


def from_host(family: Family, dst: str, **fields: Any) -> bytes:
    """A datagram of a plain segment's host; `fields` as of `harness.frames.udp`."""
    return udp(family, FROM_HOST, (HOST[family], dst), **fields)


def from_remote(tunnel: Tunnel, family: Family, dst: str, **fields: Any) -> bytes:
    """A datagram of the host behind a tunnel, as it is within."""
    return udp(family, FROM_REMOTE, (remote(tunnel, family), dst), **fields)


def from_world(family: Family, dst: str, **fields: Any) -> bytes:
    """A datagram that comes in by the first uplink."""
    return udp(family, FROM_WORLD, (WORLD[family], dst), **fields)


def tcp_from_host(family: Family, dst: str, flags: str, **fields: Any) -> bytes:
    return tcp(family, FROM_HOST, (HOST[family], dst), flags=flags, **fields)


def at_host(frame: bytes) -> bytes:
    """`frame` where it reaches a plain segment's host."""
    return routed(frame, SEGMENT_MAC, HOST_MAC)


def at_trunk(frame: bytes, tenant: Tenant) -> bytes:
    """`frame` where it reaches the tenant's host on the trunk."""
    return tagged(routed(frame, SEGMENT_MAC, TRUNK_HOST_MAC), tenant.vlan_id)


def at_remote(frame: bytes) -> bytes:
    """`frame` where it reaches the host behind a tunnel."""
    return routed(frame, SEGMENT_MAC, REMOTE_MAC)


def at_world(frame: bytes) -> bytes:
    """`frame` where it has left by the first uplink."""
    return routed(frame, UPLINK_MAC, WORLD_MAC)


def entropy_of(frame: bytes) -> dict[str, int]:
    """What of the outer headers tells flows apart: the UDP source port and IPv6's flow label, where there are any."""
    packet = Ether(frame)
    udp_port = {"sport": packet[UDP].sport} if UDP in packet else {}
    flow_label = {"flow_label": packet[IPv6].fl} if IPv6 in packet else {}
    return udp_port | flow_label


def send_into_tunnel(dut: Dut, tenant: Tenant, tunnel: Tunnel, frame: bytes) -> Observed:
    """`frame` of the tenant's host, which is asserted to leave by the tunnel as its peer expects it."""
    observed = dut.send(tenant.port, frame)
    assert_in_tunnel(observed, tenant, tunnel, [at_remote(frame)])
    return observed


def assert_in_tunnel(
    observed: Observed, tenant: Tenant, tunnel: Tunnel, inner: Sequence[bytes], **changes: Any
) -> None:
    """Exactly these left by the tunnel; `changes` to how they look (`Tunnel.outer`). Entropy is taken as it came."""
    came = observed.frames.get(tunnel.port, [])
    observed.assert_out(
        {
            tunnel.port: [
                tunnel.sent(frame, tenant.network_id(tunnel), **{**(entropy_of(like) if like else {}), **changes})
                for frame, like in zip(inner, [*came, *[b""] * len(inner)], strict=False)
            ]
        }
    )
