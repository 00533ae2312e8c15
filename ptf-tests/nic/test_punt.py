# SPDX-License-Identifier: Apache-2.0
"""punt: what the controller is given, and how much of it.

- What a router's neighbors say of themselves goes to the router's local ring, and a copy to the controller: ARP
  replies, and neighbor advertisements that cannot have crossed a router (RFC 4861 7.1.2).
- Requests, and what other guests hear, are not copied.
- Each reason has a rate of its own: what exceeds it is dropped, or, of a copy, not made, and counted either way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, arp, ether, probe, routed, tagged, udp
from harness.nic import nic_test
from harness.nic.host import tx_desc
from harness.nic.ports import HOST, ROUTER, VM_A, VM_B, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_VNIC,
    B_MAC,
    GATEWAY_IP,
    GATEWAY_MAC,
    OUTSIDE_MAC,
    ROUTER_IP,
    ROUTER_MAC,
    ROUTER_VNIC,
    VLAN_C_TAG,
    VLAN_UNTAGGED,
    rack_with_router,
)
from headgate.vocabulary import DropReason, Outcome, PuntReason

BY_NIC = rack_with_router("nic_on_transmit")
ON_RECEIVE = rack_with_router("nic_on_receive")
BY_GUEST = rack_with_router("guest")
Build = Callable[[str, str], bytes]


def arp_reply(src: str, dst: str) -> bytes:
    return arp(src, dst, GATEWAY_IP[IPV4], ROUTER_IP[IPV4], reply=True)


def advertisement(src: str, dst: str, hops: int = 255) -> bytes:
    header = IPV6.header(GATEWAY_IP[IPV6], ROUTER_IP[IPV6], hops)
    return ether(src, dst, header, ICMPv6ND_NA(tgt=GATEWAY_IP[IPV6]), probe())


HEARD: dict[str, Build] = {"arp_reply": arp_reply, "neighbor_advertisement": advertisement}
NOT_HEARD: dict[str, Build] = {
    "arp_request": lambda src, dst: arp(src, dst, GATEWAY_IP[IPV4], ROUTER_IP[IPV4]),
    "neighbor_solicitation": lambda src, dst: ether(
        src, dst, IPV6.header(GATEWAY_IP[IPV6], ROUTER_IP[IPV6], 255), ICMPv6ND_NS(tgt=ROUTER_IP[IPV6]), probe()
    ),
    "advertisement_that_crossed_a_router": lambda src, dst: advertisement(src, dst, hops=254),
    "ping": lambda src, dst: ether(
        src, dst, IPV6.header(GATEWAY_IP[IPV6], ROUTER_IP[IPV6], 255), ICMPv6EchoRequest(), probe()
    ),
    "ipv4_icmp_of_the_advertisements_type": lambda src, dst: ether(
        src, dst, IPV4.header(GATEWAY_IP[IPV4], ROUTER_IP[IPV4], 255), ICMP(type=136), probe()
    ),
}


@nic_test(BY_NIC, build=HEARD)
def test_neighbors_answer_goes_to_the_router_and_a_copy_to_the_controller(dut: Dut, build: Build) -> None:
    frame = build(GATEWAY_MAC, ROUTER_MAC)
    observed = dut.send(WAN, frame)
    observed.assert_out({ROUTER: frame}, copies_punted=1)
    observed.assert_controller_was_given(
        PuntReason.NEIGHBOR_HEARD,
        frame,
        ingress_port=WAN,
        vnic_id=ROUTER_VNIC,
        vlan_id=VLAN_UNTAGGED,
        next_hop=0,
    )


@nic_test(ON_RECEIVE, build=HEARD)
def test_neighbors_answer_is_heard_where_the_nic_routes_on_receive(dut: Dut, build: Build) -> None:
    frame = build(GATEWAY_MAC, ROUTER_MAC)
    observed = dut.send(WAN, frame)
    observed.assert_out({ROUTER: frame}, copies_punted=1)
    observed.assert_controller_was_given(PuntReason.NEIGHBOR_HEARD, frame, vnic_id=ROUTER_VNIC)


@nic_test(BY_NIC, build=HEARD)
def test_copy_has_the_tag_the_answer_came_with(dut: Dut, build: Build) -> None:
    frame = tagged(build(GATEWAY_MAC, ROUTER_MAC), VLAN_C_TAG, pcp=6)
    observed = dut.send(WAN, frame)
    observed.assert_out({ROUTER: frame}, copies_punted=1)
    observed.assert_controller_was_given(
        PuntReason.NEIGHBOR_HEARD, frame, ingress_port=WAN, vnic_id=ROUTER_VNIC, vlan_id=VLAN_C_TAG
    )


@nic_test(BY_NIC, build=HEARD)
def test_guests_answer_to_the_router_is_heard(dut: Dut, build: Build) -> None:
    frame = build(A_MAC, ROUTER_MAC)
    observed = dut.send(VM_A, frame)
    observed.assert_out({ROUTER: frame}, copies_punted=1)
    observed.assert_controller_was_given(PuntReason.NEIGHBOR_HEARD, frame, ingress_port=VM_A, vnic_id=ROUTER_VNIC)


@nic_test(BY_NIC, build=HEARD)
def test_copy_of_what_the_host_sent_is_without_its_descriptor(dut: Dut, build: Build) -> None:
    frame = build(A_MAC, ROUTER_MAC)
    observed = dut.send(HOST, tx_desc(frame, vnic_id=A_VNIC))
    observed.assert_out({ROUTER: frame}, copies_punted=1)
    observed.assert_controller_was_given(PuntReason.NEIGHBOR_HEARD, frame, ingress_port=HOST, vnic_id=ROUTER_VNIC)


@nic_test(BY_NIC, build=NOT_HEARD)
def test_what_is_no_neighbors_answer_is_not_copied(dut: Dut, build: Build) -> None:
    frame = build(GATEWAY_MAC, ROUTER_MAC)
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(BY_NIC, build=HEARD)
def test_answer_to_an_ordinary_guest_is_not_copied(dut: Dut, build: Build) -> None:
    frame = build(GATEWAY_MAC, A_MAC)
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(BY_GUEST, build=HEARD)
def test_answer_to_a_router_that_resolves_for_itself_is_not_copied(dut: Dut, build: Build) -> None:
    frame = build(GATEWAY_MAC, ROUTER_MAC)
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(ON_RECEIVE)
def test_advertisement_that_is_routed_is_not_copied(dut: Dut) -> None:
    """It is no neighbor's of the one it is for, whatever its hop limit was."""
    header = IPV6.header(IPV6.outside, A_IP[IPV6], 255)
    frame = ether(OUTSIDE_MAC, ROUTER_MAC, header, ICMPv6ND_NA(tgt=IPV6.outside), probe())
    dut.send(WAN, frame).assert_out({VM_A: routed(frame, ROUTER_MAC, A_MAC)})


