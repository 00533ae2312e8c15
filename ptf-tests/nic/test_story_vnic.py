# SPDX-License-Identifier: Apache-2.0
"""Host bypass: frames go from the classifier to a guest's ring and back, and the host's stack has no part in it.

- What is for a guest reaches its ring, and nothing the host's; guests talk to each other without host or wire.
- What is for nobody reaches the host alone; what is for all reaches each member of the VLAN once.
- While a guest is attached or detached each frame for it goes either to it or to the host, at every moment: the
  controller's order of writes sees to that. In the wrong order frames end at the missing ring, and are counted.
- With fewer rings than guests some share one, told apart by the descriptor; one that is given a ring of its own loses
  nothing.
- A guest neither receives what is for others nor sends in their name, and can't make the NIC believe it moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finsy import Action, Match, P4TableEntry

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, Family, arp, tagged, udp, untagged
from harness.nic import nic_test
from harness.nic.host import flow_hash, rx_desc
from harness.nic.ports import HOST, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_RING,
    A_SECOND_MAC,
    B_IP,
    B_MAC,
    B_RING,
    B_VNIC,
    C_MAC,
    C_VNIC,
    GATEWAY_IP,
    HOST_MAC,
    HOST_RING,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    STRANGER_MAC,
    VLAN_C_TAG,
    without_vnic,
)
from headgate.vocabulary import DropReason, RingType

GROUPS = {"broadcast": BROADCAST, "ipv4_multicast": "01:00:5e:00:00:fb", "ipv6_multicast": "33:33:00:00:00:fb"}


def from_outside(ip: Family, dst_mac: str) -> bytes:
    return udp(ip, (OUTSIDE_MAC, dst_mac), (ip.outside, A_IP[ip]))


def on_host_ring(frame: bytes, ring_type: RingType) -> bytes:
    return rx_desc(frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=ring_type)


# ---- bypass


@nic_test(RACK, ip=FAMILIES, mac={"first": A_MAC, "second": A_SECOND_MAC})
def test_what_is_for_a_guest_reaches_its_ring_and_nothing_the_hosts(dut: Dut, ip: Family, mac: str) -> None:
    host, guest = (dut.controller.hits("ring", ring_id=ring) for ring in (HOST_RING, A_RING))
    frames = [from_outside(ip, mac) for _ in range(10)]
    dut.send(WAN, *frames).assert_out({VM_A: frames})
    assert dut.controller.hits("ring", ring_id=HOST_RING) == host
    assert dut.controller.hits("ring", ring_id=A_RING) == guest + len(frames)


@nic_test(RACK)
def test_a_guests_neighbors_are_none_of_the_hosts_business(dut: Dut) -> None:
    reply = arp(OUTSIDE_MAC, A_MAC, GATEWAY_IP[IPV4], A_IP[IPV4], reply=True)
    dut.send(WAN, reply).assert_out({VM_A: reply})


@nic_test(RACK, ip=FAMILIES)
def test_guests_talk_to_each_other_without_host_or_wire(dut: Dut, ip: Family) -> None:
    there = udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]))
    back = udp(ip, (B_MAC, A_MAC), (B_IP[ip], A_IP[ip]))
    dut.exchange([(VM_A, there), (VM_B, back)]).assert_out({VM_B: there, VM_A: back})


# ---- nobody's, and everybody's


@nic_test(RACK, ip=FAMILIES)
def test_unknown_unicast_from_the_wire_reaches_the_host_alone(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, STRANGER_MAC)
    dut.send(WAN, frame).assert_out({HOST: on_host_ring(frame, RingType.DEFAULT)})


@nic_test(RACK, ip=FAMILIES)
def test_unknown_unicast_from_a_guest_leaves_by_the_wire_alone(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (A_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(VM_A, frame).assert_out({WAN: frame})


@nic_test(RACK, ip=FAMILIES, group=GROUPS)
def test_group_frame_from_the_wire_reaches_each_member_of_the_vlan_once(dut: Dut, ip: Family, group: str) -> None:
    frame = from_outside(ip, group)
    expected = {HOST: on_host_ring(frame, RingType.LOCAL), VM_A: frame, VM_B: frame}
    dut.send(WAN, frame).assert_out(expected)


@nic_test(RACK, ip=FAMILIES, group=GROUPS)
def test_group_frame_from_a_guest_reaches_all_others_and_the_wire_but_never_itself(
    dut: Dut, ip: Family, group: str
) -> None:
    frame = udp(ip, (A_MAC, group), (A_IP[ip], ip.outside))
    expected = {HOST: on_host_ring(frame, RingType.LOCAL), VM_B: frame, WAN: frame}
    dut.send(VM_A, frame).assert_out(expected)


@nic_test(RACK)
def test_group_frame_of_one_vlan_reaches_nobody_of_another(dut: Dut) -> None:
    question = arp(OUTSIDE_MAC, BROADCAST, GATEWAY_IP[IPV4], A_IP[IPV4])
    dut.send(WAN, tagged(question, VLAN_C_TAG)).assert_out({VM_C: question})


# ---- attaching and detaching


def assert_nothing_is_lost_on_the_way_to(dut: Dut, config: dict[str, Any], ip: Family) -> list[bool]:
    """Sends to guest A between any two writes. Returns: each time, whether it was the guest that got the frame."""
    reached = []
    for _ in dut.steps(config):
        unicast, broadcast = from_outside(ip, A_MAC), from_outside(ip, BROADCAST)
        observed = dut.send(WAN, unicast, broadcast)
        to_guest = observed.frames.get(VM_A, ())
        attached = unicast in to_guest
        to_host = [] if attached else [on_host_ring(unicast, RingType.DEFAULT)]
        observed.assert_out(
            {
                VM_A: [frame for frame in (unicast, broadcast) if frame in to_guest],
                VM_B: broadcast,
                HOST: [*to_host, on_host_ring(broadcast, RingType.LOCAL)],
            }
        )
        reached.append(attached)
    return reached


@nic_test(without_vnic(RACK, "a"), ip=FAMILIES)
def test_guest_is_attached_in_one_moment(dut: Dut, ip: Family) -> None:
    reached = assert_nothing_is_lost_on_the_way_to(dut, RACK, ip)
    assert reached == sorted(reached), "once it is there it stays"
    assert not reached[0], "its classifier entries come last"
    assert reached[-1]


@nic_test(RACK, ip=FAMILIES)
def test_guest_is_detached_in_one_moment(dut: Dut, ip: Family) -> None:
    reached = assert_nothing_is_lost_on_the_way_to(dut, without_vnic(RACK, "a"), ip)
    assert reached == sorted(reached, reverse=True), "once it is gone it stays so"
    assert not reached[-1]


@nic_test(RACK, ip=FAMILIES)
def test_guest_that_is_gone_can_send_nothing_more(dut: Dut, ip: Family) -> None:
    dut.program(without_vnic(RACK, "a"))
    frame = udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]))
    dut.send(VM_A, frame).assert_dropped(DropReason.PORT_NOT_ADMITTED)


@nic_test(RACK, ip=FAMILIES)
def test_ring_that_goes_before_its_classifier_entry_takes_only_its_own_frames_with_it(dut: Dut, ip: Family) -> None:
    dut.controller.write([-P4TableEntry("ring", match=Match(ring_id=A_RING))])
    for_a, for_b = from_outside(ip, A_MAC), from_outside(ip, B_MAC)
    dut.send(WAN, for_a).assert_dropped(DropReason.RING_NOT_ATTACHED)
    dut.send(WAN, for_b).assert_out({VM_B: for_b})
    dut.program(RACK)
    dut.send(WAN, for_a).assert_out({VM_A: for_a})


# ---- fewer rings than guests


def on_ring(vnic_id: int, ring_id: int) -> P4TableEntry:
    match = Match(vnic_id=vnic_id, ring_type=RingType.LOCAL, bucket=0)
    return P4TableEntry("ring_pick", match=match, action=Action("set_ring", ring_id=ring_id))


def for_each_guest(ip: Family) -> Sequence[bytes]:
    return (
        udp(ip, (OUTSIDE_MAC, B_MAC), (ip.outside, A_IP[ip])),
        tagged(udp(ip, (OUTSIDE_MAC, C_MAC), (ip.outside, A_IP[ip])), VLAN_C_TAG),
    )


def on_shared_ring(ip: Family, frame: bytes, vnic_id: int) -> bytes:
    hashed = flow_hash(ip.outside, A_IP[ip], src_port=4000, dst_port=5000)
    return rx_desc(frame, ring_id=HOST_RING, vnic_id=vnic_id, ring_type=RingType.LOCAL, flow_hash=hashed)


SHARED = [on_ring(B_VNIC, HOST_RING), on_ring(C_VNIC, HOST_RING)]


@nic_test(RACK, SHARED, ip=FAMILIES)
def test_guests_that_share_a_ring_are_told_apart_by_the_descriptor(dut: Dut, ip: Family) -> None:
    for_b, for_c = for_each_guest(ip)
    expected = [on_shared_ring(ip, for_b, B_VNIC), on_shared_ring(ip, untagged(for_c), C_VNIC)]
    dut.send(WAN, for_b, for_c).assert_out({HOST: expected})


@nic_test(RACK, SHARED, ip=FAMILIES)
def test_guest_that_is_given_a_ring_of_its_own_loses_nothing(dut: Dut, ip: Family) -> None:
    before, after = (udp(ip, (OUTSIDE_MAC, B_MAC), (ip.outside, A_IP[ip])) for _ in range(2))
    dut.send(WAN, before).assert_out({HOST: on_shared_ring(ip, before, B_VNIC)})
    dut.controller.write([~on_ring(B_VNIC, B_RING)])
    dut.send(WAN, after).assert_out({VM_B: after})


# ---- others' frames


@nic_test(RACK, ip=FAMILIES, mac={"another_guests": B_MAC, "the_hosts": HOST_MAC, "nobodys": STRANGER_MAC})
def test_guest_receives_no_frame_for_another_address(dut: Dut, ip: Family, mac: str) -> None:
    observed = dut.send(WAN, from_outside(ip, mac))
    assert VM_A not in observed.frames
    assert sum(map(len, observed.frames.values())) == 1, f"to one and no other:\n{observed}"


@nic_test(RACK, ip=FAMILIES)
def test_guest_receives_nothing_of_another_vlan_though_its_address_is_there_too(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, C_MAC)
    dut.send(WAN, tagged(frame, VLAN_C_TAG)).assert_out({VM_C: frame})


@nic_test(RACK, ip=FAMILIES)
def test_guest_that_sends_in_anothers_name_attracts_none_of_its_frames(dut: Dut, ip: Family) -> None:
    dut.send(VM_A, udp(ip, (B_MAC, BROADCAST), (B_IP[ip], ip.outside))).assert_dropped(DropReason.SRC_MAC_SPOOFED)
    frame = from_outside(ip, B_MAC)
    dut.send(WAN, frame).assert_out({VM_B: frame})
