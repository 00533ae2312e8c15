# SPDX-License-Identifier: Apache-2.0
"""Neighbor discovery: the same octets as Scapy's, and the checks of RFC 4861 7.1."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from finsy import MACAddress
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptMTU,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from headgate.protocols import nd
from headgate.protocols.checksum import internet_checksum, ipv6_pseudo_header
from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ip import IpProtocol, Ipv6Packet, ipv6_packet
from headgate.protocols.nd import NeighborAdvertisement, NeighborSolicitation

MAC_A = MACAddress("02:00:00:00:00:0a")
MAC_B = MACAddress("02:00:00:00:00:0b")
A = IPv6Address("2001:db8::a")
B = IPv6Address("2001:db8::1234:5678")
GROUP_OF_B = IPv6Address("ff02::1:ff34:5678")

macs = st.integers(0, 2**48 - 1).map(MACAddress)
unicast = st.integers(1, 2**127).map(IPv6Address)


def packet_of(message: bytes, src: IPv6Address = B, dst: IPv6Address = A, hop_limit: int = 255) -> Ipv6Packet:
    return Ipv6Packet.parse(ipv6_packet(src, dst, IpProtocol.ICMPV6, message, hop_limit=hop_limit, traffic_class=0))


def scapy_packet(message: Packet, **ipv6: object) -> Ipv6Packet:
    return Ipv6Packet.parse(bytes(IPv6(**{"src": str(B), "dst": str(A), "hlim": 255} | ipv6) / message))


@given(unicast, st.none() | macs)
def test_a_solicitation_survives_the_wire(target: IPv6Address, source_mac: MACAddress | None) -> None:
    message = NeighborSolicitation(target, source_mac)
    assert NeighborSolicitation.parse(packet_of(message.pack(B, A))) == message


@given(unicast, st.none() | macs, st.booleans(), st.booleans(), st.booleans())
def test_an_advertisement_survives_the_wire(
    target: IPv6Address, target_mac: MACAddress | None, router: bool, solicited: bool, override: bool
) -> None:
    message = NeighborAdvertisement(target, target_mac, router, solicited, override)
    assert NeighborAdvertisement.parse(packet_of(message.pack(B, A))) == message


def test_a_neighbor_is_asked_for_by_its_solicited_node_group() -> None:
    assert nd.solicitation(MAC_A, A, B, to=None).pack() == bytes(
        Ether(src=str(MAC_A), dst="33:33:ff:34:56:78")
        / IPv6(src=str(A), dst=str(GROUP_OF_B), hlim=255)
        / ICMPv6ND_NS(tgt=str(B))
        / ICMPv6NDOptSrcLLAddr(lladdr=str(MAC_A))
    )


def test_a_known_neighbor_is_probed_by_unicast() -> None:
    assert nd.solicitation(MAC_A, A, B, to=MAC_B).pack() == bytes(
        Ether(src=str(MAC_A), dst=str(MAC_B))
        / IPv6(src=str(A), dst=str(B), hlim=255)
        / ICMPv6ND_NS(tgt=str(B))
        / ICMPv6NDOptSrcLLAddr(lladdr=str(MAC_A))
    )


@pytest.mark.parametrize(("router", "solicited", "override"), [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)])
def test_an_advertisement_is_what_scapy_builds(router: int, solicited: int, override: int) -> None:
    scapy = ICMPv6ND_NA(tgt=str(B), R=router, S=solicited, O=override) / ICMPv6NDOptDstLLAddr(lladdr=str(MAC_B))
    message = NeighborAdvertisement(B, MAC_B, bool(router), bool(solicited), bool(override))

    assert NeighborAdvertisement.parse(scapy_packet(scapy)) == message
    assert packet_of(message.pack(B, A)).octets == scapy_packet(scapy).octets


def test_options_of_other_types_are_passed_over() -> None:
    message = ICMPv6ND_NA(tgt=str(B)) / ICMPv6NDOptMTU() / ICMPv6NDOptDstLLAddr(lladdr=str(MAC_B))
    assert NeighborAdvertisement.parse(scapy_packet(message)).target_mac == MAC_B


def with_wrong_checksum() -> Ipv6Packet:
    return scapy_packet(ICMPv6ND_NA(tgt=str(B), cksum=0xBAD))


INVALID = {
    "hop limit": (scapy_packet(ICMPv6ND_NA(tgt=str(B)), hlim=254), "crossed a router"),
    "checksum": (with_wrong_checksum(), "wrong checksum"),
    "code": (scapy_packet(ICMPv6ND_NA(tgt=str(B), code=1)), "code 1 where"),
    "type": (scapy_packet(ICMPv6EchoRequest(data=b"\0" * 16)), "type 128 code 0 where"),
    "multicast target": (scapy_packet(ICMPv6ND_NA(tgt="ff02::1")), "target ff02::1 is multicast"),
    "solicited to a group": (scapy_packet(ICMPv6ND_NA(tgt=str(B), S=1), dst="ff02::1"), "to a multicast address"),
    "option of length zero": (
        scapy_packet(ICMPv6ND_NA(tgt=str(B)) / ICMPv6NDOptDstLLAddr(len=0)),
        "option of length zero",
    ),
    "option beyond the end": (scapy_packet(ICMPv6ND_NA(tgt=str(B)) / ICMPv6NDOptDstLLAddr(len=2)), "ND option"),
    "UDP": (scapy_packet(ICMPv6ND_NA(tgt=str(B)), nh=17), "not ICMPv6"),
}


@pytest.mark.parametrize(("packet", "reason"), INVALID.values(), ids=INVALID.keys())
def test_an_advertisement_that_a_node_must_discard_is_refused(packet: Ipv6Packet, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        NeighborAdvertisement.parse(packet)


@pytest.mark.parametrize(
    ("dst", "source_mac", "valid"),
    [(GROUP_OF_B, None, True), (GROUP_OF_B, MAC_A, False), (B, None, False)],
    ids=["to the group", "with a source MAC", "to a node"],
)
def test_a_solicitation_from_nobody_is_for_duplicate_address_detection_only(
    dst: IPv6Address, source_mac: MACAddress | None, valid: bool
) -> None:
    nobody = IPv6Address("::")
    packet = packet_of(NeighborSolicitation(B, source_mac).pack(nobody, dst), src=nobody, dst=dst)

    if valid:
        assert NeighborSolicitation.parse(packet).target == B
    else:
        with pytest.raises(DecodeError, match="duplicate address detection"):
            NeighborSolicitation.parse(packet)


@pytest.mark.parametrize("length", [*range(24), *range(25, 32)])
def test_an_advertisement_cut_at_any_byte_is_refused(length: int) -> None:
    whole = NeighborAdvertisement(B, MAC_B, router=False, solicited=True, override=True).pack(B, A)
    cut = bytearray(whole[:length])
    if length >= 4:  # its checksum made right again: it is the length that must be seen
        cut[2:4] = b"\0\0"
        pseudo_header = ipv6_pseudo_header(B, A, IpProtocol.ICMPV6, length)
        cut[2:4] = internet_checksum(pseudo_header + bytes(cut)).to_bytes(2, "big")

    with pytest.raises(TruncatedError):
        NeighborAdvertisement.parse(packet_of(bytes(cut)))
