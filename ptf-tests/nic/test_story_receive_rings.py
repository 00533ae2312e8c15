# SPDX-License-Identifier: Apache-2.0
"""A VNIC that passes packets on has two kinds of rings, and the ring alone says what is to be done with a packet.

Whoever routes (the guest's own stack, the NIC on transmit, or the NIC on receive):

- What is for one of the VNIC's addresses is on its local ring; what is not is on the forwarding ring as it came, or
  leaves routed: a hop less, the right MAC addresses and checksum.
- An address that comes or goes does so between two packets: none is on both rings, or on none.
- What takes an IP stack to answer reaches it: the guest's on its local ring, the controller with all it has to know, at
  a limited rate.
- VNICs' tables are their own: what is local to one is foreign to another, and two may have the same addresses.
- What is for another VNIC of this NIC is routed to that one, and there it is local or to be passed on again.
- Nobody sends to a VNIC from the VNIC's own address.
- 4,096 addresses of each family are a table's guaranteed size, with their subnet broadcasts; one too many is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from finsy import Action, GRPCStatusCode, Match, P4TableEntry

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, arp, routed, tagged, udp
from harness.nic import nic_test
from harness.nic.ports import ROUTER, ROUTER_FORWARD, VM_A, VM_B, WAN
from harness.nic.rack import (
    A_IP,
    A_MAC,
    B_IP,
    B_MAC,
    GATEWAY_IP,
    GATEWAY_MAC,
    NIC_ROUTES,
    OUTSIDE_MAC,
    RACK,
    ROUTER_FORWARD_RING,
    ROUTER_IP,
    ROUTER_MAC,
    ROUTER_RING,
    ROUTER_VNIC,
    VLAN_C_TAG,
    VLAN_UNTAGGED,
    RoutedBy,
    rack_with_router,
    without_vnic,
)
from headgate.config import NicConfig, parse_config
from headgate.systems.nic import neighbor_entry
from headgate.vocabulary import DropReason, PacketOutMode, PuntReason

ROUTED_BY: dict[str, RoutedBy] = {
    "guest_routes": "guest",
    "nic_routes_on_transmit": "nic_on_transmit",
    "nic_routes_on_receive": "nic_on_receive",
}
BY_RING: dict[str, RoutedBy] = {name: way for name, way in ROUTED_BY.items() if way != "nic_on_receive"}

UDP_BYTES = 8
HEADER_BYTES: dict[Family, int] = {IPV4: 20 + UDP_BYTES, IPV6: 40 + UDP_BYTES}
UNRESOLVED_IP: dict[Family, str] = {IPV4: "10.0.0.77", IPV6: "2001:db8::77"}
"""On the link between router and gateway; nobody has said who it is."""


def to_router(ip: Family, dst: str, *, src: str | None = None, **fields: Any) -> bytes:
    """A datagram from beyond the uplink, sent to the router's MAC address."""
    return udp(ip, (OUTSIDE_MAC, ROUTER_MAC), (src or ip.outside, dst), **fields)


def via_gateway(frame: bytes) -> dict[int, bytes]:
    return {WAN: routed(frame, ROUTER_MAC, GATEWAY_MAC)}


def passed_on(routed_by: RoutedBy, frame: bytes) -> dict[int, bytes]:
    """Where a packet is that came by the uplink for `Family.far`."""
    return via_gateway(frame) if routed_by == "nic_on_receive" else {ROUTER_FORWARD: frame}


# ---- local or forwarding


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES)
def test_what_is_for_the_routers_own_address_is_on_its_local_ring(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    dut.program(rack_with_router(routed_by))
    frame = to_router(ip, ROUTER_IP[ip])
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES)
def test_what_is_for_another_address_is_passed_on(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    dut.program(rack_with_router(routed_by))
    frame = to_router(ip, ip.far)
    dut.send(WAN, frame).assert_out(passed_on(routed_by, frame))


@nic_test(rack_with_router("guest"), ip=FAMILIES)
def test_guest_that_routes_sends_by_its_forwarding_ring_what_it_has_routed(dut: Dut, ip: Family) -> None:
    received = to_router(ip, ip.far)
    dut.send(WAN, received).assert_out({ROUTER_FORWARD: received})
    sent = routed(received, ROUTER_MAC, GATEWAY_MAC)
    dut.send(ROUTER_FORWARD, sent).assert_out({WAN: sent})


@nic_test(rack_with_router("nic_on_transmit"), ip=FAMILIES)
def test_nic_routes_what_the_guest_puts_back_as_it_came(dut: Dut, ip: Family) -> None:
    frame = to_router(ip, ip.far)
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})
    dut.send(ROUTER_FORWARD, frame).assert_out(via_gateway(frame))


