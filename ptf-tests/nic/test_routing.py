# SPDX-License-Identifier: Apache-2.0
"""routing: the NIC passes on what a router is only to pass on, by that router's own tables.

- On receive, or when the router's stack has put the frame on its forwarding ring: the same routes, the same outcome.
- A next hop is on the wire or a VNIC of this NIC; the frame leaves with its MAC addresses, one hop less, in its VLAN.
- A neighbor that is not known, an expired hop count, a packet too big and a destination without a route are the
  controller's business: it is given the frame as it was received and what it needs to act.
- Black holes, and addresses that no router passes on, drop.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from finsy import Action, Match, P4TableEntry
from scapy.layers.inet import UDP

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, arp, ether, probe, routed, tagged, udp
from harness.nic import nic_test
from harness.nic.ports import CPU, ROUTER, ROUTER_FORWARD, VM_A, VM_B, VM_C, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_IP,
    B_MAC,
    GATEWAY_IP,
    GATEWAY_MAC,
    OUTSIDE_MAC,
    ROUTER_IP,
    ROUTER_MAC,
    ROUTER_VNIC,
    VLAN_C_TAG,
    VLAN_UNTAGGED,
    RoutedBy,
    rack_with_router,
)
from harness.observed import Observed
from headgate.vocabulary import DropReason, PacketOutMode, PuntReason

NO_NEIGHBORS = {"neighbors": []}
FAR_NEIGHBOR_MAC = "00:00:5e:00:53:20"
IN_VLAN_C_TAG = {IPV4: "10.20.0.9", IPV6: "2001:db8:20::9"}
WITH_TAGGED_NEIGHBOR = {
    "neighbors": [{"address": address, "mac": FAR_NEIGHBOR_MAC} for address in IN_VLAN_C_TAG.values()]
}
TO_ROUTER = (OUTSIDE_MAC, ROUTER_MAC)


@dataclass(frozen=True, slots=True)
class Way:
    """How a frame that was sent to the router comes to be routed by the NIC."""

    routed_by: RoutedBy
    send: Callable[[Dut, bytes], Observed]
    ingress_port: int


ON_RECEIVE = Way("nic_on_receive", lambda dut, frame: dut.send(WAN, frame), WAN)
ON_TRANSMIT = Way("nic_on_transmit", lambda dut, frame: dut.send(ROUTER_FORWARD, frame), ROUTER_FORWARD)
BY_CONTROLLER = Way(
    "nic_on_receive",
    lambda dut, frame: dut.packet_out(frame, PacketOutMode.ROUTE, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED),
    CPU,
)


def routing_test(**changes: object):
    """A test of every way and address family, with `changes` to the router's `forwarding`."""

    def expand(function: Callable[[Dut, Family, Way], None]) -> None:
        for name, way in (("on_receive", ON_RECEIVE), ("on_transmit", ON_TRANSMIT), ("by_controller", BY_CONTROLLER)):
            nic_test(rack_with_router(way.routed_by, **changes), ip=FAMILIES, way={name: way})(function)

    return expand


def to(ip: Family, dst: str, hops: int = 64) -> bytes:
    return udp(ip, TO_ROUTER, (ip.outside, dst), hops=hops)


# ---- passed on


@routing_test()
def test_packet_leaves_to_the_gateway_with_its_mac_and_one_hop_less(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, ip.far)
    way.send(dut, frame).assert_out({WAN: routed(frame, ROUTER_MAC, GATEWAY_MAC)})


@routing_test()
def test_packet_for_a_guest_on_a_connected_prefix_is_given_to_it(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, A_IP[ip])
    way.send(dut, frame).assert_out({VM_A: routed(frame, ROUTER_MAC, A_MAC)})


