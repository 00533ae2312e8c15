# SPDX-License-Identifier: Apache-2.0
"""replication: a broadcast or multicast frame comes to every member of its VLAN once, and never back.

- From the wire: each member once, the host with a descriptor; not to the wire, nor to another VLAN's members.
- From a guest: each other member once and the wire, each with the tag it is to have.
- A VLAN without an uplink has members only; one without members has nobody.
- The frame is counted once as replicated; its copies are counted apart, the pruned one too.
"""

from __future__ import annotations

from typing import Any

from finsy import Action, Match, P4TableEntry

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, S_TAG, Family, arp, tagged, udp
from harness.nic import nic_test
from harness.nic.host import rx_desc, tx_desc
from harness.nic.ports import HOST, LAN, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_VNIC,
    B_MAC,
    C_MAC,
    HOST_MAC,
    HOST_RING,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    VLAN_C_TAG,
    VLAN_LAN,
    VLAN_PRIVATE,
    VLAN_S_TAG,
    WIRE_S_TAG,
    without_vnic,
)
from headgate.vocabulary import DropReason, Outcome, RingType

GROUPS = {
    "broadcast": BROADCAST,
    "ipv4_multicast": "01:00:5e:00:00:fb",
    "ipv6_multicast": "33:33:00:00:00:fb",
    "unassigned_group": "01:80:c2:00:00:10",
}
TWO_MEMBERS: dict[str, Any] = {
    **RACK,
    "vnics": [{**vnic, "tagged_vlans": [VLAN_PRIVATE]} if vnic["name"] == "a" else vnic for vnic in RACK["vnics"]],
}
EMPTY_VLAN = without_vnic(RACK, "b")
LEAK = [
    # A guest that may send in a VLAN which is nobody's: no configuration says so.
    P4TableEntry(
        "vnic_vlan", match=Match(vnic_id=A_VNIC, tag_type=1, tag_vlan_id=99), action=Action("set_vlan", vlan_id=99)
    )
]


def for_host(frame: bytes) -> bytes:
    return rx_desc(frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.LOCAL)


def group_frame(ip: Family, src_mac: str, group: str) -> bytes:
    dst = {"ipv4": "239.0.0.251", "ipv6": "ff02::fb"}[ip.name]
    return udp(ip, (src_mac, group), (A_IP[ip], dst))


@nic_test(RACK, ip=FAMILIES, group=GROUPS)
def test_group_frame_from_the_wire_comes_to_each_member_once(dut: Dut, ip: Family, group: str) -> None:
    frame = group_frame(ip, OUTSIDE_MAC, group)
    observed = dut.send(WAN, frame)
    observed.assert_out({VM_A: frame, VM_B: frame, HOST: for_host(frame)})
    assert observed.outcomes == {
        Outcome.RECEIVED: 1,
        Outcome.REPLICATED: 1,
        Outcome.COPY_DELIVERED: 3,
        Outcome.COPY_PRUNED: 1,
    }


@nic_test(RACK, ip=FAMILIES, group=GROUPS)
def test_group_frame_of_a_guest_comes_to_the_others_and_the_wire(dut: Dut, ip: Family, group: str) -> None:
    frame = group_frame(ip, A_MAC, group)
    observed = dut.send(VM_A, frame)
    observed.assert_out({WAN: frame, VM_B: frame, HOST: for_host(frame)})
    assert observed.outcomes == {
        Outcome.RECEIVED: 1,
        Outcome.REPLICATED: 1,
        Outcome.COPY_DELIVERED: 2,
        Outcome.COPY_SENT: 1,
        Outcome.COPY_PRUNED: 1,
    }


@nic_test(RACK, ip=FAMILIES)
def test_group_frame_of_the_host_does_not_come_back_to_it(dut: Dut, ip: Family) -> None:
    frame = group_frame(ip, HOST_MAC, BROADCAST)
    dut.send(HOST, tx_desc(frame, vnic_id=HOST_VNIC)).assert_out({WAN: frame, VM_A: frame, VM_B: frame})


@nic_test(RACK, ip=FAMILIES)
def test_copies_have_the_tags_of_where_they_go(dut: Dut, ip: Family) -> None:
    frame = group_frame(ip, OUTSIDE_MAC, BROADCAST)
    of_b = group_frame(ip, B_MAC, BROADCAST)
    s_tagged = tagged(frame, WIRE_S_TAG, ether_type=S_TAG, pcp=4)
    dut.send(WAN, s_tagged).assert_out({VM_B: tagged(frame, VLAN_S_TAG, pcp=4)})
    dut.send(VM_B, tagged(of_b, VLAN_S_TAG, pcp=4)).assert_out({WAN: tagged(of_b, WIRE_S_TAG, ether_type=S_TAG, pcp=4)})


@nic_test(RACK, ip=FAMILIES)
def test_flood_does_not_leave_its_vlan(dut: Dut, ip: Family) -> None:
    frame = group_frame(ip, OUTSIDE_MAC, BROADCAST)
    of_c = group_frame(ip, C_MAC, BROADCAST)
    dut.send(WAN, tagged(frame, VLAN_C_TAG)).assert_out({VM_C: frame})
    dut.send(VM_C, of_c).assert_out({WAN: tagged(of_c, VLAN_C_TAG)})
    dut.send(LAN, frame).assert_out({VM_B: tagged(frame, VLAN_LAN)})


@nic_test(TWO_MEMBERS, ip=FAMILIES)
def test_flood_in_a_vlan_without_an_uplink_stays_among_its_members(dut: Dut, ip: Family) -> None:
    frame = tagged(group_frame(ip, B_MAC, BROADCAST), VLAN_PRIVATE)
    dut.send(VM_B, frame).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_only_member_of_a_private_vlan_floods_to_nobody(dut: Dut, ip: Family) -> None:
    observed = dut.send(VM_B, tagged(group_frame(ip, B_MAC, BROADCAST), VLAN_PRIVATE))
    observed.assert_out({})
    assert observed.outcomes[Outcome.COPY_PRUNED] == 1


@nic_test(EMPTY_VLAN, ip=FAMILIES)
def test_flood_from_the_wire_into_a_vlan_of_which_nobody_is_a_member_comes_to_nobody(dut: Dut, ip: Family) -> None:
    observed = dut.send(LAN, group_frame(ip, OUTSIDE_MAC, BROADCAST))
    observed.assert_out({})
    assert observed.outcomes[Outcome.COPY_PRUNED] == 1


@nic_test(RACK, LEAK, ip=FAMILIES)
def test_flood_in_a_vlan_without_a_group_is_dropped(dut: Dut, ip: Family) -> None:
    frame = tagged(group_frame(ip, A_MAC, BROADCAST), 99)
    dut.send(VM_A, frame).assert_dropped(DropReason.VLAN_WITHOUT_MEMBERS)


@nic_test(RACK)
def test_arp_request_is_flooded_and_its_reply_is_not(dut: Dut) -> None:
    request = arp(OUTSIDE_MAC, BROADCAST, IPV4.outside, A_IP[IPV4])
    reply = arp(A_MAC, OUTSIDE_MAC, A_IP[IPV4], IPV4.outside, reply=True)
    dut.send(WAN, request).assert_out({VM_A: request, VM_B: request, HOST: for_host(request)})
    dut.send(VM_A, reply).assert_out({WAN: reply})
