# SPDX-License-Identifier: Apache-2.0
"""port_admission: a port has a role, and a tag (or its absence) names a VLAN of the NIC.

- An uplink's frame is in the VLAN that its tag names: EtherType and VLAN id both count.
- VLAN id 0 names no VLAN: a priority-tagged frame is an untagged one (IEEE 802.1Q 9.6).
- A guest sends in the VLANs it is a member of, untagged or tagged as it was given them.
- The tag that named the VLAN goes; the way out puts on its own, with the priority the frame came with.
- A tag below it is the tenant's, and stays.
- A port without a role, and a frame without its descriptor, are refused.
"""

from __future__ import annotations

from harness.dut import Dut
from harness.frames import C_TAG, FAMILIES, S_TAG, Family, tagged, udp
from harness.nic import nic_test
from harness.nic.host import tx_desc
from harness.nic.ports import HOST, LAN, UNUSED, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_IP,
    B_MAC,
    B_VNIC,
    C_MAC,
    HOST_MAC,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    STRANGER_MAC,
    VLAN_C_TAG,
    VLAN_LAN,
    VLAN_PRIVATE,
    VLAN_S_TAG,
    WIRE_S_TAG,
)
from headgate.vocabulary import DropReason


def from_outside(ip: Family, dst_mac: str) -> bytes:
    return udp(ip, (OUTSIDE_MAC, dst_mac), (ip.outside, A_IP[ip]))


@nic_test(RACK, ip=FAMILIES)
def test_untagged_frame_is_in_the_uplinks_untagged_vlan(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, A_MAC)
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_c_tag_names_a_vlan_and_is_taken_off_for_a_guest_that_has_it_untagged(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, C_MAC)
    dut.send(WAN, tagged(frame, VLAN_C_TAG)).assert_out({VM_C: frame})


@nic_test(RACK, ip=FAMILIES)
def test_s_tag_is_exchanged_for_the_guests_own_tag_and_keeps_priority(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, B_MAC)
    received = tagged(frame, WIRE_S_TAG, ether_type=S_TAG, pcp=5, dei=1)
    dut.send(WAN, received).assert_out({VM_B: tagged(frame, VLAN_S_TAG, pcp=5, dei=1)})


@nic_test(RACK, ip=FAMILIES)
def test_guests_tag_is_exchanged_for_the_uplinks_and_keeps_priority(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (B_MAC, STRANGER_MAC), (B_IP[ip], ip.outside))
    sent = tagged(frame, VLAN_S_TAG, pcp=3, dei=1)
    dut.send(VM_B, sent).assert_out({WAN: tagged(frame, WIRE_S_TAG, ether_type=S_TAG, pcp=3, dei=1)})


