# SPDX-License-Identifier: Apache-2.0
"""Random packets of a few hundred flows through `configs/gateway.yaml`: often enough the same for a cache to matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from scapy.contrib.geneve import GENEVE
from scapy.contrib.gtp import GTP_U_Header
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
)
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from .gateways import Frame
from .learning import Endpoint

FABRIC_A, FABRIC_B, WAN_A, WAN_B, RACK = range(5)
HOST_MAC, SEGMENT_MAC = "02:00:00:01:01:10", "02:00:00:01:01:01"
RACK_MAC, WAN_A_MAC, WAN_B_MAC = "02:00:00:00:f2:01", "02:00:00:00:f1:01", "02:00:00:00:f1:02"


def _over_fabric_a(shim: Packet, peer: str) -> Callable[[Packet], Packet]:
    outer = Ether(src="02:00:00:00:fa:01", dst="02:00:00:00:f0:01") / IP(src=peer, dst="198.51.100.1", ttl=9)
    return lambda inner: outer / shim / inner


def _over_fabric_b(shim: Packet, peer: str) -> Callable[[Packet], Packet]:
    outer = Ether(src="02:00:00:00:fa:02", dst="02:00:00:00:f0:02") / IPv6(src=peer, dst="2001:db8:ffff::1", hlim=9)
    return lambda inner: outer / shim / inner


def _vxlan(vni: int) -> Packet:
    return UDP(sport=50000, dport=4789, chksum=0) / VXLAN(flags=8, vni=vni) / Ether(src=HOST_MAC, dst=SEGMENT_MAC)


def _geneve(vni: int) -> Packet:
    eth = Ether(src=HOST_MAC, dst=SEGMENT_MAC)
    return UDP(sport=50000, dport=6081, chksum=0) / GENEVE(proto=0x6558, vni=vni) / eth


def _gtpu(teid: int) -> Packet:
    return UDP(sport=50000, dport=2152, chksum=0) / GTP_U_Header(teid=teid, gtp_type=255)


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """Who sends: by which port, in what, from which addresses, to whom."""

    port: int
    around: Callable[[Packet], Packet]
    sources: tuple[str, ...]
    destinations: tuple[str, ...]


_WORLD = ("192.0.2.9", "192.0.2.10", "198.18.7.7", "192.168.3.3", "172.16.5.5")
_RED = (
    "10.0.1.10",
    "10.0.1.11",
    "10.0.1.12",
    "10.0.1.99",
    "10.0.2.7",
    "10.77.0.5",
    "10.0.99.1",
    "10.0.99.2",
    "10.0.1.1",
)
_BLUE = ("10.0.1.10", "10.0.1.11", "10.0.5.2", "10.0.45.11", "10.0.45.12", "10.0.45.1")
_SPECIAL = ("224.0.0.9", "169.254.1.1", "255.255.255.255")
_RED6 = ("2001:db8:1:1::10", "2001:db8:1:1::11", "2001:db8:1:1::99", "2001:db8:1:1::1")
_V6_PEER = "2001:db8:ffff::12"
_WORLD6 = ("2001:db8:f::9", "2001:db8:f::a", "2001:db8:99::1")
_PUBLIC = ("203.0.113.70", "203.0.113.71", "203.0.113.64", "203.0.113.2", "203.0.113.200", "10.0.1.10")

ORIGINS = (
    Origin(FABRIC_A, _over_fabric_a(_vxlan(5001), "198.51.100.11"), ("10.0.1.10",), _RED + _WORLD + _SPECIAL),
    Origin(FABRIC_A, _over_fabric_a(_vxlan(5001), "198.51.100.11"), ("2001:db8:1:1::10",), _RED6 + _WORLD6),
    Origin(FABRIC_B, _over_fabric_b(_vxlan(5001), _V6_PEER), ("10.0.1.11",), _RED + _WORLD),
    Origin(FABRIC_B, _over_fabric_b(_vxlan(5001), _V6_PEER), ("2001:db8:1:1::11", "fe80::1"), _RED6 + _WORLD6),
    Origin(FABRIC_A, _over_fabric_a(_geneve(5001), "198.51.100.13"), ("10.0.1.12", "169.254.9.9"), _RED + _WORLD),
    Origin(FABRIC_A, _over_fabric_a(GRE(key_present=1, key=77), "198.51.100.40"), ("10.77.0.5",), _RED + _WORLD),
    Origin(
        RACK, lambda inner: Ether(src=HOST_MAC, dst=RACK_MAC) / Dot1Q(vlan=10) / inner, ("10.0.2.7",), _RED + _WORLD
    ),
    Origin(FABRIC_A, _over_fabric_a(_vxlan(5002), "198.51.100.11"), ("10.0.1.10",), _BLUE + _WORLD),
    Origin(FABRIC_B, _over_fabric_b(_vxlan(5002), _V6_PEER), ("10.0.1.11",), _BLUE + _WORLD),
    Origin(FABRIC_A, _over_fabric_a(_gtpu(0x1001), "198.51.100.60"), ("10.0.45.11",), _BLUE + _WORLD),
    Origin(WAN_A, lambda inner: Ether(src="02:00:00:00:fb:01", dst=WAN_A_MAC) / inner, _WORLD[:2], _PUBLIC),
    Origin(
        WAN_B,
        lambda inner: Ether(src="02:00:00:00:fb:02", dst=WAN_B_MAC) / Dot1Q(vlan=100) / inner,
        _WORLD6[:2],
        _RED6,
    ),
)
_OUTSIDE = ORIGINS[-2]

FLOWS = 300
ICMP_PROTOCOL = 1
_ANSWERS = {6: "tcp", 17: "udp", ICMP_PROTOCOL: "reply"}
_SRC_PORTS = (1000, 1001, 33000)
_DST_PORTS = (23, 53, 80, 443, 8001, 8443)
_PROTOCOLS = ("tcp",) * 6 + ("udp",) * 4 + ("echo", "echo", "reply", "error", "sctp")
_FLAGS = ("A",) * 12 + ("PA",) * 3 + ("S",) * 4 + ("SA", "FA", "R", "SF", "")


@dataclass(frozen=True, slots=True)
class Shape:
    """What of a packet is no part of its flow."""

    flags: str = "A"
    hops: int = 64
    payload: int = 16
    dont_fragment: bool = False
    kind: str = ""
    """Nothing, or `first_fragment`, `later_fragment`, `options`."""


def _shape(random: Random, *, of_tcp: bool) -> Shape:
    odd = random.random()
    return Shape(
        flags=random.choice(_FLAGS) if of_tcp else "",
        hops=random.choice((1, 2, 255)) if odd < 0.05 else 64,
        payload=1600 if 0.05 < odd < 0.08 else 16,
        dont_fragment=odd > 0.5,
        kind=random.choice(("first_fragment", "later_fragment", "options")) if odd > 0.93 else "",
    )


Flow = tuple[Origin, str, str, str, int, int]
"""Who sends, protocol, addresses, ports."""


class Traffic:
    """Packets of flows some of which have many, and most have few."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._flows = [self._flow() for _ in range(FLOWS)]
        self._weights = [1 / (1 + rank) for rank in range(FLOWS)]

    def packet(self, mappings: Mapping[Endpoint, Endpoint]) -> Frame:
        """Of any flow, or an answer to one that was translated."""
        if mappings and self._random.random() < 0.15:
            flow = self._answer(self._random.choice([*mappings.values()]))
        else:
            (flow,) = self._random.choices(self._flows, self._weights)
        return _frame(*flow, _shape(self._random, of_tcp=flow[1] == "tcp"))

    def _flow(self) -> Flow:
        origin = self._random.choice(ORIGINS)
        ends = self._random.choice(origin.sources), self._random.choice(origin.destinations)
        ports = self._random.choice(_SRC_PORTS), self._random.choice(_DST_PORTS)
        return origin, self._random.choice(_PROTOCOLS), *ends, *ports

    def _answer(self, outside: Endpoint) -> Flow:
        _, number, address, port = outside
        far_port = port if number == ICMP_PROTOCOL else self._random.choice(_DST_PORTS)
        return _OUTSIDE, _ANSWERS[number], self._random.choice(_WORLD[:2]), address, far_port, port