@nic_test(RACK, routed_by=ROUTED_BY)
def test_router_hears_its_neighbors_on_its_local_ring(dut: Dut, routed_by: RoutedBy) -> None:
    dut.program(rack_with_router(routed_by))
    question = arp(OUTSIDE_MAC, ROUTER_MAC, GATEWAY_IP[IPV4], ROUTER_IP[IPV4])
    dut.send(WAN, question).assert_out({ROUTER: question})


@nic_test(RACK, routed_by=ROUTED_BY)
def test_each_kind_of_packet_is_counted_on_its_own_ring(dut: Dut, routed_by: RoutedBy) -> None:
    dut.program(rack_with_router(routed_by))
    rings = (ROUTER_RING, ROUTER_FORWARD_RING)
    before = [dut.controller.hits("ring", ring_id=ring) for ring in rings]
    dut.send(WAN, *(to_router(ip, ROUTER_IP[ip]) for ip in FAMILIES.values()))
    dut.send(WAN, *(to_router(ip, ip.far) for ip in FAMILIES.values() for _ in range(3)))
    after = [dut.controller.hits("ring", ring_id=ring) for ring in rings]
    assert [a - b for a, b in zip(after, before, strict=True)] == [2, 0 if routed_by == "nic_on_receive" else 6]


# ---- addresses that come and go


def with_address(config: dict[str, Any], ip: Family) -> dict[str, Any]:
    """`config` after the router has been given `ip.far`."""
    *others, router = config["vnics"]
    host_route = f"{ip.far}/{ip_address(ip.far).max_prefixlen}"
    return {**config, "vnics": [*others, {**router, "addresses": [*router["addresses"], host_route]}]}