@nic_test(RACK, ip=FAMILIES, ether_type={"c_tag": C_TAG, "s_tag": S_TAG})
def test_priority_tagged_frame_is_an_untagged_one(dut: Dut, ip: Family, ether_type: int) -> None:
    frame = from_outside(ip, A_MAC)
    dut.send(WAN, tagged(frame, 0, ether_type=ether_type, pcp=7)).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_priority_of_a_priority_tagged_frame_survives_in_the_next_tag(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (C_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(VM_C, tagged(frame, 0, pcp=6)).assert_out({WAN: tagged(frame, VLAN_C_TAG, pcp=6)})


@nic_test(RACK, ip=FAMILIES, inner={"c_tag": C_TAG, "s_tag": S_TAG})
def test_tenants_inner_tag_stays(dut: Dut, ip: Family, inner: int) -> None:
    frame = tagged(from_outside(ip, C_MAC), 77, ether_type=inner, pcp=2)
    dut.send(WAN, tagged(frame, VLAN_C_TAG)).assert_out({VM_C: frame})


@nic_test(RACK, ip=FAMILIES)
def test_two_tags_of_the_tenants_stay(dut: Dut, ip: Family) -> None:
    frame = tagged(tagged(from_outside(ip, C_MAC), 77), 78)
    dut.send(WAN, tagged(frame, VLAN_C_TAG)).assert_out({VM_C: frame})


@nic_test(RACK, ip=FAMILIES, inner={"c_tag": C_TAG, "s_tag": S_TAG})
def test_priority_tag_does_not_smuggle_another_tag_in(dut: Dut, ip: Family, inner: int) -> None:
    from_wire = tagged(from_outside(ip, A_MAC), VLAN_C_TAG, ether_type=inner)
    dut.send(WAN, tagged(from_wire, 0)).assert_dropped(DropReason.VLAN_NOT_ADMITTED)
    from_guest = tagged(udp(ip, (A_MAC, OUTSIDE_MAC), (A_IP[ip], ip.outside)), VLAN_C_TAG, ether_type=inner)
    dut.send(VM_A, tagged(from_guest, 0)).assert_dropped(DropReason.VNIC_VLAN_NOT_ALLOWED)


@nic_test(RACK, ip=FAMILIES)
def test_vlan_of_the_second_uplink_is_reached_by_it_alone(dut: Dut, ip: Family) -> None:
    frame = from_outside(ip, B_MAC)
    dut.send(LAN, frame).assert_out({VM_B: tagged(frame, VLAN_LAN)})


@nic_test(
    RACK,
    ip=FAMILIES,
    tag={
        "unknown_vlan_id": (99, C_TAG),
        "c_tag_for_an_s_tagged_vlan": (WIRE_S_TAG, C_TAG),
        "s_tag_for_a_c_tagged_vlan": (VLAN_C_TAG, S_TAG),
        "the_vlans_id_where_the_wire_has_another": (VLAN_S_TAG, S_TAG),
        "reserved_vlan_id": (4095, C_TAG),
        "private_vlan": (VLAN_PRIVATE, C_TAG),
    },
)
def test_tag_that_names_no_vlan_of_the_uplink_is_refused(dut: Dut, ip: Family, tag: tuple[int, int]) -> None:
    vlan_id, ether_type = tag
    dut.send(WAN, tagged(from_outside(ip, A_MAC), vlan_id, ether_type=ether_type)).assert_dropped(
        DropReason.VLAN_NOT_ADMITTED
    )


@nic_test(RACK, ip=FAMILIES)
def test_tag_of_another_uplinks_vlan_is_refused(dut: Dut, ip: Family) -> None:
    frame = tagged(from_outside(ip, C_MAC), VLAN_C_TAG)
    dut.send(LAN, frame).assert_dropped(DropReason.VLAN_NOT_ADMITTED)


@nic_test(
    RACK,
    ip=FAMILIES,
    sent={
        "a_in_a_vlan_it_is_not_in": (VM_A, A_MAC, VLAN_C_TAG, C_TAG),
        "b_with_the_uplinks_tag": (VM_B, B_MAC, WIRE_S_TAG, S_TAG),
        "b_with_an_s_tag_of_its_vlan": (VM_B, B_MAC, VLAN_S_TAG, S_TAG),
        "c_tagged_where_it_is_untagged": (VM_C, C_MAC, VLAN_C_TAG, C_TAG),
        "a_with_the_reserved_vlan_id": (VM_A, A_MAC, 4095, C_TAG),
    },
)
def test_guest_may_not_send_in_a_vlan_it_was_not_given(dut: Dut, ip: Family, sent: tuple[int, str, int, int]) -> None:
    port, mac, vlan_id, ether_type = sent
    frame = udp(ip, (mac, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(port, tagged(frame, vlan_id, ether_type=ether_type)).assert_dropped(DropReason.VNIC_VLAN_NOT_ALLOWED)


@nic_test(RACK, ip=FAMILIES)
def test_port_without_a_role_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(UNUSED, from_outside(ip, A_MAC)).assert_dropped(DropReason.PORT_NOT_ADMITTED)


@nic_test(RACK, ip=FAMILIES)
def test_host_speaks_for_the_vnic_its_descriptor_names(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (HOST_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(HOST, tx_desc(frame, vnic_id=HOST_VNIC)).assert_out({WAN: frame})


@nic_test(RACK, ip=FAMILIES)
def test_host_is_held_to_the_vlans_of_the_vnic_it_speaks_for(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (B_MAC, STRANGER_MAC), (B_IP[ip], ip.outside))
    sent = [
        tx_desc(tagged(frame, VLAN_S_TAG), vnic_id=B_VNIC),
        tx_desc(tagged(frame, VLAN_S_TAG), vnic_id=HOST_VNIC),
    ]
    dut.send(HOST, sent[0]).assert_out({WAN: tagged(frame, WIRE_S_TAG, ether_type=S_TAG)})
    dut.send(HOST, sent[1]).assert_dropped(DropReason.VNIC_VLAN_NOT_ALLOWED)


@nic_test(RACK, length={str(length): length for length in range(1, 6)})
def test_frame_without_a_whole_descriptor_is_refused(dut: Dut, length: int) -> None:
    dut.send(HOST, tx_desc(b"", vnic_id=HOST_VNIC)[:length]).assert_dropped(DropReason.PARSE_TOO_SHORT)