@lru_cache(20_000)
def _frame(origin: Origin, protocol: str, src: str, dst: str, src_port: int, dst_port: int, shape: Shape) -> Frame:
    build = _ipv6 if ":" in src else _ipv4
    inner = build(protocol, src, dst, src_port, dst_port, shape)
    return origin.port, bytes(origin.around(inner))


def _ipv4(protocol: str, src: str, dst: str, src_port: int, dst_port: int, shape: Shape) -> Packet:
    header = IP(src=src, dst=dst, ttl=shape.hops, flags="DF" if shape.dont_fragment else 0)
    if shape.kind == "options":
        header.options = [IPOption_NOP()] * 4
    if protocol == "sctp":
        header.proto = 132
        return header / Raw(b"s" * shape.payload)
    if shape.kind == "later_fragment":
        header.proto, header.frag, header.flags = {"tcp": 6, "udp": 17}.get(protocol, 1), 9, 0
        return header / Raw(b"f" * shape.payload)
    if shape.kind == "first_fragment":
        header.flags = "MF"
    match protocol:
        case "echo":
            transport = ICMP(type=8, id=src_port)
        case "reply":
            transport = ICMP(type=0, id=src_port)
        case "error":
            transport = ICMP(type=3, code=1)
        case _:
            transport = _transport(protocol, src_port, dst_port, shape)
    return header / transport / Raw(b"p" * shape.payload)


def _ipv6(protocol: str, src: str, dst: str, src_port: int, dst_port: int, shape: Shape) -> Packet:
    header: Packet = IPv6(src=src, dst=dst, hlim=shape.hops)
    if shape.kind == "options":
        header /= IPv6ExtHdrDestOpt()
    elif shape.kind == "first_fragment":
        header /= IPv6ExtHdrFragment(m=1)
    elif shape.kind == "later_fragment":
        return header / IPv6ExtHdrFragment(nh=17, offset=9) / Raw(b"f" * shape.payload)
    match protocol:
        case "echo":
            transport = ICMPv6EchoRequest(id=src_port)
        case "reply":
            transport = ICMPv6EchoReply(id=src_port)
        case "error":
            transport = ICMPv6DestUnreach()
        case _:
            transport = _transport(protocol, src_port, dst_port, shape)
    return header / transport / Raw(b"p" * shape.payload)


def _transport(protocol: str, src_port: int, dst_port: int, shape: Shape) -> Packet:
    if protocol == "tcp":
        return TCP(sport=src_port, dport=dst_port, flags=shape.flags)
    return UDP(sport=src_port, dport=dst_port)