@routing_test(**WITH_TAGGED_NEIGHBOR)
def test_packet_leaves_in_the_vlan_of_its_next_hop(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, IN_VLAN_C_TAG[ip])
    way.send(dut, frame).assert_out({WAN: tagged(routed(frame, ROUTER_MAC, FAR_NEIGHBOR_MAC), VLAN_C_TAG)})


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_packet_received_in_one_vlan_leaves_in_another_with_its_priority(dut: Dut, ip: Family) -> None:
    frame = to(ip, ip.far)
    dut.send(WAN, tagged(frame, VLAN_C_TAG, pcp=5)).assert_out({WAN: routed(frame, ROUTER_MAC, GATEWAY_MAC)})


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_guest_reaches_the_world_and_other_guests_through_the_router(dut: Dut, ip: Family) -> None:
    out = udp(ip, (A_MAC, ROUTER_MAC), (A_IP[ip], ip.far))
    across = udp(ip, (B_MAC, ROUTER_MAC), (B_IP[ip], A_IP[ip]))
    dut.send(VM_A, out).assert_out({WAN: routed(out, ROUTER_MAC, GATEWAY_MAC)})
    dut.send(VM_B, across).assert_out({VM_A: routed(across, ROUTER_MAC, A_MAC)})


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_router_keeps_what_is_its_own(dut: Dut, ip: Family) -> None:
    frame = to(ip, ROUTER_IP[ip])
    last_hop = to(ip, ROUTER_IP[ip], hops=1)
    dut.send(WAN, frame, last_hop).assert_out({ROUTER: [frame, last_hop]})


@routing_test(mtu=1280)
def test_packet_of_exactly_the_mtu_is_passed_on(dut: Dut, ip: Family, way: Way) -> None:
    frame = sized(ip, 1280)
    way.send(dut, frame).assert_out({WAN: routed(frame, ROUTER_MAC, GATEWAY_MAC)})


@routing_test()
def test_packet_with_two_hops_left_leaves_with_one(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, ip.far, hops=2)
    way.send(dut, frame).assert_out({WAN: routed(frame, ROUTER_MAC, GATEWAY_MAC)})


LONGEST = [
    *({"prefix": p, "via": GATEWAY_IP[IPV4]} for p in ("0.0.0.0/0", "203.0.113.0/24")),
    {"prefix": "203.0.0.0/8", "to": "blackhole"},
    {"prefix": "203.0.113.8/32", "to": "blackhole"},
    *({"prefix": p, "via": GATEWAY_IP[IPV6]} for p in ("::/0", "2001:db8:f::/48")),
    {"prefix": "2001:db8::/32", "to": "blackhole"},
    {"prefix": "2001:db8:f::8/128", "to": "blackhole"},
]


@routing_test(routes=LONGEST)
def test_longest_prefix_decides(dut: Dut, ip: Family, way: Way) -> None:
    gateway = (ROUTER_MAC, GATEWAY_MAC)
    by_default, by_prefix = to(ip, ip.unroutable), to(ip, ip.far)
    way.send(dut, by_default).assert_out({WAN: routed(by_default, *gateway)})
    way.send(dut, by_prefix).assert_out({WAN: routed(by_prefix, *gateway)})
    way.send(dut, to(ip, str(ip_address(ip.far) - 1))).assert_dropped(DropReason.BLACKHOLE_ROUTE)


# ---- to the controller


@routing_test(**NO_NEIGHBORS)
def test_unknown_gateway_is_for_the_controller_to_resolve(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, ip.far)
    way.send(dut, frame).assert_punted(
        PuntReason.NEIGHBOR_MISS,
        frame,
        ingress_port=way.ingress_port,
        vnic_id=ROUTER_VNIC,
        vlan_id=VLAN_UNTAGGED,
        next_hop=int(ip_address(GATEWAY_IP[ip])),
    )


@routing_test()
def test_unknown_neighbor_is_looked_for_in_its_own_vlan(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, IN_VLAN_C_TAG[ip])
    way.send(dut, frame).assert_punted(
        PuntReason.NEIGHBOR_MISS,
        frame,
        ingress_port=way.ingress_port,
        vnic_id=ROUTER_VNIC,
        vlan_id=VLAN_C_TAG,
        next_hop=int(ip_address(IN_VLAN_C_TAG[ip])),
    )


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_controller_is_given_the_frame_with_the_tag_it_came_with(dut: Dut, ip: Family) -> None:
    frame = tagged(to(ip, ip.unroutable), VLAN_C_TAG, pcp=3)
    dut.send(WAN, frame).assert_punted(PuntReason.NO_ROUTE, frame, vnic_id=ROUTER_VNIC, vlan_id=VLAN_C_TAG)


@routing_test()
def test_packet_on_its_last_hop_is_the_controllers_to_answer(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, ip.far, hops=1)
    way.send(dut, frame).assert_punted(
        PuntReason.TTL_EXPIRED, frame, ingress_port=way.ingress_port, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED
    )


