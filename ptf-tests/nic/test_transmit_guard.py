# SPDX-License-Identifier: Apache-2.0
"""transmit_guard: a guest sends from its own MAC addresses only, and who it is does not depend on what it says.

- Each of a guest's addresses is allowed, in every VLAN it is in; any other is refused, be it somebody's or nobody's.
- The host is held to the VNIC its descriptor names.
- What is put on a forwarding ring is as it was received: it is known by the address it was sent to.
"""

from __future__ import annotations

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, Family, arp, tagged, udp
from harness.nic import nic_test
from harness.nic.host import tx_desc
from harness.nic.ports import HOST, ROUTER_FORWARD, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_SECOND_MAC,
    B_IP,
    B_MAC,
    B_VNIC,
    C_MAC,
    GATEWAY_IP,
    HOST_MAC,
    HOST_VNIC,
    OUTSIDE_MAC,
    RACK,
    STRANGER_MAC,
    VLAN_C_TAG,
    VLAN_S_TAG,
    rack_with_router,
)
from headgate.vocabulary import DropReason, Transmit


@nic_test(RACK, ip=FAMILIES, mac={"first": A_MAC, "second": A_SECOND_MAC})
def test_guest_sends_from_any_of_its_addresses(dut: Dut, ip: Family, mac: str) -> None:
    frame = udp(ip, (mac, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.send(VM_A, frame).assert_out({WAN: frame})


@nic_test(RACK, ip=FAMILIES, mac={"another_guests": B_MAC, "the_hosts": HOST_MAC, "nobodys": STRANGER_MAC})
def test_guest_may_not_send_from_an_address_that_is_not_its_own(dut: Dut, ip: Family, mac: str) -> None:
    dut.send(VM_A, udp(ip, (mac, OUTSIDE_MAC), (A_IP[ip], ip.outside))).assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(RACK)
def test_spoofed_arp_is_flooded_to_nobody(dut: Dut) -> None:
    spoofed = arp(B_MAC, BROADCAST, B_IP[IPV4], GATEWAY_IP[IPV4])
    dut.send(VM_A, spoofed).assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(RACK, ip=FAMILIES)
def test_one_address_may_be_two_guests_in_two_vlans(dut: Dut, ip: Family) -> None:
    of_a = udp(ip, (A_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    of_c = udp(ip, (C_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    dut.exchange([(VM_A, of_a), (VM_C, of_c)]).assert_out({WAN: [of_a, tagged(of_c, VLAN_C_TAG)]})


@nic_test(RACK, ip=FAMILIES)
def test_address_is_guarded_in_tagged_vlans_too(dut: Dut, ip: Family) -> None:
    spoofed = udp(ip, (STRANGER_MAC, OUTSIDE_MAC), (B_IP[ip], ip.outside))
    dut.send(VM_B, tagged(spoofed, VLAN_S_TAG)).assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(RACK, ip=FAMILIES)
def test_host_may_not_lend_one_vnic_the_address_of_another(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (HOST_MAC, OUTSIDE_MAC), (A_IP[ip], ip.outside))
    dut.send(HOST, tx_desc(frame, vnic_id=B_VNIC)).assert_dropped(DropReason.SRC_MAC_SPOOFED)
    dut.send(HOST, tx_desc(frame, vnic_id=HOST_VNIC)).assert_out({WAN: frame})


@nic_test(RACK, ip=FAMILIES)
def test_descriptor_cannot_claim_the_router_role_for_a_guest_without_it(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (OUTSIDE_MAC, STRANGER_MAC), (ip.outside, ip.far))
    sent = tx_desc(frame, vnic_id=B_VNIC, transmit=Transmit.ROUTED)
    dut.send(HOST, sent).assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(rack_with_router("nic_on_transmit"), ip=FAMILIES)
def test_forwarding_ring_takes_only_what_was_sent_to_its_vnic(dut: Dut, ip: Family) -> None:
    foreign = udp(ip, (OUTSIDE_MAC, STRANGER_MAC), (ip.outside, ip.far))
    dut.send(ROUTER_FORWARD, foreign).assert_dropped(DropReason.SRC_MAC_SPOOFED)
