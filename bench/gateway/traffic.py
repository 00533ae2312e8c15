# SPDX-License-Identifier: Apache-2.0
"""Flows of the tenants' hosts to servers outside, and their packets in both directions, byte by byte."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from ..frames import ETHER_TYPE_IPV4, PROTOCOL_UDP, internet_checksum
from ..shuffle import shuffled
from .tenants import (
    FABRIC_MAC,
    FABRIC_PORT,
    GATEWAY_VTEP,
    HOSTS,
    SEGMENT_MAC,
    VNI_BASE,
    WAN_MAC,
    WAN_PORT,
    host_address,
    host_mac,
    vtep_of,
)

Arrival = tuple[int, bytes]
"""The port it comes in by, and the frame."""

FRAME_BYTES = 128
"""Of every frame that comes in, as it comes in."""

_PROTOCOL_TCP = 6
_SYN, _ACK = 0x02, 0x10
_SERVICE_PORT = 443
_SERVERS = int(IPv4Address("198.19.0.0"))  # RFC 2544: for benchmarks
_VXLAN_PORT = 4789
_MIN_PACKETS = 1024

_ETHERNET = struct.Struct("!6s6sH")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_TCP = struct.Struct("!HHIIBBHHH")
_UDP = struct.Struct("!HHHH")
_VXLAN = struct.Struct("!II")
_PSEUDO_HEADER = struct.Struct("!4s4sBBH")
_TUNNEL_BYTES = _ETHERNET.size + _IPV4.size + _UDP.size + _VXLAN.size


@dataclass(frozen=True, slots=True)
class Endpoint:
    address: IPv4Address
    port: int


@dataclass(frozen=True, slots=True)
class Flow:
    """Of a tenant's host, `inside`; by turns TCP and UDP."""

    tenant_id: int
    host: int
    protocol: int
    inside: Endpoint
    server: Endpoint


def flows_of(tenants: int, count: int) -> tuple[Flow, ...]:
    """As many of each tenant as of any other, if there are enough. Each has an inside endpoint of its own."""
    return tuple(_flow(number % tenants + 1, number // tenants) for number in range(count))


def _flow(tenant_id: int, number: int) -> Flow:
    """The tenant's flow of that number."""
    host = number % HOSTS
    inside = Endpoint(host_address(host), 10_000 + number // HOSTS)
    server = Endpoint(IPv4Address(_SERVERS + (tenant_id * 251 + number * 31) % 0xFFFF + 1), _SERVICE_PORT)
    return Flow(tenant_id, host, _PROTOCOL_TCP if number % 2 else PROTOCOL_UDP, inside, server)


def trace(arrivals: Sequence[Arrival]) -> list[Arrival]:
    """As many of each as of any other, in a scattered order, and enough that a pass takes a while."""
    return [arrivals[number % len(arrivals)] for number in shuffled(max(len(arrivals), _MIN_PACKETS))]


def outbound(flow: Flow, *, opens: bool = False) -> Arrival:
    """From the host, in its tunnel. `opens`: the first packet of its connection."""
    packet_bytes = FRAME_BYTES - _TUNNEL_BYTES - _ETHERNET.size
    packet = _packet(flow.protocol, flow.inside, flow.server, packet_bytes, _SYN if opens else _ACK)
    frame = _ETHERNET.pack(_mac(SEGMENT_MAC), _mac(host_mac(flow.host)), ETHER_TYPE_IPV4) + packet
    network = _VXLAN.pack(0x0800_0000, (VNI_BASE + flow.tenant_id) << 8)
    entropy = 49152 + (flow.inside.port * HOSTS + flow.host) % 16384  # RFC 7348 5
    udp = _UDP.pack(entropy, _VXLAN_PORT, _UDP.size + _VXLAN.size + len(frame), 0)
    outer = _ip_header(PROTOCOL_UDP, vtep_of(flow.tenant_id, flow.host), GATEWAY_VTEP, len(udp) + 8 + len(frame))
    link = _ETHERNET.pack(_mac(FABRIC_MAC), _mac("02:00:00:00:fa:01"), ETHER_TYPE_IPV4)
    return FABRIC_PORT, link + outer + udp + network + frame


def inbound(flow: Flow, outside: Endpoint) -> Arrival:
    """The server's answer, to what NAT has made of the host's address and port."""
    packet = _packet(flow.protocol, flow.server, outside, FRAME_BYTES - _ETHERNET.size, _ACK)
    return WAN_PORT, _ETHERNET.pack(_mac(WAN_MAC), _mac("02:00:00:00:fb:00"), ETHER_TYPE_IPV4) + packet


def _packet(protocol: int, src: Endpoint, dst: Endpoint, packet_bytes: int, tcp_flags: int) -> bytes:
    """IPv4 with TCP or UDP, its checksums right."""
    length = packet_bytes - _IPV4.size

    def transport(checksum: int) -> bytes:
        if protocol == PROTOCOL_UDP:
            return _UDP.pack(src.port, dst.port, length, checksum)
        return _TCP.pack(src.port, dst.port, 1, 1, 0x50, tcp_flags, 0xFFFF, checksum, 0)

    pseudo_header = _PSEUDO_HEADER.pack(src.address.packed, dst.address.packed, 0, protocol, length)
    header = transport(internet_checksum(pseudo_header + transport(0)))
    return _ip_header(protocol, src.address, dst.address, length) + header + bytes(length - len(header))


def _ip_header(protocol: int, src: IPv4Address, dst: IPv4Address, payload_bytes: int) -> bytes:
    fields = (0x45, 0, _IPV4.size + payload_bytes, 0, 0x4000, 64, protocol)
    addresses = (src.packed, dst.packed)
    return _IPV4.pack(*fields, internet_checksum(_IPV4.pack(*fields, 0, *addresses)), *addresses)


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))
