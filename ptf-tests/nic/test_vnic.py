# SPDX-License-Identifier: Apache-2.0
"""vnic: destination MAC address and VLAN say whose a frame is.

- {VLAN, MAC} names a VNIC, by any of its addresses; one MAC can be two VNICs in two VLANs.
- What a guest sends to a guest of the same NIC does not see the wire.
- A unicast address that is nobody's goes from the wire to the host's default ring, from a guest to the wire.
- Link-constrained groups (IEEE 802.1Q table 8-1) are the host's business when they come from the wire, and go nowhere
  when a guest sends them.
- What a guest sends to itself, and what has nowhere to go, is dropped.
"""

from __future__ import annotations

from typing import Any

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe, tagged, udp
from harness.nic import nic_test
from harness.nic.host import rx_desc, tx_desc
from harness.nic.ports import HOST, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_SECOND_MAC,
    A_VNIC,
    B_IP,
    B_MAC,
    B_VNIC,
    C_IP,
    C_MAC,
    HOST_MAC,
    HOST_RING,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    STRANGER_MAC,
    VLAN_C_TAG,
    VLAN_PRIVATE,
    VLAN_UNTAGGED,
)
from headgate.vocabulary import DropReason, RingType

NO_DEFAULT_RING: dict[str, Any] = {key: value for key, value in RACK.items() if key != "default_ring"}


@nic_test(RACK, ip=FAMILIES, mac={"first": A_MAC, "second": A_SECOND_MAC})
def test_each_address_of_a_guest_reaches_it(dut: Dut, ip: Family, mac: str) -> None:
    frame = udp(ip, (OUTSIDE_MAC, mac), (ip.outside, A_IP[ip]))
    dut.send(WAN, frame).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_one_mac_and_one_ip_address_are_two_guests_in_two_vlans(dut: Dut, ip: Family) -> None:
    for_a = udp(ip, (OUTSIDE_MAC, A_MAC), (ip.outside, A_IP[ip]))
    for_c = udp(ip, (OUTSIDE_MAC, C_MAC), (ip.outside, C_IP[ip]))
    observed = dut.send(WAN, for_a, tagged(for_c, VLAN_C_TAG), for_a)
    observed.assert_out({VM_A: [for_a, for_a], VM_C: for_c})


@nic_test(RACK, ip=FAMILIES)
def test_address_is_nobodys_in_another_vlan(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (OUTSIDE_MAC, B_MAC), (ip.outside, B_IP[ip]))
    received = tagged(frame, VLAN_C_TAG)
    # The host's VNIC is not in that VLAN: the tag says which one the frame was in.
    delivered = rx_desc(received, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.DEFAULT)
    dut.send(WAN, received).assert_out({HOST: delivered})


@nic_test(RACK, ip=FAMILIES)
def test_guest_to_guest_stays_in_the_nic(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]))
    dut.send(VM_A, frame).assert_out({VM_B: frame})


@nic_test(RACK, ip=FAMILIES)
def test_guests_of_two_vlans_do_not_reach_each_other_in_the_nic(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (C_MAC, B_MAC), (C_IP[ip], B_IP[ip]))
    dut.send(VM_C, frame).assert_out({WAN: tagged(frame, VLAN_C_TAG)})


@nic_test(RACK, ip=FAMILIES)
def test_host_to_guest_and_back(dut: Dut, ip: Family) -> None:
    there = udp(ip, (HOST_MAC, A_MAC), (ip.outside, A_IP[ip]))
    back = udp(ip, (A_MAC, HOST_MAC), (A_IP[ip], ip.outside))
    dut.send(HOST, tx_desc(there, vnic_id=HOST_VNIC)).assert_out({VM_A: there})
    (delivered,) = dut.send(VM_A, back).frames[HOST]
    assert delivered[12:] == back


@nic_test(RACK, ip=FAMILIES)
def test_unknown_unicast_from_the_wire_is_the_hosts_alone(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (OUTSIDE_MAC, STRANGER_MAC), (ip.outside, A_IP[ip]))
    delivered = rx_desc(frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.DEFAULT)
    dut.send(WAN, frame).assert_out({HOST: delivered})


