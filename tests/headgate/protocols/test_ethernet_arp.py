# SPDX-License-Identifier: Apache-2.0
"""Frames and ARP: the same octets as Scapy's, there and back, and nothing read beyond the end."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from finsy import MACAddress
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether

from headgate.protocols import arp
from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ethernet import EtherType, Frame, VlanTag

MAC_A = MACAddress("02:00:00:00:00:0a")
MAC_B = MACAddress("02:00:00:00:00:0b")

macs = st.integers(0, 2**48 - 1).map(MACAddress)
ipv4_addresses = st.integers(0, 2**32 - 1).map(IPv4Address)
tags = st.builds(VlanTag, st.sampled_from((EtherType.VLAN, EtherType.QINQ)), st.integers(0, 0xFFFF))
frames = st.builds(
    Frame,
    macs,
    macs,
    st.integers(0, 0xFFFF).filter(lambda value: value not in (EtherType.VLAN, EtherType.QINQ)),
    st.binary(max_size=64),
    st.lists(tags, max_size=3).map(tuple),
)
arp_packets = st.builds(arp.ArpPacket, st.integers(0, 0xFFFF), macs, ipv4_addresses, macs, ipv4_addresses)


@given(frames)
def test_a_frame_survives_the_wire(frame: Frame) -> None:
    assert Frame.parse(frame.pack()) == frame


@given(arp_packets, st.binary(max_size=18))
def test_an_arp_packet_survives_the_wire_and_padding(packet: arp.ArpPacket, padding: bytes) -> None:
    assert arp.ArpPacket.parse(packet.pack() + padding) == packet


def test_a_doubly_tagged_frame_is_what_scapy_builds() -> None:
    scapy = Ether(dst=str(MAC_A), src=str(MAC_B)) / Dot1AD(vlan=100, prio=3) / Dot1Q(vlan=7, dei=1) / b"payload"
    scapy[Dot1Q].type = 0x88B5
    frame = Frame.parse(bytes(scapy))

    assert [tag.vlan_id for tag in frame.tags] == [100, 7]
    assert frame == Frame(
        MAC_A, MAC_B, 0x88B5, b"payload", (VlanTag(EtherType.QINQ, 3 << 13 | 100), VlanTag(EtherType.VLAN, 1 << 12 | 7))
    )


@pytest.mark.parametrize(
    ("to", "dst_mac"), [(None, "ff:ff:ff:ff:ff:ff"), (MAC_B, str(MAC_B))], ids=["everybody", "one station"]
)
def test_a_request_is_what_scapy_builds(to: MACAddress | None, dst_mac: str) -> None:
    frame = arp.request(MAC_A, IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"), to)

    assert frame.pack() == bytes(
        Ether(dst=dst_mac, src=str(MAC_A))
        / ARP(op="who-has", hwsrc=str(MAC_A), psrc="10.0.0.1", hwdst="00:00:00:00:00:00", pdst="10.0.0.2")
    )


def test_a_reply_that_scapy_builds_is_read() -> None:
    reply = ARP(op="is-at", hwsrc=str(MAC_B), psrc="10.0.0.2", hwdst=str(MAC_A), pdst="10.0.0.1")

    assert arp.ArpPacket.parse(bytes(reply)) == arp.ArpPacket(
        arp.ArpOperation.REPLY, MAC_B, IPv4Address("10.0.0.2"), MAC_A, IPv4Address("10.0.0.1")
    )


@pytest.mark.parametrize("length", range(28))
def test_an_arp_packet_cut_short_is_refused(length: int) -> None:
    packet = arp.ArpPacket(arp.ArpOperation.REPLY, MAC_B, IPv4Address(1), MAC_A, IPv4Address(2)).pack()

    with pytest.raises(TruncatedError, match=f"ARP: {length} bytes where 28 are needed"):
        arp.ArpPacket.parse(packet[:length])


@pytest.mark.parametrize("length", [*range(14), 14, 17, 18, 21])
def test_a_frame_cut_within_its_header_or_tags_is_refused(length: int) -> None:
    frame = bytes(Ether() / Dot1AD(vlan=1) / Dot1Q(vlan=2) / b"payload")

    with pytest.raises(TruncatedError):
        Frame.parse(frame[:length])


@pytest.mark.parametrize("field", [{"hwtype": 6}, {"ptype": 0x86DD}, {"hwlen": 8}, {"plen": 16}], ids=str)
def test_arp_for_anything_but_ipv4_over_ethernet_is_refused(field: dict[str, int]) -> None:
    octets = bytearray(bytes(ARP()))
    position = {"hwtype": (0, 2), "ptype": (2, 2), "hwlen": (4, 1), "plen": (5, 1)}
    ((name, value),) = field.items()
    start, width = position[name]
    octets[start : start + width] = value.to_bytes(width, "big")

    with pytest.raises(DecodeError, match="not IPv4 over Ethernet"):
        arp.ArpPacket.parse(bytes(octets))
