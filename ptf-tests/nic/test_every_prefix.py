# SPDX-License-Identifier: Apache-2.0
"""Every prefix of every kind of frame, by every way in: no byte is believed to be there that is not.

- A frame that ends within a header is too short.
- One that ends within the packet, by the packet's own word of its length, is refused for that.
- One that has lost only padding passes, as short as it came; also when it is routed.
- What the controller sends out of a port is not looked at: it leaves as it is.

Whichever way it ends it ends once, and the device goes on: each exchange proves the accounting law and ends with a
sentinel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6EchoRequest,
    ICMPv6ND_NA,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    PadN,
)
from scapy.layers.l2 import ARP
from scapy.packet import Packet

from harness.dut import Dut, PacketOut, Sent
from harness.frames import C_TAG, IPV4, IPV6, S_TAG, ether, probe, routed, tagged, untagged
from harness.nic import nic_test
from harness.nic.host import rx_desc, tx_desc
from harness.nic.ports import HOST, LAN, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_MAC,
    C_MAC,
    HOST_MAC,
    HOST_RING,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    ROUTER_MAC,
    STRANGER_MAC,
    VLAN_C_TAG,
    VLAN_S_TAG,
    VLAN_UNTAGGED,
    WIRE_S_TAG,
    rack_with_router,
)
from headgate.vocabulary import DropReason, PacketOutMode, RingType

PADDING = b"\x5a" * 5
EXPERIMENTAL_ETHER_TYPE = 0x88B5  # IEEE 802, local experimental
TENANT_VLAN_ID = 77
SCTP, NO_NEXT_HEADER = 132, 59

ETHERNET_BYTES, TAG_BYTES, TX_DESC_BYTES = 14, 4, 6
ARP_BYTES, IPV4_BYTES, IPV6_BYTES, EXTENSION_BYTES = 28, 20, 40, 8
TCP_BYTES, UDP_BYTES, ICMP_BYTES = 20, 8, 4


# ---- what is sent


@dataclass(frozen=True, slots=True)
class Sample:
    """A kind of frame, between any two MAC addresses."""

    layers: tuple[Packet, ...]
    headers: int
    """How much the parser asks for, from the Ethernet header on, bytes."""
    incomplete: DropReason | None = None
    """Why a frame is refused that has all headers, but not all of what they announce; None: they announce nothing."""
    ether_type: int | None = None
    needs_stack: bool = False
    """It has options, for a router's own stack to look at."""

    def whole(self, eth: tuple[str, str]) -> bytes:
        """The frame up to its padding."""
        return ether(*eth, *self.layers, probe(), ether_type=self.ether_type)


def ipv4(*layers: Packet, headers: int, needs_stack: bool = False, **fields: object) -> Sample:
    """`headers`: bytes behind the fixed header, options included."""
    packet = IP(src=IPV4.outside, dst=A_IP[IPV4], **fields)
    announced = DropReason.IPV4_TOTAL_LENGTH
    return Sample((packet, *layers), ETHERNET_BYTES + IPV4_BYTES + headers, announced, needs_stack=needs_stack)


def ipv6(*layers: Packet, headers: int, needs_stack: bool = False, **fields: object) -> Sample:
    """`headers`: bytes behind the fixed header, extension headers included."""
    packet = IPv6(src=IPV6.outside, dst=A_IP[IPV6], **fields)
    announced = DropReason.IPV6_PAYLOAD_LENGTH
    return Sample((packet, *layers), ETHERNET_BYTES + IPV6_BYTES + headers, announced, needs_stack=needs_stack)


UDP_HEADER = UDP(sport=4000, dport=5000)
FRAGMENTED_UDP_HEADER = UDP(sport=4000, dport=5000, len=2000)
TCP_HEADER = TCP(sport=4000, dport=80)
PAD = PadN(optdata=b"\0" * 4)
LOOSE_ROUTE = b"\x83\x27\x04" + b"\x0a\0\0\x63" * 9 + b"\0"  # RFC 791 3.1: 40 bytes of options, the most there can be

