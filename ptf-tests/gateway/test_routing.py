# SPDX-License-Identifier: Apache-2.0
"""distributed_routing, neighbor, next_hop and mtu_guard: within a tenant, by the tenant's own routes.

- The longest prefix decides: a segment, a neighbor in one, the central router, several next hops, or nothing.
- A packet leaves with its next hop's MAC addresses, one hop less and a checksum to match, in the VLAN of its way out.
- A neighbor that is not known, the last hop, a packet too big and a destination without a route are the controller's:
  it is given the tenant's frame and all it needs to act.
- What no router passes on is dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, tagged, udp
from harness.gateway import gateway_test
from harness.gateway.flows import host_flow
from harness.gateway.ports import TRUNK, UPLINK
from harness.gateway.rack import (
    BLACKHOLE,
    BLUE,
    EVERYWHERE,
    HOST,
    MTU,
    RACK,
    RED,
    REMOTE_MAC,
    ROUTER,
    SEGMENT_MAC,
    TENANTS,
    TRUNK_HOST,
    TUNNEL_MTU,
    UNRESOLVED,
    UNROUTED,
    WORLD,
    Tenant,
    entry,
    network,
    remote,
    route,
)
from harness.gateway.traffic import (
    FROM_HOST,
    assert_in_tunnel,
    at_host,
    at_remote,
    at_trunk,
    at_world,
    from_host,
    from_remote,
    from_world,
)
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.vocabulary import Consulted, DropReason, FlowResult, PuntReason

IP_HEADER = {IPV4: 20, IPV6: 40}

# ---- routes


FROM = {name: TUNNELS[name] for name in ("vxlan_over_ipv4", "ipip_over_ipv6")}


@gateway_test(RACK, tunnel=FROM, onto=TUNNELS, ip=FAMILIES)
def test_host_behind_one_tunnel_reaches_the_host_behind_any(dut: Dut, tunnel: Tunnel, onto: Tunnel, ip: Family) -> None:
    inner = from_remote(tunnel, ip, remote(onto, ip))
    observed = dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel)))
    assert_in_tunnel(observed, BLUE, onto, [at_remote(inner)])


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_longest_prefix_decides(dut: Dut, ip: Family, tenant: Tenant) -> None:
    one = f"{WORLD[ip]}/{ip_address(WORLD[ip]).max_prefixlen}"
    to_trunk = {"segment_id": tenant.trunk_segment, "next_hop": TRUNK_HOST[ip]}
    dut.controller.write(
        [
            +route(tenant, ip, network(ip, WORLD[ip]), "distributed_routing.blackhole"),
            +route(tenant, ip, one, f"via_{ip.name}", **to_trunk),
        ]
    )
    frame = from_host(ip, WORLD[ip])
    dut.send(tenant.port, frame).assert_out({TRUNK: at_trunk(frame, tenant)})
    other = from_host(ip, str(ip_address(WORLD[ip]) + 1))
    dut.send(tenant.port, other).assert_dropped(DropReason.BLACKHOLE_ROUTE)


@gateway_test(RACK, ip=FAMILIES)
def test_route_of_one_tenant_is_not_the_others(dut: Dut, ip: Family) -> None:
    dut.controller.write([+route(RED, ip, network(ip, WORLD[ip]), "distributed_routing.blackhole")])
    frame = from_host(ip, WORLD[ip])
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})
    dut.send(RED.port, from_host(ip, WORLD[ip])).assert_dropped(DropReason.BLACKHOLE_ROUTE)


@gateway_test(RACK, ip=FAMILIES)
def test_black_hole_is_reported_for_the_cache(dut: Dut, ip: Family) -> None:
    observed = dut.send(BLUE.port, from_host(ip, BLACKHOLE[ip]))
    observed.assert_dropped(DropReason.BLACKHOLE_ROUTE)
    observed.assert_learned(
        host_flow(BLUE, ip, BLACKHOLE[ip]).learned(
            consulted=Consulted.DST_ADDR, result=FlowResult.REFUSE, reason=DropReason.BLACKHOLE_ROUTE
        )
    )


@gateway_test(RACK, ip=FAMILIES)
def test_host_may_be_passed_on_to_within_its_own_segment(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, HOST[ip])
    dut.send(BLUE.port, frame).assert_out({BLUE.port: at_host(frame)})


# ---- to the controller


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_unknown_neighbor_is_the_controllers_to_resolve(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frame = udp(ip, FROM_HOST, (HOST[ip], UNRESOLVED[ip]))
    observed = dut.send(tenant.port, frame)
    observed.assert_punted(
        PuntReason.NEIGHBOR_MISS,
        frame,
        ingress_port=tenant.port,
        tenant_id=tenant.tenant_id,
        segment_id=tenant.segment,
        router_id=ROUTER,
        out_segment_id=tenant.segment,
        next_hop=int(ip_address(UNRESOLVED[ip])),
    )
    observed.assert_learned()


@gateway_test(RACK, ip=FAMILIES)
def test_unknown_gateway_of_a_route_is_looked_for_in_its_segment(dut: Dut, ip: Family) -> None:
    gateway = str(ip_address(TRUNK_HOST[ip]) + 7)
    via = {"segment_id": BLUE.trunk_segment, "next_hop": gateway}
    dut.controller.write([+route(BLUE, ip, network(ip, WORLD[ip]), f"via_{ip.name}", **via)])
    frame = from_host(ip, WORLD[ip])
    dut.send(BLUE.port, frame).assert_punted(
        PuntReason.NEIGHBOR_MISS, frame, out_segment_id=BLUE.trunk_segment, next_hop=int(ip_address(gateway))
    )


@gateway_test(RACK, ip=FAMILIES)
def test_unresolved_next_hop_is_the_controllers_to_resolve(dut: Dut, ip: Family) -> None:
    next_hop_id, address = BLUE.next_hop(99), int(ip_address(UNRESOLVED[ip]))
    key = {"tenant_id": BLUE.tenant_id, "segment_id": BLUE.segment, "next_hop": UNRESOLVED[ip]}
    dut.controller.write(
        [
            +entry("next_hop", {"next_hop_id": next_hop_id}, "unresolved", next_hop=address),
            +entry(f"neighbor_{ip.name}", key, "neighbor.to_next_hop", next_hop_id=next_hop_id),
        ]
    )
    frame = from_host(ip, UNRESOLVED[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_punted(PuntReason.NEIGHBOR_MISS, frame, next_hop_id=next_hop_id, next_hop=address)
    observed.assert_learned()


@gateway_test(RACK, ip=FAMILIES, tunnel=TUNNELS)
def test_controller_is_given_the_tenants_frame_and_the_tunnel_it_came_by(dut: Dut, ip: Family, tunnel: Tunnel) -> None:
    inner = from_remote(tunnel, ip, UNRESOLVED[ip])
    network_id = BLUE.network_id(tunnel)
    made_up = bytes(12) if not tunnel.carries_ethernet else inner[:12]
    dut.send(tunnel.port, tunnel.received(inner, network_id)).assert_punted(
        PuntReason.NEIGHBOR_MISS,
        made_up + inner[12:],
        ingress_port=tunnel.port,
        tenant_id=BLUE.tenant_id,
        segment_id=BLUE.remote_segment(tunnel),
        tunnel_id=tunnel.tunnel_id,
        network_id=network_id,
    )


@gateway_test(RACK, ip=FAMILIES, dst={"trunk": TRUNK_HOST, "world": WORLD})
def test_last_hop_is_the_controllers_to_answer(dut: Dut, ip: Family, dst: dict[Family, str]) -> None:
    frame = from_host(ip, dst[ip], hops=1)
    dut.send(BLUE.port, frame).assert_punted(
        PuntReason.TTL_EXPIRED, frame, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment
    )


@gateway_test(RACK, ip=FAMILIES)
def test_last_hop_from_outside_is_the_controllers_to_answer(dut: Dut, ip: Family) -> None:
    frame = from_world(ip, BLUE.public[ip], hops=1)
    dut.send(UPLINK, frame).assert_punted(
        PuntReason.TTL_EXPIRED, frame, tenant_id=BLUE.tenant_id, segment_id=0, router_id=ROUTER
    )


@gateway_test(RACK, ip=FAMILIES)
def test_destination_without_a_route_is_the_controllers_to_answer(dut: Dut, ip: Family) -> None:
    dut.controller.write([-route(BLUE, ip, EVERYWHERE[ip], "to_router")])
    frame = from_host(ip, UNROUTED[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_punted(PuntReason.NO_ROUTE, frame, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment)
    observed.assert_learned()


@gateway_test(RACK, ip=FAMILIES)
def test_what_comes_from_outside_does_not_go_out_again(dut: Dut, ip: Family) -> None:
    beside = {IPV4: "198.51.100.0/25", IPV6: "2001:db8:b1::/80"}[ip]
    dut.controller.write([+route(BLUE, ip, beside, "to_router")])
    frame = from_world(ip, BLUE.public[ip])
    dut.send(UPLINK, frame).assert_punted(PuntReason.NO_ROUTE, frame, tenant_id=BLUE.tenant_id)


# ---- too big


def sized(ip: Family, dst: str, length: int, **fields: Any) -> bytes:
    """A packet of so many bytes, from the IP header on."""
    return udp(ip, FROM_HOST, (HOST[ip], dst), payload=length - IP_HEADER[ip] - 8, **fields)


@gateway_test(RACK, ip=FAMILIES)
def test_packet_of_exactly_the_mtu_leaves(dut: Dut, ip: Family) -> None:
    frame = sized(ip, TRUNK_HOST[ip], MTU)
    dut.send(BLUE.port, frame).assert_out({TRUNK: at_trunk(frame, BLUE)})


@gateway_test(RACK, ip=FAMILIES, tunnel=TUNNELS)
def test_packet_of_exactly_the_tunnels_mtu_leaves(dut: Dut, ip: Family, tunnel: Tunnel) -> None:
    frame = sized(ip, remote(tunnel, ip), TUNNEL_MTU)
    assert_in_tunnel(dut.send(BLUE.port, frame), BLUE, tunnel, [at_remote(frame)])


BIG = {
    "port": (lambda ip: TRUNK_HOST[ip], MTU),
    "tunnel": (lambda ip: remote(TUNNELS["vxlan_over_ipv4"], ip), TUNNEL_MTU),
}


@gateway_test(RACK, ip=FAMILIES, way=BIG)
def test_packet_too_big_that_must_not_be_fragmented_is_the_controllers_to_answer(
    dut: Dut, ip: Family, way: tuple[Callable[[Family], str], int]
) -> None:
    dst, mtu = way
    frame = sized(ip, dst(ip), mtu + 1, **({"flags": "DF"} if ip is IPV4 else {}))
    observed = dut.send(BLUE.port, frame)
    observed.assert_punted(PuntReason.PACKET_TOO_BIG, frame, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment)
    observed.assert_learned()


@gateway_test(RACK, way=BIG)
def test_packet_too_big_that_may_be_fragmented_is_dropped(dut: Dut, way: tuple[Callable[[Family], str], int]) -> None:
    dst, mtu = way
    dut.send(BLUE.port, sized(IPV4, dst(IPV4), mtu + 1)).assert_dropped(DropReason.FRAGMENTATION_NEEDED)


@gateway_test(RACK, ip=FAMILIES, tunnel=TUNNELS)
def test_packet_out_of_a_tunnel_is_measured_without_it(dut: Dut, ip: Family, tunnel: Tunnel) -> None:
    payload = MTU - IP_HEADER[ip] - 8
    inner = from_remote(tunnel, ip, HOST[ip], payload=payload)
    frame = tunnel.received(inner, BLUE.network_id(tunnel))
    dut.send(tunnel.port, frame).assert_out({BLUE.port: at_host(inner)})


# ---- what leaves


@gateway_test(RACK, ip=FAMILIES, hops={str(hops): hops for hops in (2, 3, 64, 128, 255)})
def test_hop_count_is_one_less(dut: Dut, ip: Family, hops: int) -> None:
    frame = from_host(ip, WORLD[ip], hops=hops)
    expected = at_world(frame)
    assert expected[14 + {IPV4: 8, IPV6: 7}[ip]] == hops - 1
    dut.send(BLUE.port, frame).assert_out({UPLINK: expected})


@gateway_test(RACK, ip=FAMILIES)
def test_priority_of_a_frame_stays_behind_with_its_tag(dut: Dut, ip: Family) -> None:
    frame = udp(ip, (REMOTE_MAC, SEGMENT_MAC), (TRUNK_HOST[ip], TRUNK_HOST[ip]))
    dut.send(TRUNK, tagged(frame, BLUE.vlan_id, pcp=7)).assert_out({TRUNK: at_trunk(frame, BLUE)})


# ---- ways out that are not there

GONE: dict[str, tuple[list[Any], DropReason]] = {
    "next_hop": (
        [entry("neighbor_ipv4", {"tenant_id": 1, "segment_id": BLUE.segment, "next_hop": UNRESOLVED[IPV4]},
               "neighbor.to_next_hop", next_hop_id=0xDEAD)],
        DropReason.NEXT_HOP_UNKNOWN,
    ),
    "tunnel": (
        [entry("neighbor_ipv4", {"tenant_id": 1, "segment_id": BLUE.segment, "next_hop": UNRESOLVED[IPV4]},
               "neighbor.to_next_hop", next_hop_id=0xBEEF),
         entry("next_hop", {"next_hop_id": 0xBEEF}, "to_tunnel", tunnel_id=999, network_id=1, src_mac=SEGMENT_MAC,
               dst_mac=REMOTE_MAC, mtu=MTU)],
        DropReason.TUNNEL_UNKNOWN,
    ),
    "underlay": (
        [entry("neighbor_ipv4", {"tenant_id": 1, "segment_id": BLUE.segment, "next_hop": UNRESOLVED[IPV4]},
               "neighbor.to_next_hop", next_hop_id=0xBEEF),
         entry("next_hop", {"next_hop_id": 0xBEEF}, "to_tunnel", tunnel_id=998, network_id=1, src_mac=SEGMENT_MAC,
               dst_mac=REMOTE_MAC, mtu=MTU),
         entry("tunnel", {"tunnel_id": 998}, "encap_ipv4", tunnel_type=1, src_addr="192.0.2.1", dst_addr="192.0.2.9",
               dscp_uniform=0, dscp=0, ttl=64, udp_checksum=0, underlay_id=999)],
        DropReason.UNDERLAY_UNKNOWN,
    ),
}  # fmt: skip


@gateway_test(RACK, gone=GONE)
def test_way_out_that_is_not_there_is_a_reason_of_its_own(dut: Dut, gone: tuple[list[Any], DropReason]) -> None:
    entries, reason = gone
    dut.controller.write(+each for each in entries)
    observed = dut.send(BLUE.port, from_host(IPV4, UNRESOLVED[IPV4]))
    observed.assert_dropped(reason)
    observed.assert_learned()


# ---- not passed on

UNROUTABLE: dict[str, Callable[[], bytes]] = {
    "ipv4_multicast": lambda: from_host(IPV4, "239.1.2.3"),
    "ipv4_limited_broadcast": lambda: from_host(IPV4, "255.255.255.255"),
    "ipv4_to_link_local": lambda: from_host(IPV4, "169.254.1.1"),
    "ipv4_from_link_local": lambda: udp(IPV4, FROM_HOST, ("169.254.1.1", WORLD[IPV4])),
    "ipv4_unspecified_source": lambda: udp(IPV4, FROM_HOST, ("0.0.0.0", "255.255.255.255")),
    "ipv6_multicast": lambda: from_host(IPV6, "ff0e::1"),
    "ipv6_to_link_local": lambda: from_host(IPV6, "fe80::9"),
    "ipv6_from_link_local": lambda: udp(IPV6, FROM_HOST, ("fe80::9", WORLD[IPV6])),
    "ipv6_unspecified_source": lambda: udp(IPV6, FROM_HOST, ("::", WORLD[IPV6])),
}


@gateway_test(RACK, build=UNROUTABLE)
def test_what_no_router_passes_on_is_dropped(dut: Dut, build: Callable[[], bytes]) -> None:
    observed = dut.send(BLUE.port, build())
    observed.assert_dropped(DropReason.NOT_ROUTABLE)
    observed.assert_learned()


@gateway_test(RACK, build={name: UNROUTABLE[name] for name in ("ipv4_from_link_local", "ipv6_from_link_local")})
def test_aggregate_does_not_hold_for_sources_that_no_router_passes_on(dut: Dut, build: Callable[[], bytes]) -> None:
    ip = IPV4 if build is UNROUTABLE["ipv4_from_link_local"] else IPV6
    flow = host_flow(BLUE, ip, WORLD[ip])
    dut.controller.write([+flow.aggregate(Consulted.DST_ADDR, "forward", next_hop_id=1)])
    dut.send(BLUE.port, build()).assert_dropped(DropReason.NOT_ROUTABLE)
