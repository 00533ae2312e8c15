# SPDX-License-Identifier: Apache-2.0
"""A finished frame is what a NIC would have sent; Scapy, which computes the same from scratch, is the judge."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from softnic.ports.offload import (
    NOTHING_LEFT,
    VNET_HEADER,
    Offload,
    OffloadError,
    finish,
    insert_vlan_tag,
    internet_checksum,
)

NEEDS_CHECKSUM = 1
TCPV4, UFO, TCPV6, UDP_L4 = 1, 3, 4, 5
ETHERNET = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IPV4 = IP(src="10.0.0.1", dst="10.0.0.2", id=0xFFFE)
IPV6 = IPv6(src="2001:db8::1", dst="2001:db8::2")


def rebuilt(packet) -> bytes:
    """The packet with every length and checksum computed by Scapy."""
    for layer in (IP, IPv6, TCP, UDP):
        if layer in packet:
            for field in {"len", "plen", "chksum"} & set(packet[layer].fields):
                delattr(packet[layer], field)
    return bytes(packet)


def half_checksummed(packet, layer) -> tuple[bytes, Offload]:
    """The packet as Linux hands it over: the checksum field holds the folded sum of the pseudo-header only."""
    frame = bytearray(bytes(packet))
    start = len(frame) - len(packet[layer])
    offset = 16 if layer is TCP else 6
    length = len(frame) - start
    addresses = frame[start - 8 : start] if IP in packet else frame[start - 32 : start]
    pseudo_header = bytes(addresses) + struct.pack("!II", length, 6 if layer is TCP else 17)
    frame[start + offset : start + offset + 2] = (0xFFFF - internet_checksum(pseudo_header)).to_bytes(2)
    return bytes(frame), Offload(checksum_start=start, checksum_offset=offset)


@pytest.mark.parametrize("network", [IPV4, IPV6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("transport", [TCP(sport=1, dport=2), UDP(sport=1, dport=2)], ids=["tcp", "udp"])
@given(payload=st.binary(max_size=80))
def test_a_half_done_checksum_is_completed(network, transport, payload):
    packet = Ether(bytes(ETHERNET / network / transport / payload))
    frame, offload = half_checksummed(packet, type(transport))
    assert list(finish(frame, offload)) == [rebuilt(packet)]


def test_a_udp_checksum_that_comes_to_zero_is_sent_as_all_ones():
    packet = ETHERNET / IPV4 / UDP(sport=1, dport=2)
    missing = UDP(rebuilt(packet)[-8:]).chksum
    packet = Ether(bytes(packet / missing.to_bytes(2)))
    frame, offload = half_checksummed(packet, UDP)
    # Two more payload bytes change the length, in two places: make up for it in the payload.
    frame = frame[:-2] + (missing - 4).to_bytes(2)
    (finished,) = finish(frame, offload)
    assert Ether(finished)[UDP].chksum == 0xFFFF


@pytest.mark.parametrize("network", [IPV4, IPV6], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("tags", [[], [Dot1Q(vlan=5)], [Dot1Q(vlan=5), Dot1Q(vlan=6)]], ids=["0tags", "1tag", "2tags"])
@given(payload=st.binary(min_size=1, max_size=500), segment_bytes=st.integers(1, 200))
def test_a_large_tcp_frame_is_cut_into_segments_that_carry_its_payload(network, tags, payload, segment_bytes):
    packet = ETHERNET
    for tag in tags:
        packet = packet / tag
    tcp = TCP(sport=1, dport=2, seq=0xFFFFFFF0, flags="FPAC", options=[("NOP", None)] * 4)
    packet = Ether(bytes(packet / network / tcp / payload))
    frame = bytes(packet)
    offload = Offload(len(frame) - len(packet[TCP]), 16, segment_bytes)

    segments = [Ether(segment) for segment in finish(frame, offload)]

    assert b"".join(bytes(segment[TCP].payload) for segment in segments) == payload
    assert all(len(segment[TCP].payload) == segment_bytes for segment in segments[:-1])
    assert [bytes(segment) for segment in segments] == [rebuilt(segment.copy()) for segment in segments]
    starts = [(0xFFFFFFF0 + index * segment_bytes) % 2**32 for index in range(len(segments))]
    assert [segment[TCP].seq for segment in segments] == starts
    assert [("F" in segment[TCP].flags, "P" in segment[TCP].flags) for segment in segments] == [
        (index == len(segments) - 1,) * 2 for index in range(len(segments))
    ]
    assert ["C" in segment[TCP].flags for segment in segments] == [index == 0 for index in range(len(segments))]
    if network is IPV4:
        assert [segment[IP].id for segment in segments] == [(0xFFFE + index) % 2**16 for index in range(len(segments))]


@pytest.mark.parametrize("network", [IPV4, IPV6], ids=["ipv4", "ipv6"])
@given(payload=st.binary(min_size=1, max_size=500), segment_bytes=st.integers(1, 200))
def test_a_large_udp_frame_is_cut_into_datagrams_that_carry_its_payload(network, payload, segment_bytes):
    packet = Ether(bytes(ETHERNET / network / UDP(sport=1, dport=2) / payload))
    frame = bytes(packet)
    header = VNET_HEADER.pack(NEEDS_CHECKSUM, UDP_L4, 0, segment_bytes, len(frame) - len(packet[UDP]), 6)

    datagrams = [Ether(datagram) for datagram in finish(frame, Offload.decode(header))]

    assert b"".join(bytes(datagram[UDP].payload) for datagram in datagrams) == payload
    assert all(len(datagram[UDP].payload) == segment_bytes for datagram in datagrams[:-1])
    assert [bytes(datagram) for datagram in datagrams] == [rebuilt(datagram.copy()) for datagram in datagrams]


def test_a_frame_that_needs_nothing_is_left_alone():
    frame = bytes(ETHERNET / IPV4)
    assert list(finish(frame, Offload.decode(NOTHING_LEFT))) == [frame]


@pytest.mark.parametrize(
    "packet",
    [
        ETHERNET / IPV4 / UDP(dport=4789) / bytes(8) / ETHERNET / IPV4 / TCP() / bytes(100),
        ETHERNET / IPV4 / IPV6 / TCP() / bytes(100),
    ],
    ids=["vxlan", "6in4"],
)
def test_segmentation_within_a_tunnel_is_refused(packet):
    frame = bytes(packet)
    with pytest.raises(OffloadError):
        list(finish(frame, Offload(len(frame) - 120, 16, 50)))


@given(frame=st.binary(max_size=120), start=st.none() | st.integers(0, 200), segment_bytes=st.integers(0, 60))
def test_any_frame_with_any_header_is_finished_or_refused(frame, start, segment_bytes):
    finished = []
    with contextlib.suppress(OffloadError):
        finished += finish(frame, Offload(start, 16, segment_bytes))
    assert all(len(each) <= len(frame) for each in finished)


def test_the_virtio_header_is_understood():
    header = VNET_HEADER.pack(NEEDS_CHECKSUM, TCPV6 | 0x80, 54, 1440, 54, 16)
    assert Offload.decode(header) == Offload(54, 16, 1440)


def test_udp_fragmentation_offload_is_refused():
    with pytest.raises(OffloadError, match="type 3"):
        Offload.decode(VNET_HEADER.pack(0, UFO, 0, 1440, 34, 6))


def test_a_tag_is_put_back_behind_the_addresses():
    frame = bytes(ETHERNET / IPV4)
    tagged = Ether(insert_vlan_tag(frame, 0x88A8, (3 << 13) | 100))
    tag = tagged.payload
    assert (tagged.type, tag.vlan, tag.prio, tag.type) == (0x88A8, 100, 3, 0x0800)
