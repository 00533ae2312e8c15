# SPDX-License-Identifier: Apache-2.0
"""receive_rings: what is for a router itself goes to its local rings, what it is to pass on to its forwarding rings.

- Its addresses, its subnets' broadcasts and their anycast address are its own; any other destination is not.
- Multicast, broadcast, link-local destinations, options that a router has to look at, what expires here and all that
  is not IP are the router's own to see.
- An address is somebody's on one VNIC only: two VNICs may own each other's foreign addresses.
- Nobody else sends to a VNIC from its own address.
- An ordinary guest has local rings only, whatever the destination.
"""

from __future__ import annotations

from collections.abc import Callable

from scapy.layers.inet import UDP, IPOption_Router_Alert
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, IPv6ExtHdrHopByHop

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, arp, ether, probe, tagged, udp
from harness.nic import nic_test
from harness.nic.ports import ROUTER, ROUTER_FORWARD, VM_A, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_IP,
    GATEWAY_IP,
    GATEWAY_MAC,
    OUTSIDE_MAC,
    ROUTER_IP,
    ROUTER_MAC,
    ROUTER_VNIC,
    VLAN_C_TAG,
    rack_with_router,
)
from headgate.vocabulary import DropReason

BY_GUEST = rack_with_router("guest")
TO_ROUTER = (OUTSIDE_MAC, ROUTER_MAC)
VLAN_C_TAG_IP = {IPV4: "10.20.0.1", IPV6: "2001:db8:20::1"}


def to(ip: Family, dst: str, hops: int = 64) -> bytes:
    return udp(ip, TO_ROUTER, (ip.outside, dst), hops=hops)


@nic_test(BY_GUEST, ip=FAMILIES)
def test_own_address_is_local(dut: Dut, ip: Family) -> None:
    frame = to(ip, ROUTER_IP[ip])
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_any_other_address_is_to_be_passed_on_as_it_came(dut: Dut, ip: Family) -> None:
    frame = to(ip, ip.far)
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


@nic_test(rack_with_router("nic_on_transmit"), ip=FAMILIES)
def test_forwarding_ring_of_a_router_whose_nic_routes_on_transmit_has_the_frame_as_it_came(
    dut: Dut, ip: Family
) -> None:
    local, passing = to(ip, ROUTER_IP[ip]), to(ip, ip.far)
    dut.send(WAN, local, passing).assert_out({ROUTER: local, ROUTER_FORWARD: passing})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_each_ring_is_counted_by_vnic_and_type(dut: Dut, ip: Family) -> None:
    def hits() -> list[int]:
        return [dut.controller.hits("ring_group", vnic_id=ROUTER_VNIC, ring_type=ring_type) for ring_type in (1, 2)]

    before = hits()
    dut.send(WAN, to(ip, ROUTER_IP[ip]), to(ip, ip.far), to(ip, ip.far))
    assert [after - start for after, start in zip(hits(), before, strict=True)] == [1, 2]


OWN: dict[str, tuple[Family, str]] = {
    "ipv4_subnet_broadcast": (IPV4, "10.0.0.255"),
    "ipv4_of_another_vlan": (IPV4, VLAN_C_TAG_IP[IPV4]),
    "ipv6_of_another_vlan": (IPV6, VLAN_C_TAG_IP[IPV6]),
    "ipv6_subnet_router_anycast": (IPV6, "2001:db8::"),
    "ipv4_limited_broadcast": (IPV4, "255.255.255.255"),
    "ipv4_all_routers": (IPV4, "224.0.0.2"),
    "ipv4_ospf": (IPV4, "224.0.0.5"),
    "ipv4_multicast": (IPV4, "239.255.255.255"),
    "ipv4_link_local": (IPV4, "169.254.7.7"),
    "ipv6_all_routers": (IPV6, "ff02::2"),
    "ipv6_multicast_of_wide_scope": (IPV6, "ff0e::1"),
    "ipv6_link_local": (IPV6, "fe80::1"),
    "ipv6_end_of_link_local": (IPV6, "febf:ffff::1"),
}


@nic_test(BY_GUEST, own=OWN)
def test_destination_that_is_the_routers_to_see_is_local(dut: Dut, own: tuple[Family, str]) -> None:
    frame = to(*own)
    dut.send(WAN, frame).assert_out({ROUTER: frame})


FOREIGN: dict[str, tuple[Family, str]] = {
    "ipv4_network_address": (IPV4, "10.0.0.0"),
    "ipv4_neighbor": (IPV4, GATEWAY_IP[IPV4]),
    "ipv4_guest": (IPV4, A_IP[IPV4]),
    "ipv4_beside_link_local": (IPV4, "169.253.255.255"),
    "ipv4_beside_multicast": (IPV4, "223.255.255.255"),
    "ipv6_neighbor": (IPV6, GATEWAY_IP[IPV6]),
    "ipv6_guest": (IPV6, A_IP[IPV6]),
    "ipv6_beside_link_local": (IPV6, "fec0::1"),
    "ipv6_unique_local": (IPV6, "fd00::1"),
}


@nic_test(BY_GUEST, foreign=FOREIGN)
def test_destination_that_only_looks_like_its_own_is_passed_on(dut: Dut, foreign: tuple[Family, str]) -> None:
    frame = to(*foreign)
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_broadcast_of_one_family_means_nothing_in_the_other(dut: Dut, ip: Family) -> None:
    """The last address of an IPv6 prefix is an ordinary one; an IPv4 broadcast is one in its own subnet only."""
    dst = {IPV4: "10.0.1.255", IPV6: "2001:db8::ffff:ffff:ffff:ffff"}[ip]
    frame = to(ip, dst)
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


