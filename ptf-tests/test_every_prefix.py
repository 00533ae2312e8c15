# SPDX-License-Identifier: Apache-2.0
"""Every frame, cut at every byte: nothing crashes, and nothing comes out that should not.

- A frame that ends within its IP packet is dropped, as too short or by its lengths.
- One that ends behind it, or is no IP, comes out as it is.
- The device is alive and the packets add up after each (see `Dut.exchange`).
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)

from harness.cases import nic_test
from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, S_TAG, arp, ether, probe, tagged, tcp, udp
from harness.host import tx_desc
from harness.ports import HOST, VM_A, VM_B, WAN
from harness.rack import (
    A_IP,
    A_MAC,
    A_VNIC,
    B_IP,
    B_MAC,
    OUTSIDE_MAC,
    RACK,
    ROUTER_MAC,
    VLAN_S_TAG,
    WIRE_S_TAG,
    rack_with_router,
)
from headgate.vocabulary import DropReason, PacketOutMode

ETH = (OUTSIDE_MAC, A_MAC)
CUT_SHORT = {DropReason.PARSE_TOO_SHORT, DropReason.IPV4_TOTAL_LENGTH, DropReason.IPV6_PAYLOAD_LENGTH}

IP_FRAMES: dict[str, Callable[[], bytes]] = {
    "ipv4_udp": lambda: udp(IPV4, ETH, (IPV4.outside, A_IP[IPV4])),
    "ipv6_udp": lambda: udp(IPV6, ETH, (IPV6.outside, A_IP[IPV6])),
    "ipv4_tcp": lambda: tcp(IPV4, ETH, (IPV4.outside, A_IP[IPV4]), options=[("MSS", 1460)]),
    "ipv6_tcp": lambda: tcp(IPV6, ETH, (IPV6.outside, A_IP[IPV6])),
    "ipv4_options": lambda: ether(
        *ETH, IPV4.header(IPV4.outside, A_IP[IPV4], options=[IPOption_NOP()] * 40), UDP(), probe()
    ),
    "ipv4_fragment": lambda: ether(*ETH, IPV4.header(IPV4.outside, A_IP[IPV4], frag=8, proto=17), probe()),
    "ipv6_extension_headers": lambda: ether(
        *ETH,
        IPV6.header(IPV6.outside, A_IP[IPV6]),
        IPv6ExtHdrHopByHop(),
        IPv6ExtHdrDestOpt(),
        IPv6ExtHdrRouting(),
        IPv6ExtHdrFragment(m=1),
        IPv6ExtHdrDestOpt(),
        UDP(),
        probe(),
    ),
    "neighbor_advertisement": lambda: ether(
        *ETH, IPV6.header(IPV6.outside, A_IP[IPV6], 255), ICMPv6ND_NA(tgt=IPV6.outside), probe()
    ),
    "ipv4_below_a_tag": lambda: tagged(udp(IPV4, ETH, (IPV4.outside, A_IP[IPV4])), 77),
}


def prefixes(frame: bytes) -> list[bytes]:
    return [frame[:length] for length in range(1, len(frame))]


@nic_test(RACK, build=IP_FRAMES)
def test_ip_frame_cut_short_is_dropped(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = tagged(build(), 0)  # the tag is the VLAN's; another below it is the tenant's
    observed = dut.send(WAN, *prefixes(frame))
    assert set(observed.drops) <= CUT_SHORT, observed
    assert observed.drops.total() == len(frame) - 1
    assert not observed.frames, observed
    whole = build()
    dut.send(WAN, tagged(whole, 0)).assert_out({VM_A: whole})


@nic_test(RACK)
def test_s_tagged_frame_cut_short_is_dropped(dut: Dut) -> None:
    frame = udp(IPV6, (OUTSIDE_MAC, B_MAC), (IPV6.outside, B_IP[IPV6]))
    observed = dut.send(WAN, *prefixes(tagged(frame, WIRE_S_TAG, ether_type=S_TAG)))
    # Without its tag, or with half of it, it is too short in the VLAN of untagged frames.
    assert set(observed.drops) <= CUT_SHORT
    assert not observed.frames, observed
    dut.send(WAN, tagged(frame, WIRE_S_TAG, ether_type=S_TAG)).assert_out({VM_B: tagged(frame, VLAN_S_TAG)})


@nic_test(RACK)
def test_frame_that_is_no_ip_is_whole_wherever_it_ends(dut: Dut) -> None:
    frame = ether(*ETH, probe(), ether_type=0x88B5)
    observed = dut.send(WAN, *prefixes(frame))
    assert observed.drops == {DropReason.PARSE_TOO_SHORT: 13}
    assert observed.frames == {VM_A: [frame[:length] for length in range(14, len(frame))]}


@nic_test(RACK)
def test_arp_is_whole_from_its_last_field_on(dut: Dut) -> None:
    frame = arp(OUTSIDE_MAC, A_MAC, IPV4.outside, A_IP[IPV4])
    message = 14 + 28
    observed = dut.send(WAN, *prefixes(frame))
    assert observed.drops == {DropReason.PARSE_TOO_SHORT: message - 1}
    assert observed.frames == {VM_A: [frame[:length] for length in range(message, len(frame))]}


@nic_test(RACK, ip=FAMILIES)
def test_padding_cut_off_changes_nothing(dut: Dut, ip) -> None:
    frame = udp(ip, ETH, (ip.outside, A_IP[ip]))
    padded = [frame + b"\0" * length for length in range(1, 20)]
    dut.send(WAN, *padded).assert_out({VM_A: padded})


@nic_test(RACK, ip=FAMILIES)
def test_host_frame_cut_short_is_dropped(dut: Dut, ip) -> None:
    frame = tx_desc(udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip])), vnic_id=A_VNIC)
    observed = dut.send(HOST, *prefixes(frame))
    assert set(observed.drops) <= CUT_SHORT
    assert not observed.frames, observed


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_routed_frame_cut_short_is_dropped(dut: Dut, ip) -> None:
    frame = udp(ip, (OUTSIDE_MAC, ROUTER_MAC), (ip.outside, ip.far))
    observed = dut.send(WAN, *prefixes(frame))
    assert set(observed.drops) <= CUT_SHORT
    assert not observed.frames, observed
    assert not observed.punts, observed


@nic_test(RACK, ip=FAMILIES)
def test_packet_out_of_any_prefix_leaves_as_it_is(dut: Dut, ip) -> None:
    frame = tagged(udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip])), 7)
    lengths = (1, 13, 14, 17, 18, 19, 33, 38, 45, 57, 58, len(frame) - 1)
    for length in lengths:
        observed = dut.packet_out(frame[:length], PacketOutMode.SEND, port=VM_A)
        assert observed.frames == {VM_A: [frame[:length]]}, observed