SAMPLES = {
    "unknown_ether_type": Sample((), ETHERNET_BYTES, ether_type=EXPERIMENTAL_ETHER_TYPE),
    "arp": Sample((ARP(psrc=IPV4.outside, pdst=A_IP[IPV4]),), ETHERNET_BYTES + ARP_BYTES),
    "arp_of_other_hardware": Sample((ARP(hwtype=6),), ETHERNET_BYTES + 6),  # the parser asks for what tells it so
    "ipv4_udp": ipv4(UDP_HEADER, headers=UDP_BYTES),
    "ipv4_tcp": ipv4(TCP_HEADER, headers=TCP_BYTES),
    "ipv4_tcp_options": ipv4(TCP(options=[("MSS", 1460), ("NOP", None), ("WScale", 7)]), headers=TCP_BYTES),
    "ipv4_icmp": ipv4(ICMP(), headers=ICMP_BYTES),
    "ipv4_unknown_transport": ipv4(headers=0, proto=SCTP),
    "ipv4_options": ipv4(UDP_HEADER, headers=40 + UDP_BYTES, options=LOOSE_ROUTE, needs_stack=True),
    "ipv4_first_fragment": ipv4(FRAGMENTED_UDP_HEADER, headers=UDP_BYTES, flags="MF"),
    "ipv4_later_fragment": ipv4(headers=0, proto=17, frag=100),
    "ipv6_udp": ipv6(UDP_HEADER, headers=UDP_BYTES),
    "ipv6_tcp": ipv6(TCP_HEADER, headers=TCP_BYTES),
    "ipv6_icmpv6": ipv6(ICMPv6EchoRequest(), headers=ICMP_BYTES),
    "ipv6_neighbor_advertisement": ipv6(ICMPv6ND_NA(tgt=IPV6.outside), headers=ICMP_BYTES, hlim=255),
    "ipv6_no_next_header": ipv6(headers=0, nh=NO_NEXT_HEADER),
    "ipv6_hop_by_hop": ipv6(
        IPv6ExtHdrHopByHop(options=[PAD]), UDP_HEADER, headers=EXTENSION_BYTES + UDP_BYTES, needs_stack=True
    ),
    "ipv6_destination": ipv6(IPv6ExtHdrDestOpt(options=[PAD]), UDP_HEADER, headers=EXTENSION_BYTES + UDP_BYTES),
    "ipv6_routing": ipv6(
        IPv6ExtHdrRouting(addresses=[IPV6.far], segleft=0), UDP_HEADER, headers=EXTENSION_BYTES + 16 + UDP_BYTES
    ),
    "ipv6_first_fragment": ipv6(
        IPv6ExtHdrFragment(m=1, nh=17), FRAGMENTED_UDP_HEADER, headers=EXTENSION_BYTES + UDP_BYTES
    ),
    "ipv6_later_fragment": ipv6(IPv6ExtHdrFragment(offset=100, nh=17), headers=EXTENSION_BYTES),
    "ipv6_every_extension": ipv6(
        IPv6ExtHdrHopByHop(options=[PAD]),
        IPv6ExtHdrDestOpt(options=[PAD]),
        IPv6ExtHdrRouting(addresses=[], segleft=0),
        IPv6ExtHdrFragment(m=1),
        IPv6ExtHdrDestOpt(options=[PAD]),
        TCP_HEADER,
        headers=5 * EXTENSION_BYTES + TCP_BYTES,
        needs_stack=True,
    ),
    # 32 units of 8 octets beyond the first: one more than the parser takes, so it reads no further than the length
    "ipv6_extension_too_long_to_parse": ipv6(
        IPv6ExtHdrDestOpt(options=[PadN(optdata=b"\0" * 255), PadN(optdata=b"\0")]), UDP_HEADER, headers=2
    ),
}


# ---- where it goes in


@dataclass(frozen=True, slots=True)
class Entrance:
    """A way in, and what a frame has become where it comes out."""

    eth: tuple[str, str]
    enter: Callable[[bytes], Sent]
    out_port: int
    dress: Callable[[bytes], bytes] = lambda frame: frame
    """A frame with what it carries on this way in."""
    dress_bytes: int = 0
    come_out: Callable[[bytes], bytes] = lambda dressed: dressed


def by_port(port: int) -> Callable[[bytes], Sent]:
    return lambda frame: (port, frame)


