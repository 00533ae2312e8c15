# SPDX-License-Identifier: Apache-2.0
"""rewrite: a routed packet has one hop less and a checksum to match, and is otherwise as it came.

- The checksum is updated as RFC 1624 says: the end-around carry and the two zeros of ones' complement come out right.
- A hop count of 0 never arises: 2 becomes 1, and 255 becomes 254.
- Options, extension headers, padding and payload leave as they came.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrRouting

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, patched, probe, routed, tcp, udp
from harness.nic import nic_test
from harness.nic.ports import ROUTER_FORWARD, WAN
from harness.nic.rack import GATEWAY_MAC, OUTSIDE_MAC, ROUTER_MAC, rack_with_router

ROUTER = rack_with_router("nic_on_transmit")
TO_ROUTER = (OUTSIDE_MAC, ROUTER_MAC)
IDENTIFICATION, CHECKSUM = 14 + 4, 14 + 10


def passed_on(frame: bytes) -> bytes:
    return routed(frame, ROUTER_MAC, GATEWAY_MAC)


def with_checksum(checksum: int) -> bytes:
    """A packet whose valid header checksum is this one, by a fitting identification."""
    frame = udp(IPV4, TO_ROUTER, (IPV4.outside, IPV4.far), id=0)
    missing = int.from_bytes(frame[CHECKSUM : CHECKSUM + 2]) - checksum  # what the sum still lacks, mod 0xffff
    identification = missing % 0xFFFF
    frame = patched(frame, IDENTIFICATION, identification.to_bytes(2))
    return patched(frame, CHECKSUM, checksum.to_bytes(2))


CHECKSUMS = {
    # before: after one hop less
    0x0000: 0x0100,
    0x0001: 0x0101,
    0xFE00: 0xFF00,
    0xFEFE: 0xFFFE,
    0xFEFF: 0x0000,  # the case that RFC 1624 was written for: RFC 1141's way gives 0xffff
    0xFF00: 0x0001,
    0xFF01: 0x0002,
    0xFFFE: 0x00FF,
}


@nic_test(ROUTER, checksum={f"{before:04x}": (before, after) for before, after in CHECKSUMS.items()})
def test_checksum_is_right_after_one_hop_less(dut: Dut, checksum: tuple[int, int]) -> None:
    before, after = checksum
    frame = with_checksum(before)
    expected = passed_on(frame)
    assert int.from_bytes(expected[CHECKSUM : CHECKSUM + 2]) == after
    dut.send(ROUTER_FORWARD, frame).assert_out({WAN: expected})


@nic_test(ROUTER, ip=FAMILIES, hops={str(hops): hops for hops in (2, 3, 64, 127, 128, 129, 254, 255)})
def test_hop_count_is_one_less(dut: Dut, ip: Family, hops: int) -> None:
    frame = udp(ip, TO_ROUTER, (ip.outside, ip.far), hops=hops)
    expected = passed_on(frame)
    dut.send(ROUTER_FORWARD, frame).assert_out({WAN: expected})
    assert expected[14 + {IPV4: 8, IPV6: 7}[ip]] == hops - 1


UNUSUAL: dict[str, Callable[[], bytes]] = {
    "ipv4_options": lambda: ether(
        *TO_ROUTER, IPV4.header(IPV4.outside, IPV4.far, options=[IPOption_NOP()] * 40), UDP(), probe()
    ),
    "ipv4_first_fragment": lambda: udp(IPV4, TO_ROUTER, (IPV4.outside, IPV4.far), flags="MF", id=9),
    "ipv4_later_fragment": lambda: ether(
        *TO_ROUTER, IPV4.header(IPV4.outside, IPV4.far, frag=8, proto=17, id=9), probe()
    ),
    "ipv4_dscp_and_ecn": lambda: udp(IPV4, TO_ROUTER, (IPV4.outside, IPV4.far), tos=0xB9),
    "ipv4_padding": lambda: udp(IPV4, TO_ROUTER, (IPV4.outside, IPV4.far)) + bytes(range(20)),
    "ipv4_tcp_options": lambda: tcp(IPV4, TO_ROUTER, (IPV4.outside, IPV4.far), options=[("MSS", 1460)]),
    "ipv4_unknown_protocol": lambda: ether(*TO_ROUTER, IPV4.header(IPV4.outside, IPV4.far, proto=253), probe()),
    "ipv6_flow_label_and_class": lambda: udp(IPV6, TO_ROUTER, (IPV6.outside, IPV6.far), fl=0xABCDE, tc=0xB9),
    "ipv6_extension_headers": lambda: ether(
        *TO_ROUTER,
        IPV6.header(IPV6.outside, IPV6.far),
        IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(),
        IPv6ExtHdrFragment(),
        IPv6ExtHdrDestOpt(),
        UDP(),
        probe(),
    ),
    "ipv6_padding": lambda: udp(IPV6, TO_ROUTER, (IPV6.outside, IPV6.far)) + bytes(range(20)),
    "ipv6_unknown_next_header": lambda: ether(*TO_ROUTER, IPV6.header(IPV6.outside, IPV6.far, nh=253), probe()),
}


@nic_test(ROUTER, build=UNUSUAL)
def test_everything_else_leaves_as_it_came(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = build()
    expected = passed_on(frame)
    assert len(expected) == len(frame)
    dut.send(ROUTER_FORWARD, frame).assert_out({WAN: expected})