@nic_test(RACK, ip=FAMILIES)
def test_unknown_unicast_from_a_guest_goes_to_the_wire_alone(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (A_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(VM_A, frame).assert_out({WAN: frame})


@nic_test(NO_DEFAULT_RING, ip=FAMILIES)
def test_unknown_unicast_without_a_default_ring_is_dropped(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (OUTSIDE_MAC, STRANGER_MAC), (ip.outside, A_IP[ip]))
    dut.send(WAN, frame).assert_dropped(DropReason.NO_DEFAULT_RING)


@nic_test(RACK, ip=FAMILIES)
def test_unknown_unicast_in_a_vlan_without_an_uplink_is_dropped(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (B_MAC, STRANGER_MAC), (B_IP[ip], ip.outside))
    dut.send(VM_B, tagged(frame, VLAN_PRIVATE)).assert_dropped(DropReason.NO_UPLINK)


@nic_test(RACK, ip=FAMILIES, mac={"first": A_MAC, "second": A_SECOND_MAC})
def test_frame_of_a_guest_to_itself_is_dropped(dut: Dut, ip: Family, mac: str) -> None:
    frame = udp(ip, (A_MAC, mac), (A_IP[ip], A_IP[ip]))
    dut.send(VM_A, frame).assert_dropped(DropReason.DST_IS_SOURCE)


RESERVED_GROUPS = {
    name: (f"01:80:c2:00:00:{last:02x}", ether_type)
    for name, last, ether_type in (
        ("stp", 0, 0x88B5),
        ("lacp", 2, 0x8809),
        ("lldp", 0xE, 0x88CC),
        ("last", 0xF, 0x88B5),
    )
}


@nic_test(RACK, group=RESERVED_GROUPS)
def test_link_constrained_group_from_the_wire_is_the_hosts_alone(dut: Dut, group: tuple[str, int]) -> None:
    frame = ether(OUTSIDE_MAC, group[0], probe(60), ether_type=group[1])
    delivered = rx_desc(frame, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.DEFAULT)
    dut.send(WAN, frame).assert_out({HOST: delivered})


@nic_test(RACK, group=RESERVED_GROUPS)
def test_link_constrained_group_from_a_guest_goes_nowhere(dut: Dut, group: tuple[str, int]) -> None:
    frame = ether(A_MAC, group[0], probe(60), ether_type=group[1])
    dut.send(VM_A, frame).assert_dropped(DropReason.RESERVED_GROUP_ADDRESS)


@nic_test(RACK)
def test_frames_are_counted_by_the_address_they_were_for(dut: Dut) -> None:
    def hits(vlan_id: int, mac: str) -> int:
        return dut.controller.hits("l2_classify", vlan_id=vlan_id, dst_mac=mac)

    addresses = [(VLAN_UNTAGGED, A_MAC), (VLAN_UNTAGGED, A_SECOND_MAC), (VLAN_C_TAG, C_MAC)]
    before = [hits(*address) for address in addresses]
    for_a = udp(IPV4, (OUTSIDE_MAC, A_MAC), (IPV4.outside, A_IP[IPV4]))
    second = udp(IPV6, (OUTSIDE_MAC, A_SECOND_MAC), (IPV6.outside, A_IP[IPV6]))
    dut.send(WAN, for_a, second, for_a).assert_out({VM_A: [for_a, second, for_a]})
    assert [hits(*address) - start for address, start in zip(addresses, before, strict=True)] == [2, 1, 0]


@nic_test(RACK)
def test_vnics_are_told_apart_by_id_not_by_port(dut: Dut) -> None:
    frame = udp(IPV4, (A_MAC, B_MAC), (A_IP[IPV4], B_IP[IPV4]))
    dut.send(HOST, tx_desc(frame, vnic_id=A_VNIC)).assert_out({VM_B: frame})
    dut.send(HOST, tx_desc(frame, vnic_id=B_VNIC)).assert_dropped(DropReason.SRC_MAC_SPOOFED)