@routing_test()
def test_packet_without_a_route_is_the_controllers_to_answer(dut: Dut, ip: Family, way: Way) -> None:
    frame = to(ip, ip.unroutable)
    way.send(dut, frame).assert_punted(
        PuntReason.NO_ROUTE, frame, ingress_port=way.ingress_port, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED
    )


def sized(ip: Family, length: int, dst: str | None = None, **fields: str) -> bytes:
    """A packet of so many bytes, from the IP header on, to the far network unless `dst` says otherwise."""
    headers = {IPV4: 20, IPV6: 40}[ip]
    datagram = UDP(sport=4000, dport=5000) / probe(length - headers - 8)
    return ether(*TO_ROUTER, ip.header(ip.outside, dst or ip.far, **fields), datagram)


@routing_test(mtu=1280)
def test_packet_too_big_that_must_not_be_fragmented_is_the_controllers_to_answer(
    dut: Dut, ip: Family, way: Way
) -> None:
    frame = sized(ip, 1281, **({"flags": "DF"} if ip is IPV4 else {}))
    way.send(dut, frame).assert_punted(
        PuntReason.PACKET_TOO_BIG, frame, ingress_port=way.ingress_port, vnic_id=ROUTER_VNIC
    )


@nic_test(rack_with_router("nic_on_receive", mtu=1280))
def test_packet_too_big_that_may_be_fragmented_is_the_stacks_to_fragment(dut: Dut) -> None:
    frame = sized(IPV4, 1281)
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


@nic_test(rack_with_router("nic_on_receive", mtu=1280))
def test_packet_for_the_stack_to_fragment_has_the_tag_of_the_vlan_it_came_in(dut: Dut) -> None:
    untagged, of_vlan = sized(IPV4, 1281, IN_VLAN_C_TAG[IPV4]), tagged(sized(IPV4, 1281), VLAN_C_TAG)
    dut.send(WAN, untagged, of_vlan).assert_out({ROUTER_FORWARD: [untagged, of_vlan]})


@nic_test(rack_with_router("nic_on_transmit", mtu=1280))
def test_packet_too_big_that_the_stack_has_not_fragmented_is_dropped(dut: Dut) -> None:
    dut.send(ROUTER_FORWARD, sized(IPV4, 1281)).assert_dropped(DropReason.FRAGMENTATION_NEEDED)


# ---- to the router's own stack

TO_RING = {
    "routes": [{"prefix": "198.51.100.0/24", "to": "ring"}, {"prefix": "2001:db8:51::/48", "to": "ring"}],
    "neighbors": [],
}
BY_STACK = {IPV4: "198.51.100.1", IPV6: "2001:db8:51::1"}


@nic_test(rack_with_router("nic_on_receive", **TO_RING), ip=FAMILIES)
def test_route_to_the_ring_leaves_the_packet_to_the_routers_stack(dut: Dut, ip: Family) -> None:
    frame = to(ip, BY_STACK[ip])
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


TO_ITS_OWN_RING = [
    P4TableEntry(
        f"ipv{family.name[-1]}_route",
        match=Match({"vnic_id": ROUTER_VNIC, f"ipv{family.name[-1]}_dst": prefix}),
        action=Action("to_ring"),
    )
    for family, prefix in ((IPV4, "198.51.100.0/24"), (IPV6, "2001:db8:51::/48"))
]


@nic_test(rack_with_router("nic_on_transmit"), TO_ITS_OWN_RING, ip=FAMILIES)
def test_frame_does_not_go_back_to_the_ring_it_was_taken_from(dut: Dut, ip: Family) -> None:
    dut.send(ROUTER_FORWARD, to(ip, BY_STACK[ip])).assert_dropped(DropReason.NOT_ROUTABLE)


# ---- dropped


@routing_test()
def test_black_hole_drops(dut: Dut, ip: Family, way: Way) -> None:
    dst = {IPV4: "198.18.0.1", IPV6: "2001:db8:dead::1"}[ip]
    way.send(dut, to(ip, dst)).assert_dropped(DropReason.BLACKHOLE_ROUTE)


