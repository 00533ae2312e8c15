# SPDX-License-Identifier: Apache-2.0
"""validation: nothing truncated, mis-sized or corrupt is passed on, nor anything from or to an impossible address.

- A header that ends early is too short; one that ends with the frame is not.
- Version, header length, total length, checksum, hop count and addresses are checked, each with a reason of its own.
- TCP and UDP lengths are checked against the IP header's word, except where a fragment can't fulfil them.
- What is merely unusual passes: padding, options, extension headers in and out of order, jumbo frames.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.packet import Packet, Raw

from harness.dut import Dut
from harness.frames import (
    BROADCAST,
    FAMILIES,
    IPV4,
    IPV6,
    Family,
    destination_options,
    ether,
    patched,
    probe,
    tagged,
    tcp,
    udp,
)
from harness.nic import nic_test
from harness.nic.host import rx_desc
from harness.nic.ports import HOST, VM_A, VM_B, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_IP,
    B_MAC,
    HOST_MAC,
    HOST_RING,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    VLAN_C_TAG,
)
from headgate.vocabulary import DropReason, RingType

ETH = (OUTSIDE_MAC, A_MAC)
IPV4_ADDRESSES = (IPV4.outside, A_IP[IPV4])
IPV6_ADDRESSES = (IPV6.outside, A_IP[IPV6])
L3 = 14  # where the IP header begins
IPV4_L4 = L3 + 20
IPV6_L4 = L3 + 40


def ipv4(*layers: Packet, **fields: object) -> bytes:
    return ether(*ETH, IP(**{"src": IPV4_ADDRESSES[0], "dst": IPV4_ADDRESSES[1], **fields}), *layers)


def ipv6(*layers: Packet, **fields: object) -> bytes:
    return ether(*ETH, IPv6(**{"src": IPV6_ADDRESSES[0], "dst": IPV6_ADDRESSES[1], **fields}), *layers)


def udp_probe(**fields: object) -> Packet:
    return UDP(sport=4000, dport=5000, **fields) / probe()


# ---- what is refused

BROKEN_IPV4: dict[str, tuple[Callable[[], bytes], DropReason]] = {
    "version_5": (lambda: ipv4(udp_probe(), version=5), DropReason.IPV4_VERSION),
    "version_0": (lambda: ipv4(udp_probe(), version=0), DropReason.IPV4_VERSION),
    "header_of_4_words": (lambda: ipv4(udp_probe(), ihl=4), DropReason.IPV4_HEADER_LENGTH),
    "header_of_0_words": (lambda: ipv4(udp_probe(), ihl=0), DropReason.IPV4_HEADER_LENGTH),
    "total_length_within_the_header": (lambda: ipv4(udp_probe(), len=19), DropReason.IPV4_TOTAL_LENGTH),
    "total_length_within_the_options": (
        lambda: ipv4(udp_probe(), options=[IPOption_NOP()] * 4, len=23),
        DropReason.IPV4_TOTAL_LENGTH,
    ),
    "total_length_beyond_the_frame": (lambda: ipv4(UDP(len=8) / probe(40), len=69), DropReason.IPV4_TOTAL_LENGTH),
    "checksum_off_by_one": (lambda: off_by_one_checksum(ipv4(udp_probe())), DropReason.IPV4_CHECKSUM),
    "checksum_over_options_wrong": (
        lambda: off_by_one_checksum(ipv4(udp_probe(), options=[IPOption_NOP()] * 40)),
        DropReason.IPV4_CHECKSUM,
    ),
    "checksum_zero": (lambda: ipv4(udp_probe(), chksum=0), DropReason.IPV4_CHECKSUM),
    "ttl_0": (lambda: ipv4(udp_probe(), ttl=0), DropReason.IPV4_TTL_ZERO),
    "tcp_offset_4": (lambda: ipv4(TCP(dataofs=4) / probe()), DropReason.TCP_HEADER_LENGTH),
    "tcp_header_beyond_the_packet": (lambda: ipv4(TCP(dataofs=15) / probe()), DropReason.TCP_HEADER_LENGTH),
    "tcp_in_the_padding": (lambda: ipv4(TCP() / probe(), len=39), DropReason.TCP_HEADER_LENGTH),
    "udp_length_7": (lambda: ipv4(udp_probe(len=7)), DropReason.UDP_LENGTH),
    "udp_length_0": (lambda: ipv4(udp_probe(len=0)), DropReason.UDP_LENGTH),
    "udp_length_beyond_the_packet": (lambda: ipv4(UDP(len=49) / probe(40)), DropReason.UDP_LENGTH),
    "tcp_offset_4_in_a_first_fragment": (
        lambda: ipv4(TCP(dataofs=4) / probe(), flags="MF"),
        DropReason.TCP_HEADER_LENGTH,
    ),
    "udp_length_7_in_a_first_fragment": (lambda: ipv4(udp_probe(len=7), flags="MF"), DropReason.UDP_LENGTH),
    "udp_in_the_padding": (lambda: ipv4(UDP(len=8) / probe(), len=27), DropReason.UDP_LENGTH),
}
BROKEN_IPV6: dict[str, tuple[Callable[[], bytes], DropReason]] = {
    "version_4": (lambda: ipv6(udp_probe(), version=4), DropReason.IPV6_VERSION),
    "payload_length_beyond_the_frame": (lambda: ipv6(UDP(len=8) / probe(40), plen=49), DropReason.IPV6_PAYLOAD_LENGTH),
    "extension_headers_beyond_the_payload": (
        lambda: ipv6(IPv6ExtHdrDestOpt(), udp_probe(), plen=7),
        DropReason.IPV6_PAYLOAD_LENGTH,
    ),
    "jumbogram": (lambda: ipv6(IPv6ExtHdrHopByHop(), udp_probe(), plen=0), DropReason.IPV6_PAYLOAD_LENGTH),
    "hop_limit_0": (lambda: ipv6(udp_probe(), hlim=0), DropReason.IPV6_HOP_LIMIT_ZERO),
    "tcp_offset_0": (lambda: ipv6(TCP(dataofs=0) / probe()), DropReason.TCP_HEADER_LENGTH),
    "tcp_header_beyond_the_packet": (lambda: ipv6(TCP(dataofs=15) / probe()), DropReason.TCP_HEADER_LENGTH),
    "udp_length_7_behind_extensions": (
        lambda: ipv6(IPv6ExtHdrDestOpt(), udp_probe(len=7)),
        DropReason.UDP_LENGTH,
    ),
    "udp_length_beyond_the_packet": (lambda: ipv6(UDP(len=49) / probe(40)), DropReason.UDP_LENGTH),
}


def off_by_one_checksum(frame: bytes) -> bytes:
    return patched(frame, L3 + 11, bytes([frame[L3 + 11] ^ 1]))


@nic_test(RACK, broken=BROKEN_IPV4)
def test_broken_ipv4_is_refused_with_its_reason(dut: Dut, broken: tuple[Callable[[], bytes], DropReason]) -> None:
    build, reason = broken
    dut.send(WAN, build()).assert_dropped(reason)


@nic_test(RACK, broken=BROKEN_IPV6)
def test_broken_ipv6_is_refused_with_its_reason(dut: Dut, broken: tuple[Callable[[], bytes], DropReason]) -> None:
    build, reason = broken
    dut.send(WAN, build()).assert_dropped(reason)


@nic_test(RACK, broken={"checksum": BROKEN_IPV4["checksum_off_by_one"], "hop_limit": BROKEN_IPV6["hop_limit_0"]})
def test_what_is_below_two_tags_is_validated_too(dut: Dut, broken: tuple[Callable[[], bytes], DropReason]) -> None:
    build, reason = broken
    dut.send(WAN, tagged(tagged(build(), 77), VLAN_C_TAG)).assert_dropped(reason)


@nic_test(RACK, ip=FAMILIES)
def test_what_a_guest_sends_is_validated_too(dut: Dut, ip: Family) -> None:
    reason = {IPV4: DropReason.IPV4_TTL_ZERO, IPV6: DropReason.IPV6_HOP_LIMIT_ZERO}[ip]
    frame = udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]), hops=0)
    dut.send(VM_A, frame).assert_dropped(reason)


MARTIANS: dict[str, tuple[Family, str, str, DropReason]] = {
    name: (family, src, dst, reason)
    for family, outside, own, reason, pairs in (
        (
            IPV4,
            *IPV4_ADDRESSES,
            DropReason.IPV4_MARTIAN,
            {
                "ipv4_from_this_network": ("0.1.2.3", None),
                "ipv4_unspecified_to_unicast": ("0.0.0.0", None),
                "ipv4_from_loopback": ("127.0.0.1", None),
                "ipv4_from_multicast": ("224.0.0.5", None),
                "ipv4_from_reserved": ("240.0.0.1", None),
                "ipv4_from_broadcast": ("255.255.255.255", None),
                "ipv4_to_unspecified": (None, "0.0.0.0"),
                "ipv4_to_loopback": (None, "127.9.9.9"),
                "ipv4_to_reserved": (None, "240.0.0.1"),
            },
        ),
        (
            IPV6,
            *IPV6_ADDRESSES,
            DropReason.IPV6_MARTIAN,
            {
                "ipv6_from_multicast": ("ff02::1", None),
                "ipv6_from_loopback": ("::1", None),
                "ipv6_from_mapped": ("::ffff:192.0.2.1", None),
                "ipv6_to_unspecified": (None, "::"),
                "ipv6_to_loopback": (None, "::1"),
                "ipv6_to_mapped": (None, "::ffff:192.0.2.1"),
                "ipv6_to_reserved_scope": (None, "ff00::1"),
                "ipv6_to_interface_local_scope": (None, "ff01::1"),
            },
        ),
    )
    for name, pair in pairs.items()
    for src, dst in [(pair[0] or outside, pair[1] or own)]
}


@nic_test(RACK, martian=MARTIANS)
def test_impossible_address_is_refused(dut: Dut, martian: tuple[Family, str, str, DropReason]) -> None:
    family, src, dst, reason = martian
    dut.send(WAN, udp(family, ETH, (src, dst))).assert_dropped(reason)


@nic_test(RACK, ip=FAMILIES, mac={"group": "01:00:5e:00:00:01", "broadcast": BROADCAST, "zero": "00:00:00:00:00:00"})
def test_source_mac_that_is_no_stations_is_refused(dut: Dut, ip: Family, mac: str) -> None:
    dut.send(WAN, udp(ip, (mac, A_MAC), (ip.outside, A_IP[ip]))).assert_dropped(DropReason.SRC_MAC_INVALID)


@nic_test(RACK, length={str(length): length for length in range(1, 14)})
def test_frame_shorter_than_an_ethernet_header_is_refused(dut: Dut, length: int) -> None:
    dut.send(WAN, ether(*ETH, ether_type=0x88B5)[:length]).assert_dropped(DropReason.PARSE_TOO_SHORT)


# ---- what passes


@nic_test(RACK)
def test_frame_of_exactly_an_ethernet_header_passes(dut: Dut) -> None:
    frame = ether(*ETH, ether_type=0x88B5)
    assert len(frame) == 14
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(RACK)
def test_frame_of_exactly_an_ethernet_and_an_ipv4_header_passes(dut: Dut) -> None:
    frame = ipv4(proto=253)
    assert len(frame) == IPV4_L4
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(RACK)
def test_frame_of_exactly_an_ethernet_and_an_ipv6_header_passes(dut: Dut) -> None:
    frame = ipv6(nh=59)
    assert len(frame) == IPV6_L4
    dut.send(WAN, frame).assert_out({VM_A: frame})


UNUSUAL: dict[str, Callable[[], bytes]] = {
    "padding_behind_ipv4": lambda: udp(IPV4, ETH, IPV4_ADDRESSES) + b"\0" * 18,
    "padding_behind_ipv6": lambda: udp(IPV6, ETH, IPV6_ADDRESSES) + b"\0" * 18,
    "all_40_bytes_of_ipv4_options": lambda: ipv4(udp_probe(), options=[IPOption_NOP()] * 40),
    "4_bytes_of_ipv4_options": lambda: ipv4(udp_probe(), options=[IPOption_NOP()] * 4),
    "tcp_with_all_options": lambda: ipv4(TCP(options=[("NOP", None)] * 40) / probe()),
    "udp_without_checksum": lambda: ipv4(udp_probe(chksum=0)),
    "udp_shorter_than_the_packet": lambda: ipv4(UDP(len=8) / probe()),
    "unknown_ipv4_protocol": lambda: ipv4(probe(), proto=253),
    "unknown_ipv6_next_header": lambda: ipv6(probe(), nh=253),
    "ipv4_icmp_of_4_bytes": lambda: ipv4(Raw(bytes(ICMP())[:4]), proto=1) + probe().load,
    "unspecified_ipv6_source": lambda: ipv6(udp_probe(), src="::"),
    "unspecified_ipv4_source_to_broadcast": lambda: ipv4(udp_probe(), src="0.0.0.0", dst="255.255.255.255"),
    "unspecified_ipv4_source_to_multicast": lambda: ipv4(udp_probe(), src="0.0.0.0", dst="224.0.0.22"),
    "ipv4_multicast_to_a_unicast_mac": lambda: ipv4(udp_probe(), dst="239.1.2.3"),
    "first_ipv4_fragment_with_more_udp_than_it_has": lambda: ipv4(UDP(len=4000) / probe(), flags="MF"),
    "first_ipv6_fragment_with_more_udp_than_it_has": lambda: ipv6(IPv6ExtHdrFragment(m=1), UDP(len=4000) / probe()),
    "later_ipv4_fragment_of_tcp": lambda: ipv4(probe(), proto=6, frag=100),
    "later_ipv6_fragment_of_tcp": lambda: ipv6(IPv6ExtHdrFragment(nh=6, offset=100), probe()),
    "every_ipv6_extension_header_in_order": lambda: ipv6(
        IPv6ExtHdrHopByHop(),
        IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(),
        IPv6ExtHdrFragment(),
        IPv6ExtHdrDestOpt(),
        udp_probe(),
    ),
    "extension_headers_out_of_order": lambda: ipv6(IPv6ExtHdrRouting(), IPv6ExtHdrHopByHop(), udp_probe()),
    "extension_header_twice": lambda: ipv6(*[IPv6ExtHdrRouting()] * 2, udp_probe()),
    "extension_header_as_long_as_the_parser_takes": lambda: ipv6(destination_options(256), udp_probe()),
    "extension_header_longer_than_the_parser_takes": lambda: ipv6(destination_options(264), udp_probe()),
    "longest_possible_extension_header": lambda: ipv6(destination_options(2048), udp_probe()),
    "esp": lambda: ipv6(probe(), nh=50),
    "unknown_ether_type": lambda: ether(*ETH, probe(), ether_type=0x88B5),
    "length_instead_of_ether_type": lambda: ether(*ETH, probe(46), ether_type=46),
    "arp_of_other_hardware": lambda: ether(*ETH, Raw(bytes.fromhex("0006080006040001")), probe(), ether_type=0x0806),
}


@nic_test(RACK, build=UNUSUAL)
def test_unusual_but_valid_frame_passes_unchanged(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = build()
    # The VLAN's own tag is taken off, so that whatever else the frame has is the tenant's.
    dut.send(WAN, tagged(frame, 0)).assert_out({VM_A: frame})


@nic_test(RACK, length={"1514": 1514, "1518": 1518, "9014": 9014, "9234": 9234}, ip=FAMILIES)
def test_frame_of_any_length_up_to_jumbo_passes(dut: Dut, length: int, ip: Family) -> None:
    headers = len(udp(ip, ETH, (ip.outside, A_IP[ip]))) - len(probe().load)
    frame = udp(ip, ETH, (ip.outside, A_IP[ip]), payload=length - headers)
    assert len(frame) == length
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_jumbo_frame_for_the_host_says_its_length(dut: Dut, ip: Family) -> None:
    frame = tcp(ip, (OUTSIDE_MAC, HOST_MAC), (ip.outside, A_IP[ip])) + b"\0" * 9000
    (received,) = dut.send(WAN, frame).frames[HOST]
    flow_hash = int.from_bytes(received[8:12])
    assert received == rx_desc(
        frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.LOCAL, flow_hash=flow_hash
    )


@nic_test(RACK, ip=FAMILIES)
def test_tcp_between_guests_passes(dut: Dut, ip: Family) -> None:
    frame = tcp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]), flags="S")
    dut.send(VM_A, frame).assert_out({VM_B: frame})
