# SPDX-License-Identifier: Apache-2.0
"""ICMP errors: when none may be sent, and that those sent are what Scapy would build."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import pytest
from finsy import MACAddress
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoRequest,
    ICMPv6ND_Redirect,
    ICMPv6PacketTooBig,
    ICMPv6TimeExceeded,
    IPv6,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
)
from scapy.packet import Packet

from headgate.protocols.icmp import IcmpError, Refusal, Subject, error_packet, refusal
from headgate.protocols.ip import Ipv4Packet, Ipv6Packet

ROUTER_MAC = MACAddress("02:00:00:00:00:01")
ROUTER_V4 = IPv4Address("10.0.0.1")
ROUTER_V6 = IPv6Address("2001:db8::1")
SUBNET_BROADCAST = IPv4Address("10.0.0.255")
V4 = {"src": "10.0.0.9", "dst": "192.0.2.7"}
V6 = {"src": "2001:db8::9", "dst": "2001:db8:7::7"}


@dataclass(frozen=True)
class Case:
    packet: Packet
    expected: Refusal | None
    error: IcmpError = IcmpError.TIME_EXCEEDED
    dst_mac: MACAddress = ROUTER_MAC


def icmpv4(message_type: int) -> Packet:
    return IP(**V4) / ICMP(type=message_type)


CASES = {
    # RFC 1122 3.2.2, RFC 1812 4.3.2.7
    "UDP": Case(IP(**V4) / UDP(), None),
    "first fragment": Case(IP(**V4, flags="MF") / UDP(), None),
    "later fragment": Case(IP(**V4, frag=1) / b"rest", Refusal.LATER_FRAGMENT),
    "echo request": Case(icmpv4(8), None),
    "echo reply": Case(icmpv4(0), None),
    "timestamp": Case(icmpv4(13), None),
    "destination unreachable": Case(icmpv4(3), Refusal.ICMP_ERROR),
    "source quench": Case(icmpv4(4), Refusal.ICMP_ERROR),
    "redirect": Case(icmpv4(5), Refusal.ICMP_ERROR),
    "time exceeded": Case(icmpv4(11), Refusal.ICMP_ERROR),
    "parameter problem": Case(icmpv4(12), Refusal.ICMP_ERROR),
    "ICMP without a type": Case(IP(**V4, proto=1), Refusal.ICMP_ERROR),
    "link broadcast": Case(IP(**V4) / UDP(), Refusal.LINK_GROUP_DESTINATION, dst_mac=MACAddress("ff:ff:ff:ff:ff:ff")),
    "link multicast": Case(IP(**V4) / UDP(), Refusal.LINK_GROUP_DESTINATION, dst_mac=MACAddress("01:00:5e:00:00:05")),
    "to multicast": Case(IP(src="10.0.0.9", dst="224.0.0.5") / UDP(), Refusal.GROUP_DESTINATION),
    "to limited broadcast": Case(IP(src="10.0.0.9", dst="255.255.255.255") / UDP(), Refusal.GROUP_DESTINATION),
    "to subnet broadcast": Case(IP(src="10.0.0.9", dst="10.0.0.255") / UDP(), Refusal.GROUP_DESTINATION),
    "from zero": Case(IP(src="0.0.0.0", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from net zero": Case(IP(src="0.1.2.3", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from loopback": Case(IP(src="127.0.0.1", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from multicast": Case(IP(src="224.0.0.1", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from class E": Case(IP(src="240.0.0.1", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from broadcast": Case(IP(src="255.255.255.255", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "from subnet broadcast": Case(IP(src="10.0.0.255", dst="192.0.2.7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    # RFC 4443 2.4(e)
    "v6 UDP": Case(IPv6(**V6) / UDP(), None),
    "v6 echo request": Case(IPv6(**V6) / ICMPv6EchoRequest(), None),
    "v6 error": Case(IPv6(**V6) / ICMPv6DestUnreach(), Refusal.ICMP_ERROR),
    "v6 error behind an extension": Case(IPv6(**V6) / IPv6ExtHdrHopByHop() / ICMPv6TimeExceeded(), Refusal.ICMP_ERROR),
    "v6 redirect": Case(IPv6(**V6) / ICMPv6ND_Redirect(), Refusal.ICMP_ERROR),
    "v6 ICMP without a type": Case(IPv6(**V6, nh=58), Refusal.ICMP_ERROR),
    "v6 later fragment": Case(IPv6(**V6) / IPv6ExtHdrFragment(nh=17, offset=1) / b"rest", None),
    "v6 later fragment of ICMPv6": Case(
        IPv6(**V6) / IPv6ExtHdrFragment(nh=58, offset=1) / b"\x80rest", Refusal.LATER_FRAGMENT
    ),
    "v6 link multicast": Case(
        IPv6(**V6) / UDP(), Refusal.LINK_GROUP_DESTINATION, dst_mac=MACAddress("33:33:00:00:00:01")
    ),
    "v6 to multicast": Case(IPv6(src="2001:db8::9", dst="ff0e::1") / UDP(), Refusal.GROUP_DESTINATION),
    "v6 too big to multicast": Case(
        IPv6(src="2001:db8::9", dst="ff0e::1") / UDP(),
        None,
        error=IcmpError.PACKET_TOO_BIG,
        dst_mac=MACAddress("33:33:00:00:00:01"),
    ),
    "v6 too big about an error": Case(
        IPv6(**V6) / ICMPv6PacketTooBig(), Refusal.ICMP_ERROR, error=IcmpError.PACKET_TOO_BIG
    ),
    "v6 from unspecified": Case(IPv6(src="::", dst="2001:db8:7::7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
    "v6 from multicast": Case(IPv6(src="ff02::1", dst="2001:db8:7::7") / UDP(), Refusal.SOURCE_NOT_A_HOST),
}


def parse(packet: Packet) -> Ipv4Packet | Ipv6Packet:
    return Ipv4Packet.parse(bytes(packet)) if isinstance(packet, IP) else Ipv6Packet.parse(bytes(packet))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_error_is_sent_only_where_the_rfcs_allow_it(case: Case) -> None:
    subject = Subject(parse(case.packet), case.dst_mac)

    assert refusal(subject, case.error, frozenset({SUBNET_BROADCAST})) is case.expected


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("error", IcmpError)
def test_no_error_is_ever_answered_with_an_error(case: Case, error: IcmpError) -> None:
    subject = parse(case.packet)
    answer = error_packet(subject, error, ROUTER_V4 if isinstance(subject, Ipv4Packet) else ROUTER_V6)
    family = type(subject)

    assert refusal(Subject(family.parse(answer), ROUTER_MAC), IcmpError.NO_ROUTE) is not None


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (IcmpError.TIME_EXCEEDED, ICMP(type=11, code=0)),
        (IcmpError.PACKET_TOO_BIG, ICMP(type=3, code=4, nexthopmtu=1400)),
        (IcmpError.NO_ROUTE, ICMP(type=3, code=0)),
        (IcmpError.NEIGHBOR_UNREACHABLE, ICMP(type=3, code=1)),
    ],
    ids=lambda value: value.name if isinstance(value, IcmpError) else "",
)
def test_an_icmp_error_is_what_scapy_builds(error: IcmpError, message: Packet) -> None:
    subject = IP(**V4, ttl=1) / UDP(sport=1, dport=2) / b"data"
    mtu_bytes = 1400 if error is IcmpError.PACKET_TOO_BIG else 0
    answer = error_packet(parse(subject), error, ROUTER_V4, mtu_bytes=mtu_bytes)

    header = IP(src=str(ROUTER_V4), dst=V4["src"], ttl=64, tos=0xC0, id=0, flags="DF")
    assert answer == bytes(header / message / bytes(subject))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (IcmpError.TIME_EXCEEDED, ICMPv6TimeExceeded(code=0)),
        (IcmpError.PACKET_TOO_BIG, ICMPv6PacketTooBig(mtu=1400)),
        (IcmpError.NO_ROUTE, ICMPv6DestUnreach(code=0)),
        (IcmpError.NEIGHBOR_UNREACHABLE, ICMPv6DestUnreach(code=3)),
    ],
    ids=lambda value: value.name if isinstance(value, IcmpError) else "",
)
def test_an_icmpv6_error_is_what_scapy_builds(error: IcmpError, message: Packet) -> None:
    subject = IPv6(**V6, hlim=1) / TCP(sport=1, dport=2) / b"data"
    mtu_bytes = 1400 if error is IcmpError.PACKET_TOO_BIG else 0
    answer = error_packet(parse(subject), error, ROUTER_V6, mtu_bytes=mtu_bytes)

    header = IPv6(src=str(ROUTER_V6), dst=V6["src"], hlim=64, tc=0xC0)
    assert answer == bytes(header / message / bytes(subject))


@given(st.integers(0, 1460))
def test_as_much_is_quoted_as_there_is_room_for(data_bytes: int) -> None:
    v4 = parse(IP(**V4) / UDP() / (b"x" * data_bytes))
    v6 = parse(IPv6(**V6) / UDP() / (b"x" * data_bytes))

    assert len(error_packet(v4, IcmpError.NO_ROUTE, ROUTER_V4)) == min(28 + len(v4.octets), 576)
    assert len(error_packet(v6, IcmpError.NO_ROUTE, ROUTER_V6)) == min(48 + len(v6.octets), 1280)


def test_the_source_must_be_of_the_packets_family() -> None:
    with pytest.raises(TypeError, match="2001:db8::1 can't be the source"):
        error_packet(parse(IP(**V4) / UDP()), IcmpError.NO_ROUTE, ROUTER_V6)