UNROUTABLE: dict[str, Callable[[], bytes]] = {
    "ipv4_multicast": lambda: to(IPV4, "239.1.2.3"),
    "ipv4_limited_broadcast": lambda: to(IPV4, "255.255.255.255"),
    "ipv4_to_link_local": lambda: to(IPV4, "169.254.1.1"),
    "ipv4_from_link_local": lambda: udp(IPV4, TO_ROUTER, ("169.254.1.1", IPV4.far)),
    "ipv4_unspecified_source": lambda: udp(IPV4, TO_ROUTER, ("0.0.0.0", "255.255.255.255")),
    "ipv6_multicast": lambda: to(IPV6, "ff0e::1"),
    "ipv6_to_link_local": lambda: to(IPV6, "fe80::9"),
    "ipv6_from_link_local": lambda: udp(IPV6, TO_ROUTER, ("fe80::9", IPV6.far)),
    "ipv6_unspecified_source": lambda: udp(IPV6, TO_ROUTER, ("::", IPV6.far)),
    "arp": lambda: arp(OUTSIDE_MAC, ROUTER_MAC, IPV4.outside, ROUTER_IP[IPV4]),
    "unknown_ether_type": lambda: ether(*TO_ROUTER, probe(), ether_type=0x88B5),
}


@nic_test(rack_with_router("nic_on_transmit"), build=UNROUTABLE)
def test_what_no_router_passes_on_is_dropped(dut: Dut, build: Callable[[], bytes]) -> None:
    dut.send(ROUTER_FORWARD, build()).assert_dropped(DropReason.NOT_ROUTABLE)


@nic_test(
    rack_with_router("nic_on_receive"),
    build={
        name: UNROUTABLE[name] for name in ("ipv4_from_link_local", "ipv6_from_link_local", "ipv6_unspecified_source")
    },
)
def test_source_that_no_router_passes_on_is_dropped_on_receive(dut: Dut, build: Callable[[], bytes]) -> None:
    dut.send(WAN, build()).assert_dropped(DropReason.NOT_ROUTABLE)


# ---- a router's neighbor is a router


def second_router(routed_by: RoutedBy) -> dict:
    """`rack_with_router` where guest C is a gateway, in the router's tagged VLAN, with an address in a far network."""
    config = rack_with_router(
        routed_by,
        routes=[
            {"prefix": "203.0.113.0/24", "via": "10.20.0.2"},
            {"prefix": "2001:db8:f::/48", "via": "2001:db8:20::2"},
        ],
        neighbors=[],
    )
    gateway = {
        **next(vnic for vnic in config["vnics"] if vnic["name"] == "c"),
        "addresses": ["10.20.0.2/24", "2001:db8:20::2/64"],
    }
    return {**config, "vnics": [gateway if vnic["name"] == "c" else vnic for vnic in config["vnics"]]}


def gateway_that_forwards(routed_by: RoutedBy) -> dict:
    """`second_router` where guest C has a forwarding ring, on the port of guest B, which makes room."""
    config = second_router(routed_by)
    vnics = [vnic for vnic in config["vnics"] if vnic["name"] != "b"]
    (gateway,) = (vnic for vnic in vnics if vnic["name"] == "c")
    gateway = {
        **gateway,
        "rings": {**gateway["rings"], "forwarding": [{"ring_id": 40, "port": "b"}]},
        "addresses": [*gateway["addresses"], "203.0.113.200/32", "2001:db8:f::c8/128"],
        "forwarding": {"routed_by": "guest"},
    }
    return {**config, "vnics": [gateway if vnic["name"] == "c" else vnic for vnic in vnics]}


@nic_test(second_router("nic_on_receive"), ip=FAMILIES)
def test_gateway_with_local_rings_only_is_given_what_it_is_to_pass_on(dut: Dut, ip: Family) -> None:
    frame = to(ip, ip.far)
    dut.send(WAN, frame).assert_out({VM_C: routed(frame, ROUTER_MAC, A_MAC)})


@nic_test(gateway_that_forwards("nic_on_receive"), ip=FAMILIES)
def test_gateway_with_forwarding_rings_is_given_it_there(dut: Dut, ip: Family) -> None:
    frame = to(ip, ip.far)
    dut.send(WAN, frame).assert_out({VM_B: routed(frame, ROUTER_MAC, A_MAC)})


@nic_test(gateway_that_forwards("nic_on_receive"), ip=FAMILIES)
def test_gateways_own_address_behind_it_is_local_to_it(dut: Dut, ip: Family) -> None:
    frame = to(ip, {IPV4: "203.0.113.200", IPV6: "2001:db8:f::c8"}[ip])
    dut.send(WAN, frame).assert_out({VM_C: routed(frame, ROUTER_MAC, A_MAC)})