ENTRANCES = {
    "uplink": Entrance((OUTSIDE_MAC, A_MAC), by_port(WAN), VM_A),
    "uplink_tagged": Entrance(
        (OUTSIDE_MAC, C_MAC),
        by_port(WAN),
        VM_C,
        dress=lambda frame: tagged(frame, VLAN_C_TAG),
        dress_bytes=TAG_BYTES,
        come_out=untagged,
    ),
    "uplink_double_tagged": Entrance(
        (OUTSIDE_MAC, B_MAC),
        by_port(WAN),
        VM_B,
        dress=lambda frame: tagged(tagged(frame, TENANT_VLAN_ID, ether_type=C_TAG), WIRE_S_TAG, ether_type=S_TAG),
        dress_bytes=2 * TAG_BYTES,
        come_out=lambda dressed: tagged(untagged(dressed), VLAN_S_TAG),
    ),
    "uplink_to_the_host": Entrance(
        (OUTSIDE_MAC, STRANGER_MAC),
        by_port(WAN),
        HOST,
        come_out=lambda frame: rx_desc(frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.DEFAULT),
    ),
    "ring": Entrance((A_MAC, STRANGER_MAC), by_port(VM_A), WAN),
    "host": Entrance(
        (HOST_MAC, STRANGER_MAC),
        by_port(HOST),
        WAN,
        dress=lambda frame: tx_desc(frame, vnic_id=HOST_VNIC),
        dress_bytes=TX_DESC_BYTES,
        come_out=lambda dressed: dressed[TX_DESC_BYTES:],
    ),
    "packet_out": Entrance(
        (HOST_MAC, STRANGER_MAC),
        lambda frame: PacketOut(frame, PacketOutMode.TRANSMIT, {"vnic_id": HOST_VNIC, "vlan_id": VLAN_UNTAGGED}),
        WAN,
    ),
}
ROUTER = Entrance(
    (OUTSIDE_MAC, ROUTER_MAC), by_port(WAN), VM_A, come_out=lambda frame: routed(frame, ROUTER_MAC, A_MAC)
)


# ---- tests


def prefixes(frame: bytes, shortest: int, longest: int) -> Sequence[bytes]:
    """The longest first: what a device still had of one packet would make the next one whole."""
    return [frame[:length] for length in range(longest, shortest - 1, -1)]


def assert_only_whole_packets_pass(dut: Dut, entrance: Entrance, sample: Sample) -> None:
    whole = entrance.dress(sample.whole(entrance.eth))
    headers = entrance.dress_bytes + sample.headers
    least = headers if sample.incomplete is None else len(whole)

    sufficient = prefixes(whole + PADDING, least, len(whole + PADDING))
    observed = dut.exchange([*map(entrance.enter, sufficient)])
    observed.assert_out({entrance.out_port: [*map(entrance.come_out, sufficient)]})
    dut.foreign.clear()  # each was asked for, also those that are too short to carry a probe

    if sample.incomplete is not None:
        assert_refused(dut, entrance, prefixes(whole, headers, len(whole) - 1), sample.incomplete)
    assert_refused(dut, entrance, prefixes(whole, 1, headers - 1), DropReason.PARSE_TOO_SHORT)


def assert_refused(dut: Dut, entrance: Entrance, frames: Sequence[bytes], reason: DropReason) -> None:
    observed = dut.exchange([*map(entrance.enter, frames)])
    observed.assert_dropped(reason, len(frames))
    assert not observed.frames, f"something without a probe came out:\n{observed}"


@nic_test(RACK, entrance=ENTRANCES, sample=SAMPLES)
def test_prefix_passes_with_its_packet_whole_and_is_refused_otherwise(
    dut: Dut, entrance: Entrance, sample: Sample
) -> None:
    assert_only_whole_packets_pass(dut, entrance, sample)


@nic_test(
    rack_with_router("nic_on_receive"),
    sample={name: sample for name, sample in SAMPLES.items() if sample.incomplete and not sample.needs_stack},
)
def test_prefix_is_routed_with_its_packet_whole_and_is_refused_otherwise(dut: Dut, sample: Sample) -> None:
    assert_only_whole_packets_pass(dut, ROUTER, sample)


@nic_test(RACK, sample=SAMPLES)
def test_prefix_that_the_controller_sends_out_of_a_port_leaves_as_it_is(dut: Dut, sample: Sample) -> None:
    whole = sample.whole((HOST_MAC, STRANGER_MAC))
    sent = prefixes(whole, 1, len(whole))
    observed = dut.exchange([PacketOut(frame, PacketOutMode.SEND, {"port": LAN}) for frame in sent])
    observed.assert_out({LAN: sent})
