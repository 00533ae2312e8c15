# SPDX-License-Identifier: Apache-2.0
"""IP headers: what Scapy builds is read, extension headers are followed, and impossible lengths refused."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.ipsec import AH
from scapy.packet import Packet

from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ip import IpProtocol, Ipv4Packet, Ipv6Packet, ipv4_packet, ipv6_packet

V4 = {"src": "192.0.2.1", "dst": "198.51.100.7"}
V6 = {"src": "2001:db8::1", "dst": "2001:db8:1::7"}


@pytest.mark.parametrize("options", [[], [IPOption_Router_Alert()]], ids=["plain", "options"])
@pytest.mark.parametrize("padding", [b"", b"\0" * 18], ids=["exact", "padded"])
def test_an_ipv4_packet_is_read_without_its_padding(options: list[Packet], padding: bytes) -> None:
    octets = bytes(IP(**V4, ttl=1, options=options) / ICMP() / b"ping")
    packet = Ipv4Packet.parse(octets + padding)

    assert (packet.src, packet.dst) == (IPv4Address(V4["src"]), IPv4Address(V4["dst"]))
    assert (packet.protocol, packet.ttl, packet.fragment_offset) == (IpProtocol.ICMP, 1, 0)
    assert packet.octets == octets
    assert packet.payload == bytes(ICMP() / b"ping")


def test_a_later_ipv4_fragment_tells_its_offset() -> None:
    assert Ipv4Packet.parse(bytes(IP(**V4, frag=185) / b"rest")).fragment_offset == 185


@pytest.mark.parametrize(
    "extensions",
    [
        IPv6(**V6),
        IPv6(**V6) / IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\0" * 12)]),
        IPv6(**V6) / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting() / IPv6ExtHdrFragment(m=1),
        IPv6(**V6) / IPv6ExtHdrDestOpt() / AH(nh=58, payloadlen=4, spi=1, seq=1, icv=b"\0" * 12),
    ],
    ids=["none", "hop-by-hop", "many", "authentication"],
)
def test_ipv6_extension_headers_are_followed_to_the_message(extensions: Packet) -> None:
    octets = bytes(extensions / ICMPv6EchoRequest(data=b"ping"))
    packet = Ipv6Packet.parse(octets + b"padding")

    assert (packet.protocol, packet.fragment_offset) == (IpProtocol.ICMPV6, 0)
    assert packet.payload[:1] == b"\x80"
    assert packet.payload.endswith(b"ping")
    assert packet.octets == octets


def test_nothing_is_read_as_a_header_in_a_later_ipv6_fragment() -> None:
    octets = bytes(IPv6(**V6) / IPv6ExtHdrFragment(nh=IpProtocol.DESTINATION_OPTIONS, offset=2) / b"\x3a\0middle")
    packet = Ipv6Packet.parse(octets)

    assert (packet.protocol, packet.fragment_offset) == (IpProtocol.DESTINATION_OPTIONS, 2)
    assert packet.payload == b"\x3a\0middle"


IPV4_OCTETS = bytes(IP(**V4) / UDP() / b"data")
IPV6_OCTETS = bytes(IPv6(**V6) / IPv6ExtHdrHopByHop() / UDP() / b"data")


@pytest.mark.parametrize("length", range(len(IPV4_OCTETS)))
def test_an_ipv4_packet_cut_at_any_byte_is_refused(length: int) -> None:
    with pytest.raises(TruncatedError):
        Ipv4Packet.parse(IPV4_OCTETS[:length])


@pytest.mark.parametrize("length", range(len(IPV6_OCTETS)))
def test_an_ipv6_packet_cut_at_any_byte_is_refused(length: int) -> None:
    with pytest.raises(TruncatedError):
        Ipv6Packet.parse(IPV6_OCTETS[:length])


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (bytes(IP(**V4, version=6)), "version 6"),
        (bytes(IP(**V4, ihl=4)), "header of 16 bytes"),
        (bytes(IP(**V4, ihl=5, len=19)), "header of 20 bytes in a packet of 19"),
        (bytes(IP(**V4, ihl=15, len=20)), "header of 60 bytes in a packet of 20"),
    ],
)
def test_an_impossible_ipv4_header_is_refused(octets: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        Ipv4Packet.parse(octets)


def test_ipv4_under_the_name_of_ipv6_is_refused() -> None:
    with pytest.raises(DecodeError, match="version 4"):
        Ipv6Packet.parse(b"\x45" + b"\0" * 39)


@given(st.integers(0, 255), st.binary(max_size=40))
def test_extension_headers_of_any_octets_end_somewhere(next_header: int, payload: bytes) -> None:
    octets = ipv6_packet(IPv6Address(1), IPv6Address(2), next_header, payload, hop_limit=1, traffic_class=0)
    packet = Ipv6Packet.parse(octets)

    assert payload.endswith(packet.payload)


@given(st.binary(max_size=40))
def test_an_ipv4_packet_is_what_scapy_builds(payload: bytes) -> None:
    built = ipv4_packet(IPv4Address(V4["src"]), IPv4Address(V4["dst"]), 1, payload, ttl=64, traffic_class=0xC0)

    assert built == bytes(IP(**V4, proto=1, ttl=64, tos=0xC0, id=0, flags="DF") / payload)


@given(st.binary(max_size=40))
def test_an_ipv6_packet_is_what_scapy_builds(payload: bytes) -> None:
    built = ipv6_packet(IPv6Address(V6["src"]), IPv6Address(V6["dst"]), 58, payload, hop_limit=64, traffic_class=0xC0)

    assert built == bytes(IPv6(**V6, nh=58, hlim=64, tc=0xC0) / payload)