# ---- rates

BURST = 3
SENT = 10


def limited(reason: str) -> dict[str, Any]:
    """A router that is allowed `BURST` packets of one reason now, and the next a second later."""
    limit = {"packets_per_s": 1, "burst_packets": BURST}
    return {**ON_RECEIVE, "punt_limits": {**ON_RECEIVE["punt_limits"], reason: limit}}


@nic_test(limited("ttl_expired"), ip=FAMILIES)
def test_punts_beyond_their_rate_are_dropped(dut: Dut, ip: Family) -> None:
    frames = [udp(ip, (OUTSIDE_MAC, ROUTER_MAC), (ip.outside, ip.far), hops=1) for _ in range(SENT)]
    observed = dut.send(WAN, *frames)
    assert [punt.payload for punt in observed.punts] == frames[:BURST]
    assert observed.drops == {DropReason.PUNT_RATE_EXCEEDED: SENT - BURST}
    assert not observed.frames


@nic_test(limited("ttl_expired"), ip=FAMILIES)
def test_flood_of_one_reason_leaves_room_for_another(dut: Dut, ip: Family) -> None:
    flood = [udp(ip, (OUTSIDE_MAC, ROUTER_MAC), (ip.outside, ip.far), hops=1) for _ in range(SENT)]
    other = udp(ip, (OUTSIDE_MAC, ROUTER_MAC), (ip.outside, ip.unroutable))
    observed = dut.send(WAN, *flood, other)
    assert observed.punts[-1].payload == other
    assert observed.punts[-1].metadata["reason"] == PuntReason.NO_ROUTE


@nic_test(limited("neighbor_heard"), build=HEARD)
def test_copies_beyond_their_rate_are_not_made_and_the_frames_arrive(dut: Dut, build: Build) -> None:
    frames = [build(GATEWAY_MAC, ROUTER_MAC) for _ in range(SENT)]
    observed = dut.send(WAN, *frames)
    observed.assert_out({ROUTER: frames}, copies_punted=BURST)
    assert [punt.payload for punt in observed.punts] == frames[:BURST]
    assert observed.outcomes[Outcome.COPY_POLICED] == SENT - BURST


@nic_test(limited("neighbor_miss"), ip=FAMILIES)
def test_flood_of_punts_costs_other_traffic_nothing(dut: Dut, ip: Family) -> None:
    unknown = {IPV4: "10.0.0.99", IPV6: "2001:db8::99"}[ip]
    flood = [udp(ip, (B_MAC, ROUTER_MAC), (A_IP[ip], unknown)) for _ in range(SENT)]
    traffic = [udp(ip, (B_MAC, A_MAC), (A_IP[ip], A_IP[ip])) for _ in range(SENT)]
    both = [frame for pair in zip(flood, traffic, strict=True) for frame in pair]
    observed = dut.send(VM_B, *both)
    assert observed.frames == {VM_A: traffic}
    assert len(observed.punts) == BURST
