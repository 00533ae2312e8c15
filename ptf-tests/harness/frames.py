# SPDX-License-Identifier: Apache-2.0
"""Frames, built by Scapy and handled as bytes from then on: what is expected is said byte by byte.

Each frame that a test builds ends in `probe()`: a mark and a number of its own, by which what comes out is told from
what somebody else sent.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, PadN
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

C_TAG = 0x8100  # IEEE 802.1Q
S_TAG = 0x88A8  # IEEE 802.1ad
BROADCAST = "ff:ff:ff:ff:ff:ff"

PROBE_MARK = b"headgate-probe-"
_ADDRESSES_BYTES = 12
_TAG_BYTES = 4
_probe_numbers = itertools.count(1)


def probe(length: int = 0) -> Packet:
    """Payload that no other frame carries, `length` bytes long or as short as it can be."""
    mark = PROBE_MARK + b"%08d" % next(_probe_numbers)
    return Raw(mark.ljust(length, b"."))


@dataclass(frozen=True, slots=True)
class Family:
    """One address family: its addresses in the tests, and how its header is written."""

    name: str
    outside: str
    """A host beyond the uplink."""
    far: str
    """A host in a network that only routes lead to."""
    unroutable: str
    """An address without a route."""
    header: Callable[..., Packet]
    """(src, dst, hops=64, **fields of Scapy's layer)"""
    offset_of_addresses: int
    """From the start of the header to the source address, bytes."""

    def __str__(self) -> str:
        return self.name


def _ipv4(src: str, dst: str, hops: int = 64, **fields: Any) -> Packet:
    return IP(src=src, dst=dst, ttl=hops, **fields)


def _ipv6(src: str, dst: str, hops: int = 64, **fields: Any) -> Packet:
    return IPv6(src=src, dst=dst, hlim=hops, **fields)


IPV4 = Family("ipv4", "10.0.0.200", "203.0.113.9", "192.0.2.77", _ipv4, 12)
IPV6 = Family("ipv6", "2001:db8::200", "2001:db8:f::9", "3fff::77", _ipv6, 8)
FAMILIES = {"ipv4": IPV4, "ipv6": IPV6}


def ether(src: str, dst: str, *layers: Packet, ether_type: int | None = None) -> bytes:
    """A frame without a tag; Scapy fills in lengths and checksums that `layers` leave open."""
    frame: Packet = Ether(src=src, dst=dst) if ether_type is None else Ether(src=src, dst=dst, type=ether_type)
    for layer in layers:
        frame /= layer
    return bytes(frame)


def udp(family: Family, eth: tuple[str, str], ip: tuple[str, str], *, ports: tuple[int, int] = (4000, 5000),
        hops: int = 64, payload: int = 0, **fields: Any) -> bytes:  # fmt: skip
    """A UDP datagram. `eth`, `ip` and `ports` are (source, destination); `payload` in bytes."""
    header = family.header(*ip, hops=hops, **fields)
    return ether(*eth, header, UDP(sport=ports[0], dport=ports[1]), probe(payload))


def tcp(family: Family, eth: tuple[str, str], ip: tuple[str, str], *, ports: tuple[int, int] = (4000, 80),
        hops: int = 64, **fields: Any) -> bytes:  # fmt: skip
    """A TCP segment, otherwise as `udp`."""
    return ether(*eth, family.header(*ip, hops=hops), TCP(sport=ports[0], dport=ports[1], **fields), probe())


def arp(src: str, dst: str, sender: str, target: str, *, reply: bool = False) -> bytes:
    """ARP in a frame of minimum length, the probe in its padding."""
    message = ARP(
        op=2 if reply else 1, hwsrc=src, psrc=sender, hwdst=dst if reply else "00:00:00:00:00:00", pdst=target
    )
    return ether(src, dst, message, probe())


def destination_options(length: int) -> Packet:
    """An IPv6 destination options header of `length` bytes, all of it padding (RFC 8200 4.2, 4.6)."""
    options = []
    left = length - 2
    while left:
        step = min(left, 257) if left != 258 else 200  # PadN takes 2 bytes at least: none is left with 1
        options.append(PadN(optdata=b"\0" * (step - 2)))
        left -= step
    return IPv6ExtHdrDestOpt(options=options, len=length // 8 - 1, autopad=0)


def tagged(frame: bytes, vlan_id: int, *, ether_type: int = C_TAG, pcp: int = 0, dei: int = 0) -> bytes:
    """The frame with a tag in front of all it has."""
    tag = ether_type.to_bytes(2) + (pcp << 13 | dei << 12 | vlan_id).to_bytes(2)
    return frame[:_ADDRESSES_BYTES] + tag + frame[_ADDRESSES_BYTES:]


def untagged(frame: bytes) -> bytes:
    """The frame without its outermost tag."""
    return frame[:_ADDRESSES_BYTES] + frame[_ADDRESSES_BYTES + _TAG_BYTES :]


def routed(frame: bytes, src: str, dst: str) -> bytes:
    """An untagged frame as a router passes it on: new MAC addresses, one hop less, the checksum computed afresh."""
    packet = Ether(frame)
    packet.src, packet.dst = src, dst
    header = packet.payload
    if isinstance(header, IP):
        header.ttl -= 1
        del header.chksum
    else:
        header.hlim -= 1
    return bytes(packet)


def patched(frame: bytes, offset: int, replacement: bytes) -> bytes:
    """The frame with some of its bytes replaced."""
    return frame[:offset] + replacement + frame[offset + len(replacement) :]