def local_on_the_way_to(dut: Dut, config: dict[str, Any], routed_by: RoutedBy, ip: Family) -> list[bool]:
    """Sends to `ip.far` between any two writes. Returns: each time, whether it was local."""
    local = []
    for _ in dut.steps(config):
        frame = to_router(ip, ip.far)
        observed = dut.send(WAN, frame)
        local.append(ROUTER in observed.frames)
        observed.assert_out({ROUTER: frame} if local[-1] else passed_on(routed_by, frame))
    return local


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES)
def test_address_becomes_local_between_two_packets(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    config = rack_with_router(routed_by)
    dut.program(config)
    local = local_on_the_way_to(dut, with_address(config, ip), routed_by, ip)
    assert local == sorted(local), "once local it stays so"
    assert local[-1]


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES)
def test_address_becomes_foreign_between_two_packets(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    config = rack_with_router(routed_by)
    dut.program(with_address(config, ip))
    local = local_on_the_way_to(dut, config, routed_by, ip)
    assert local == sorted(local, reverse=True), "once foreign it stays so"
    assert not local[-1]


# ---- what takes an IP stack to answer


@nic_test(RACK, routed_by=BY_RING, ip=FAMILIES)
def test_last_hop_is_for_the_guests_stack_to_answer(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    dut.program(rack_with_router(routed_by))
    frame = to_router(ip, ip.far, hops=1)
    dut.send(WAN, frame).assert_out({ROUTER: frame})


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_last_hop_is_for_the_controller_to_answer_where_the_nic_routes(dut: Dut, ip: Family) -> None:
    frame = to_router(ip, ip.far, hops=1)
    dut.send(WAN, frame).assert_punted(
        PuntReason.TTL_EXPIRED, frame, ingress_port=WAN, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED
    )


@nic_test(rack_with_router("nic_on_transmit"), ip=FAMILIES)
def test_last_hop_on_the_forwarding_ring_is_for_the_controller_too(dut: Dut, ip: Family) -> None:
    frame = to_router(ip, ip.far, hops=1)
    dut.send(ROUTER_FORWARD, frame).assert_punted(
        PuntReason.TTL_EXPIRED, frame, ingress_port=ROUTER_FORWARD, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED
    )


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_controller_is_given_a_tagged_frame_with_its_tag(dut: Dut, ip: Family) -> None:
    frame = tagged(to_router(ip, ip.far, hops=1), VLAN_C_TAG, pcp=5, dei=1)
    dut.send(WAN, frame).assert_punted(PuntReason.TTL_EXPIRED, frame, vnic_id=ROUTER_VNIC, vlan_id=VLAN_C_TAG)


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES)
def test_last_hop_for_the_routers_own_address_is_as_good_as_any(dut: Dut, routed_by: RoutedBy, ip: Family) -> None:
    dut.program(rack_with_router(routed_by))
    frame = to_router(ip, ROUTER_IP[ip], hops=1)
    dut.send(WAN, frame).assert_out({ROUTER: frame})


MTU_BYTES = 1280


def datagram_of(ip: Family, length: int, **fields: Any) -> bytes:
    """To `ip.far`, `length` bytes long with its IP header, not to be fragmented."""
    do_not_fragment = {"flags": "DF"} if ip is IPV4 else {}
    return to_router(ip, ip.far, payload=length - HEADER_BYTES[ip], **do_not_fragment, **fields)


@nic_test(rack_with_router("nic_on_receive", mtu=MTU_BYTES), ip=FAMILIES)
def test_packet_as_long_as_the_link_allows_is_routed(dut: Dut, ip: Family) -> None:
    frame = datagram_of(ip, MTU_BYTES)
    dut.send(WAN, frame).assert_out(via_gateway(frame))


@nic_test(rack_with_router("nic_on_receive", mtu=MTU_BYTES), ip=FAMILIES)
def test_packet_a_byte_too_long_is_for_the_controller_to_answer(dut: Dut, ip: Family) -> None:
    frame = datagram_of(ip, MTU_BYTES + 1)
    dut.send(WAN, frame).assert_punted(PuntReason.PACKET_TOO_BIG, frame, ingress_port=WAN, vnic_id=ROUTER_VNIC)


@nic_test(rack_with_router("nic_on_transmit", mtu=MTU_BYTES), ip=FAMILIES)
def test_packet_a_byte_too_long_on_the_forwarding_ring_is_for_the_controller_too(dut: Dut, ip: Family) -> None:
    frame = datagram_of(ip, MTU_BYTES + 1)
    dut.send(ROUTER_FORWARD, frame).assert_punted(
        PuntReason.PACKET_TOO_BIG, frame, ingress_port=ROUTER_FORWARD, vnic_id=ROUTER_VNIC
    )


@nic_test(rack_with_router("nic_on_receive", mtu=MTU_BYTES))
def test_packet_that_may_be_fragmented_is_for_the_guests_stack_to_fragment(dut: Dut) -> None:
    frame = to_router(IPV4, IPV4.far, payload=MTU_BYTES + 1 - HEADER_BYTES[IPV4])
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


BURST_PACKETS = 2


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_flood_of_one_kind_is_policed_and_leaves_room_for_another(dut: Dut, ip: Family) -> None:
    config = rack_with_router("nic_on_receive", mtu=MTU_BYTES)
    limit = {"packets_per_s": 1, "burst_packets": BURST_PACKETS}
    dut.program({**config, "punt_limits": {**config["punt_limits"], "ttl_expired": limit}})

    flood = [to_router(ip, ip.far, hops=1) for _ in range(20)]
    observed = dut.send(WAN, *flood)
    punted = len(observed.punts)
    assert BURST_PACKETS <= punted < len(flood) // 2, f"{punted} of {len(flood)} reached the controller"
    assert observed.drops == {DropReason.PUNT_RATE_EXCEEDED: len(flood) - punted}

    other = datagram_of(ip, MTU_BYTES + 1)
    dut.send(WAN, other).assert_punted(PuntReason.PACKET_TOO_BIG, other)


# ---- the controller's part: it resolves, and gives back what it was given


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_packet_waits_at_the_controller_until_its_next_hop_is_known(dut: Dut, ip: Family) -> None:
    config = parse_config(rack_with_router("nic_on_receive"), NicConfig)
    next_hop = ip_address(UNRESOLVED_IP[ip])
    frame, later = (to_router(ip, UNRESOLVED_IP[ip]) for _ in range(2))
    dut.send(WAN, frame).assert_punted(
        PuntReason.NEIGHBOR_MISS, frame, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED, next_hop=int(next_hop)
    )

    router = config.vnics_by_name["router"]
    dut.controller.write([+neighbor_entry(config, router, VLAN_UNTAGGED, next_hop, OUTSIDE_MAC)])
    resubmitted = dut.packet_out(frame, PacketOutMode.ROUTE, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED)
    resubmitted.assert_out({WAN: routed(frame, ROUTER_MAC, OUTSIDE_MAC)})
    dut.send(WAN, later).assert_out({WAN: routed(later, ROUTER_MAC, OUTSIDE_MAC)})


@nic_test(rack_with_router("nic_on_receive"), dst={"on_the_wire": (OUTSIDE_MAC, WAN), "a_guest": (A_MAC, VM_A)})
def test_controller_asks_in_the_routers_name(dut: Dut, dst: tuple[str, int]) -> None:
    mac, port = dst
    question = arp(ROUTER_MAC, mac, ROUTER_IP[IPV4], UNRESOLVED_IP[IPV4])
    asked = dut.packet_out(question, PacketOutMode.TRANSMIT, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED)
    asked.assert_out({port: question})


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_controller_has_its_answers_routed(dut: Dut, ip: Family) -> None:
    answer = udp(ip, (ROUTER_MAC, ROUTER_MAC), (ROUTER_IP[ip], ip.far))
    observed = dut.packet_out(answer, PacketOutMode.ROUTE, vnic_id=ROUTER_VNIC, vlan_id=VLAN_UNTAGGED)
    observed.assert_out(via_gateway(answer))


@nic_test(rack_with_router("nic_on_receive"), ip=FAMILIES)
def test_controller_can_send_out_of_any_port_what_it_likes(dut: Dut, ip: Family) -> None:
    frame = tagged(to_router(ip, ip.far), 99, pcp=1)
    dut.packet_out(frame, PacketOutMode.SEND, port=ROUTER).assert_out({ROUTER: frame})


# ---- two VNICs, two sets of tables

TWIN_VNIC, TWIN_RING, TWIN_FORWARD_RING = 6, 20, 21
TWIN_MAC = "02:00:00:00:00:06"
TWIN, TWIN_FORWARD = VM_A, VM_B
TWIN_IP: dict[Family, str] = {IPV4: "10.0.0.2", IPV6: "2001:db8::2"}
BEHIND_IP: dict[Family, str] = {IPV4: "198.51.100.1", IPV6: "2001:db8:b::1"}
"""The twin's, on its other side."""
BEHIND_HOST: dict[Family, str] = {IPV4: "198.51.100.9", IPV6: "2001:db8:b::9"}


def two_routers(
    routed_by: RoutedBy, *, vlan: int = VLAN_UNTAGGED, twin_ip: dict[Family, str] = TWIN_IP
) -> dict[str, Any]:
    """The router, who knows the way to what is behind its twin; and the twin, on the ports of guests A and B."""
    behind = {"198.51.100.0/24": TWIN_IP[IPV4], "2001:db8:b::/64": TWIN_IP[IPV6]}
    routes = [*NIC_ROUTES["routes"], *({"prefix": prefix, "via": via} for prefix, via in behind.items())]
    config = without_vnic(without_vnic(rack_with_router(routed_by, routes=routes), "a"), "b")
    twin = {
        "name": "twin",
        "vnic_id": TWIN_VNIC,
        "vlan": vlan,
        "macs": [TWIN_MAC],
        "addresses": [f"{twin_ip[IPV4]}/24", f"{twin_ip[IPV6]}/64", f"{BEHIND_IP[IPV4]}/24", f"{BEHIND_IP[IPV6]}/64"],
        "rings": {
            "local": [{"ring_id": TWIN_RING, "port": "a"}],
            "forwarding": [{"ring_id": TWIN_FORWARD_RING, "port": "b"}],
        },
        "forwarding": {"routed_by": "guest"},
    }
    return {**config, "vnics": [*config["vnics"], twin]}


def to_twin(ip: Family, dst: str, **fields: Any) -> bytes:
    return udp(ip, (OUTSIDE_MAC, TWIN_MAC), (ip.outside, dst), **fields)


@nic_test(two_routers("nic_on_transmit"), ip=FAMILIES)
def test_what_is_local_to_one_vnic_is_foreign_to_another(dut: Dut, ip: Family) -> None:
    own = [to_router(ip, ROUTER_IP[ip]), to_twin(ip, TWIN_IP[ip])]
    dut.send(WAN, *own).assert_out({ROUTER: own[0], TWIN: own[1]})
    each_others = [to_router(ip, TWIN_IP[ip]), to_twin(ip, ROUTER_IP[ip])]
    dut.send(WAN, *each_others).assert_out({ROUTER_FORWARD: each_others[0], TWIN_FORWARD: each_others[1]})


SAME_ADDRESSES = two_routers("nic_on_transmit", vlan=VLAN_C_TAG, twin_ip=ROUTER_IP)


@nic_test(SAME_ADDRESSES, ip=FAMILIES)
def test_two_tenants_may_have_the_same_address(dut: Dut, ip: Family) -> None:
    of_router, of_twin = to_router(ip, ROUTER_IP[ip]), to_twin(ip, ROUTER_IP[ip])
    dut.exchange([(WAN, of_router), (WAN, tagged(of_twin, VLAN_C_TAG))]).assert_out({ROUTER: of_router, TWIN: of_twin})


@nic_test(SAME_ADDRESSES, ip=FAMILIES)
def test_address_that_one_tenant_gives_up_stays_the_others(dut: Dut, ip: Family) -> None:
    dut.controller.write([-local_entry(ip, ROUTER_VNIC, ROUTER_IP[ip])])
    of_router, of_twin = to_router(ip, ROUTER_IP[ip]), to_twin(ip, ROUTER_IP[ip])
    observed = dut.exchange([(WAN, of_router), (WAN, tagged(of_twin, VLAN_C_TAG))])
    observed.assert_out({ROUTER_FORWARD: of_router, TWIN: of_twin})


# ---- from VNIC to VNIC


@nic_test(RACK, ip=FAMILIES)
def test_what_is_for_another_vnics_address_is_routed_to_it(dut: Dut, ip: Family) -> None:
    dut.program(rack_with_router("nic_on_receive"))
    from_wire, from_guest = to_router(ip, A_IP[ip]), udp(ip, (B_MAC, ROUTER_MAC), (B_IP[ip], A_IP[ip]))
    observed = dut.exchange([(WAN, from_wire), (VM_B, from_guest)])
    observed.assert_out({VM_A: [routed(frame, ROUTER_MAC, A_MAC) for frame in (from_wire, from_guest)]})


@nic_test(rack_with_router("nic_on_transmit"), ip=FAMILIES)
def test_what_is_put_back_for_another_vnics_address_is_routed_to_it(dut: Dut, ip: Family) -> None:
    frame = to_router(ip, A_IP[ip])
    dut.send(ROUTER_FORWARD, frame).assert_out({VM_A: routed(frame, ROUTER_MAC, A_MAC)})


@nic_test(rack_with_router("guest"), ip=FAMILIES)
def test_what_is_for_another_vnics_address_is_the_routing_guests_to_pass_on(dut: Dut, ip: Family) -> None:
    frame = to_router(ip, A_IP[ip])
    dut.send(WAN, frame).assert_out({ROUTER_FORWARD: frame})


@nic_test(
    two_routers("nic_on_receive"),
    ip=FAMILIES,
    dst={
        "its_address_on_the_way": (TWIN_IP, TWIN),
        "its_address_on_the_other_side": (BEHIND_IP, TWIN),
        "a_host_behind_it": (BEHIND_HOST, TWIN_FORWARD),
    },
)
def test_next_router_on_this_nic_finds_on_each_ring_what_belongs_there(
    dut: Dut, ip: Family, dst: tuple[dict[Family, str], int]
) -> None:
    address, port = dst
    frame = to_router(ip, address[ip])
    dut.send(WAN, frame).assert_out({port: routed(frame, ROUTER_MAC, TWIN_MAC)})


# ---- spoofed local sources


@nic_test(RACK, routed_by=ROUTED_BY, ip=FAMILIES, dst={"local": ROUTER_IP, "foreign": {IPV4: IPV4.far, IPV6: IPV6.far}})
def test_nobody_sends_to_a_vnic_from_its_own_address(
    dut: Dut, routed_by: RoutedBy, ip: Family, dst: dict[Family, str]
) -> None:
    dut.program(rack_with_router(routed_by))
    spoofed = to_router(ip, dst[ip], src=ROUTER_IP[ip])
    dut.send(WAN, spoofed).assert_dropped(DropReason.SRC_ADDR_IS_LOCAL)


@nic_test(RACK, routed_by=ROUTED_BY)
def test_nobody_sends_from_a_subnet_broadcast_address(dut: Dut, routed_by: RoutedBy) -> None:
    dut.program(rack_with_router(routed_by))
    spoofed = to_router(IPV4, ROUTER_IP[IPV4], src="10.0.0.255")
    dut.send(WAN, spoofed).assert_dropped(DropReason.SRC_ADDR_IS_LOCAL)


@nic_test(two_routers("nic_on_transmit"), ip=FAMILIES)
def test_one_routers_address_is_a_good_source_to_another(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (ROUTER_MAC, TWIN_MAC), (ROUTER_IP[ip], TWIN_IP[ip]))
    dut.send(ROUTER, frame).assert_out({TWIN: frame})


# ---- as many addresses as there is room for

ADDRESSES = 4096
TABLE_FULL = (GRPCStatusCode.RESOURCE_EXHAUSTED, GRPCStatusCode.UNKNOWN)
"""What P4Runtime has for it; and what simple_switch's server says of whatever the switch refuses."""
MANY: dict[Family, int] = {IPV4: int(ip_address("172.16.0.0")), IPV6: int(ip_address("2001:db8:16::"))}
"""The first of many addresses in a row."""


def local_entry(ip: Family, vnic_id: int, address: str) -> P4TableEntry:
    match = Match({"vnic_id": vnic_id, f"{ip}_dst": address})
    return P4TableEntry(f"local_{ip}", match=match, action=Action("receive_rings.local"))


def local_entries(ip: Family, count: int) -> Sequence[P4TableEntry]:
    return [local_entry(ip, ROUTER_VNIC, str(ip_address(MANY[ip] + index))) for index in range(count)]


@nic_test(rack_with_router("guest"))
def test_each_of_4096_addresses_of_both_families_is_local(dut: Dut) -> None:
    for ip in FAMILIES.values():
        dut.controller.write(+entry for entry in local_entries(ip, ADDRESSES))
    local = [
        to_router(ip, str(ip_address(MANY[ip] + index)))
        for ip in FAMILIES.values()
        for index in (0, 1, 255, 256, 1000, 2048, ADDRESSES - 1)
    ]
    foreign = [
        to_router(ip, str(ip_address(MANY[ip] + index))) for ip in FAMILIES.values() for index in (ADDRESSES, -1)
    ]
    dut.send(WAN, *local, *foreign).assert_out({ROUTER: local, ROUTER_FORWARD: foreign})


@nic_test(rack_with_router("guest"), ip=FAMILIES)
def test_address_beyond_the_tables_size_is_refused_and_harms_no_other(dut: Dut, ip: Family) -> None:
    device = dut.controller.device
    table = f"local_{ip}"
    taken = len([entry for entry in dut.controller.run(device.entries(table)) if not entry.is_default_action])
    *fitting, one_more = local_entries(ip, device.schema.tables[table].size - taken + 1)
    dut.controller.write(+entry for entry in fitting)

    failures = dut.controller.run(device.write([+one_more]))
    assert [failure.code in TABLE_FULL for failure in failures] == [True], f"refused: {failures}"

    last = to_router(ip, str(ip_address(MANY[ip] + len(fitting) - 1)))
    beyond = to_router(ip, str(ip_address(MANY[ip] + len(fitting))))
    dut.send(WAN, last, beyond).assert_out({ROUTER: last, ROUTER_FORWARD: beyond})