FOR_A_FULL_STACK: dict[str, Callable[[], bytes]] = {
    "ipv4_router_alert": lambda: ether(
        *TO_ROUTER, IPV4.header(IPV4.outside, IPV4.far, options=[IPOption_Router_Alert()]), UDP(), probe()
    ),
    "ipv6_hop_by_hop": lambda: ether(
        *TO_ROUTER, IPV6.header(IPV6.outside, IPV6.far), IPv6ExtHdrHopByHop(), UDP(), probe()
    ),
    "ipv4_ttl_1": lambda: to(IPV4, IPV4.far, hops=1),
    "ipv6_hop_limit_1": lambda: to(IPV6, IPV6.far, hops=1),
}


@nic_test(BY_GUEST, build=FOR_A_FULL_STACK)
def test_what_a_router_has_to_process_or_to_answer_is_local(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = build()
    dut.send(WAN, frame).assert_out({ROUTER: frame})


RESOLUTION: dict[str, Callable[[], bytes]] = {
    "arp_request": lambda: arp(OUTSIDE_MAC, ROUTER_MAC, IPV4.outside, ROUTER_IP[IPV4]),
    "arp_reply": lambda: arp(GATEWAY_MAC, ROUTER_MAC, GATEWAY_IP[IPV4], ROUTER_IP[IPV4], reply=True),
    "arp_request_for_somebody_else": lambda: arp(OUTSIDE_MAC, ROUTER_MAC, IPV4.outside, IPV4.far),
    "neighbor_solicitation": lambda: ether(
        *TO_ROUTER, IPV6.header(IPV6.outside, ROUTER_IP[IPV6], 255), ICMPv6ND_NS(tgt=ROUTER_IP[IPV6]), probe()
    ),
    "neighbor_advertisement": lambda: ether(
        *TO_ROUTER, IPV6.header(GATEWAY_IP[IPV6], ROUTER_IP[IPV6], 255), ICMPv6ND_NA(tgt=GATEWAY_IP[IPV6]), probe()
    ),
    "not_ip": lambda: ether(*TO_ROUTER, probe(), ether_type=0x88B5),
}


@nic_test(BY_GUEST, build=RESOLUTION)
def test_address_resolution_and_what_is_not_ip_is_local(dut: Dut, build: Callable[[], bytes]) -> None:
    frame = build()
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_both_rings_have_the_tag_of_the_vlan(dut: Dut, ip: Family) -> None:
    local, passing = (tagged(to(ip, dst), VLAN_C_TAG, pcp=3) for dst in (VLAN_C_TAG_IP[ip], ip.far))
    dut.send(WAN, local, passing).assert_out({ROUTER: local, ROUTER_FORWARD: passing})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_guest_passes_packets_to_the_router_as_the_wire_does(dut: Dut, ip: Family) -> None:
    local = udp(ip, (A_MAC, ROUTER_MAC), (A_IP[ip], ROUTER_IP[ip]))
    passing = udp(ip, (A_MAC, ROUTER_MAC), (A_IP[ip], ip.far))
    dut.send(VM_A, local, passing).assert_out({ROUTER: local, ROUTER_FORWARD: passing})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_ordinary_guest_sees_every_destination_on_its_local_ring(dut: Dut, ip: Family) -> None:
    frames = [udp(ip, (OUTSIDE_MAC, A_MAC), (ip.outside, dst)) for dst in (A_IP[ip], B_IP[ip], ROUTER_IP[ip], ip.far)]
    dut.send(WAN, *frames).assert_out({VM_A: frames})


OWN_SOURCES: dict[str, tuple[Family, str]] = {
    "ipv4_address": (IPV4, ROUTER_IP[IPV4]),
    "ipv4_address_of_another_vlan": (IPV4, VLAN_C_TAG_IP[IPV4]),
    "ipv4_subnet_broadcast": (IPV4, "10.0.0.255"),
    "ipv6_address": (IPV6, ROUTER_IP[IPV6]),
    "ipv6_address_of_another_vlan": (IPV6, VLAN_C_TAG_IP[IPV6]),
}


@nic_test(BY_GUEST, source=OWN_SOURCES, dst={"local": ROUTER_IP, "passing": {IPV4: IPV4.far, IPV6: IPV6.far}})
def test_routers_own_address_as_a_source_is_refused(
    dut: Dut, source: tuple[Family, str], dst: dict[Family, str]
) -> None:
    ip, src = source
    dut.send(WAN, udp(ip, TO_ROUTER, (src, dst[ip]))).assert_dropped(DropReason.SRC_ADDR_IS_LOCAL)


@nic_test(BY_GUEST, ip=FAMILIES)
def test_routers_own_address_as_a_source_is_refused_from_a_guest_too(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (A_MAC, ROUTER_MAC), (ROUTER_IP[ip], ip.far))
    dut.send(VM_A, frame).assert_dropped(DropReason.SRC_ADDR_IS_LOCAL)


@nic_test(BY_GUEST, ip=FAMILIES)
def test_router_itself_sends_from_its_address(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (ROUTER_MAC, A_MAC), (ROUTER_IP[ip], A_IP[ip]))
    dut.send(ROUTER, frame).assert_out({VM_A: frame})


@nic_test(BY_GUEST, ip=FAMILIES)
def test_router_that_routes_for_itself_sends_on_its_forwarding_ring(dut: Dut, ip: Family) -> None:
    """What it has routed carries its own MAC address, and anybody's IP address."""
    frame = udp(ip, (ROUTER_MAC, GATEWAY_MAC), (A_IP[ip], ip.far))
    dut.send(ROUTER_FORWARD, frame).assert_out({WAN: frame})
