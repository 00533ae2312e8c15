# SPDX-License-Identifier: Apache-2.0
"""Packet-out: the controller sends on a port, or in a VNIC's name.

- SEND leaves by the port it names, byte for byte, whatever it is.
- TRANSMIT is as if the VNIC had sent the frame in the VLAN it names: guarded, classified, flooded, tagged.
- ROUTE is as if the VNIC had put the frame, as received, on its forwarding ring (see test_routing).
- A port that is no wire, a VLAN id that does not exist and a mode that is none are refused.
"""

from __future__ import annotations

from harness.dut import Dut
from harness.frames import BROADCAST, FAMILIES, IPV4, S_TAG, Family, arp, ether, probe, tagged, udp
from harness.nic import nic_test
from harness.nic.host import rx_desc
from harness.nic.ports import CPU, HOST, PACKETS, VM_A, VM_B, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    A_VNIC,
    B_IP,
    B_MAC,
    B_VNIC,
    GATEWAY_IP,
    HOST_RING,
    HOST_VNIC,
    RACK,
    STRANGER_MAC,
    VLAN_S_TAG,
    VLAN_UNTAGGED,
    WIRE_S_TAG,
)
from headgate.vocabulary import DropReason, PacketOutMode, RingType


def broken() -> bytes:
    return ether(A_MAC, B_MAC, IPV4.header(A_IP[IPV4], B_IP[IPV4], hops=0, ihl=3, chksum=0), probe())


SENT = {
    "udp": lambda: udp(IPV4, (A_MAC, B_MAC), (A_IP[IPV4], B_IP[IPV4])),
    "doubly_tagged": lambda: tagged(tagged(udp(IPV4, (A_MAC, B_MAC), (A_IP[IPV4], B_IP[IPV4])), 7), 9),
    "lldp": lambda: ether(A_MAC, "01:80:c2:00:00:0e", probe(), ether_type=0x88CC),
    "what_validation_would_refuse": broken,
}


@nic_test(RACK, port={str(port): port for port in PACKETS})
def test_send_leaves_by_the_port_it_names(dut: Dut, port: int) -> None:
    frame = udp(IPV4, (A_MAC, B_MAC), (A_IP[IPV4], B_IP[IPV4]))
    dut.packet_out(frame, PacketOutMode.SEND, port=port).assert_out({port: frame})


@nic_test(RACK, build=SENT)
def test_send_changes_nothing(dut: Dut, build) -> None:
    frame = build()
    dut.packet_out(frame, PacketOutMode.SEND, port=VM_A).assert_out({VM_A: frame})


@nic_test(RACK, ip=FAMILIES)
def test_transmit_reaches_guests_and_the_wire_as_the_vnics_own_frames_do(dut: Dut, ip: Family) -> None:
    to_guest = udp(ip, (A_MAC, B_MAC), (A_IP[ip], B_IP[ip]))
    to_wire = udp(ip, (B_MAC, STRANGER_MAC), (B_IP[ip], ip.outside))
    as_a = {"vnic_id": A_VNIC, "vlan_id": VLAN_UNTAGGED}
    as_b = {"vnic_id": B_VNIC, "vlan_id": VLAN_S_TAG}
    dut.packet_out(to_guest, PacketOutMode.TRANSMIT, **as_a).assert_out({VM_B: to_guest})
    dut.packet_out(to_wire, PacketOutMode.TRANSMIT, **as_b).assert_out(
        {WAN: tagged(to_wire, WIRE_S_TAG, ether_type=S_TAG)}
    )


@nic_test(RACK)
def test_transmitted_arp_request_is_flooded_to_all_but_its_vnic(dut: Dut) -> None:
    request = arp(A_MAC, BROADCAST, A_IP[IPV4], GATEWAY_IP[IPV4])
    for_host = rx_desc(request, ring_id=HOST_RING, vnic_id=HOST_VNIC, ring_type=RingType.LOCAL)
    observed = dut.packet_out(request, PacketOutMode.TRANSMIT, vnic_id=A_VNIC, vlan_id=VLAN_UNTAGGED)
    observed.assert_out({WAN: request, VM_B: request, HOST: for_host})


@nic_test(RACK, ip=FAMILIES)
def test_transmit_is_guarded(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (A_MAC, STRANGER_MAC), (A_IP[ip], ip.outside))
    observed = dut.packet_out(frame, PacketOutMode.TRANSMIT, vnic_id=B_VNIC, vlan_id=VLAN_UNTAGGED)
    observed.assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(RACK)
def test_route_is_guarded(dut: Dut) -> None:
    frame = udp(IPV4, (STRANGER_MAC, A_MAC), (IPV4.outside, IPV4.far))
    observed = dut.packet_out(frame, PacketOutMode.ROUTE, vnic_id=A_VNIC, vlan_id=VLAN_UNTAGGED)
    observed.assert_dropped(DropReason.SRC_MAC_SPOOFED)


@nic_test(
    RACK,
    fields={
        "no_mode": {"mode": 0},
        "the_host_port": {"mode": PacketOutMode.SEND, "port": HOST},
        "the_controllers_port": {"mode": PacketOutMode.SEND, "port": CPU},
        "the_drop_port": {"mode": PacketOutMode.SEND, "port": 511},
        "a_port_of_10_bits": {"mode": PacketOutMode.SEND, "port": 512},
        "the_largest_port": {"mode": PacketOutMode.SEND, "port": 0xFFFF},
        "the_reserved_vlan_id": {"mode": PacketOutMode.TRANSMIT, "vnic_id": A_VNIC, "vlan_id": 4095},
        "a_vlan_id_of_13_bits": {"mode": PacketOutMode.ROUTE, "vnic_id": A_VNIC, "vlan_id": 4096},
    },
)
def test_packet_out_that_makes_no_sense_is_refused(dut: Dut, fields: dict[str, int]) -> None:
    frame = udp(IPV4, (A_MAC, B_MAC), (A_IP[IPV4], B_IP[IPV4]))
    rest = {name: value for name, value in fields.items() if name != "mode"}
    observed = dut.packet_out(frame, PacketOutMode(fields["mode"]), **rest)
    observed.assert_dropped(DropReason.PACKET_OUT_INVALID)
