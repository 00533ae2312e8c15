# SPDX-License-Identifier: Apache-2.0
"""flow_cache: what was decided for a flow holds for its packets, as long as it may.

- A valid entry decides: no stage behind the cache runs. What leaves is what the stages would have made of it.
- An entry of another epoch, the tenant's or its router's, is as good as none.
- The key begins with the tenant and where the packet came from.
- Packets that are for the stages to judge, each anew, are not looked up: TCP with SYN, FIN or RST, fragments, ICMP
  other than echo, options and extension headers, the last hop.
- Tenant and rule are credited alike on either path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scapy.layers.inet import ICMP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (
    ICMPv6DestUnreach,
    ICMPv6EchoReply,
    ICMPv6EchoRequest,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.packet import Packet

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe, routed, tagged, tcp
from harness.gateway import gateway_test
from harness.gateway.counted import cache_outcomes, rule_hits, tenant_traffic
from harness.gateway.flows import ICMP as ICMP_PROTOCOL
from harness.gateway.flows import ICMPV6, Flow, host_flow
from harness.gateway.flows import TCP as TCP_PROTOCOL
from harness.gateway.ports import SECOND_UPLINK, TRUNK, UPLINK, UPLINK_VLAN
from harness.gateway.rack import (
    BLACKHOLE,
    BLUE,
    EPOCH,
    HOST,
    RACK,
    RED,
    ROUTER,
    ROUTER_EPOCH,
    SECOND_WORLD_MAC,
    SECOND_WORLD_NEXT_HOP,
    SEGMENT_MAC,
    TRUNK_HOST,
    TRUNK_HOST_MAC,
    TUNNEL_MTU,
    UPLINK_MAC,
    WORLD,
    WORLD_NEXT_HOP,
    Tenant,
    entry,
    remote,
    tenant_entry,
)
from harness.gateway.traffic import (
    FROM_HOST,
    assert_in_tunnel,
    at_host,
    at_remote,
    at_world,
    from_host,
    from_remote,
    from_world,
)
from harness.gateway.tunnels import TUNNELS, Tunnel
from headgate.vocabulary import CacheOutcome, Consulted, DropReason, PuntReason

RULE = 5
TO_WORLD = {"next_hop_id": WORLD_NEXT_HOP}
BLACKHOLED = {ip: host_flow(BLUE, ip, BLACKHOLE[ip]) for ip in FAMILIES.values()}
"""A flow that the stages would refuse: what leaves of it, the cache has sent."""


def to_blackhole(ip: Family, **fields: object) -> bytes:
    return from_host(ip, BLACKHOLE[ip], **fields)


# ---- a hit decides


@gateway_test(RACK, ip=FAMILIES)
def test_hit_sends_the_packet_and_no_stage_runs(dut: Dut, ip: Family) -> None:
    dut.controller.write([+BLACKHOLED[ip].cached("forward", **TO_WORLD)])
    frame = to_blackhole(ip)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}
    observed.assert_learned()


@gateway_test(
    RACK, ip=FAMILIES, consulted={"dst_addr": Consulted.DST_ADDR, "ports": Consulted(24), "nothing": Consulted(0)}
)
def test_aggregate_hit_sends_the_packet_and_no_stage_runs(dut: Dut, ip: Family, consulted: Consulted) -> None:
    dut.controller.write([+BLACKHOLED[ip].aggregate(consulted, "forward", **TO_WORLD)])
    frame = to_blackhole(ip)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.AGGREGATE_HIT: 1}
    observed.assert_learned()


@gateway_test(RACK, ip=FAMILIES)
def test_exact_entry_goes_before_an_aggregate(dut: Dut, ip: Family) -> None:
    flow = BLACKHOLED[ip]
    refusal = flow.aggregate(Consulted.DST_ADDR, "refuse", reason=DropReason.FIREWALL_DENY)
    dut.controller.write([+flow.cached("forward", **TO_WORLD), +refusal])
    frame = to_blackhole(ip)
    observed = dut.send(BLUE.port, frame, to_blackhole(ip, ports=(4001, 5000)))
    assert observed.frames == {UPLINK: [at_world(frame)]}
    assert observed.drops == {DropReason.FIREWALL_DENY: 1}
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1, CacheOutcome.AGGREGATE_HIT: 1}


@gateway_test(
    RACK, ip=FAMILIES, reason={r.name.lower(): r for r in (DropReason.FIREWALL_DENY, DropReason.BLACKHOLE_ROUTE)}
)
def test_cached_refusal_drops_for_its_reason(dut: Dut, ip: Family, reason: DropReason) -> None:
    dut.controller.write([+host_flow(BLUE, ip, WORLD[ip]).cached("refuse", reason=reason)])
    observed = dut.send(BLUE.port, from_host(ip, WORLD[ip]))
    observed.assert_dropped(reason)
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}
    observed.assert_learned()


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_hit_goes_into_a_tunnel(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    dut.controller.write([+BLACKHOLED[ip].cached("forward", next_hop_id=BLUE.next_hop(tunnel.tunnel_id))])
    frame = to_blackhole(ip)
    assert_in_tunnel(dut.send(BLUE.port, frame), BLUE, tunnel, [at_remote(frame)])


@gateway_test(RACK, tunnel=TUNNELS, ip=FAMILIES)
def test_packet_out_of_a_tunnel_hits(dut: Dut, tunnel: Tunnel, ip: Family) -> None:
    segment_id, src = BLUE.remote_segment(tunnel), remote(tunnel, ip)
    flow = Flow(tenant=BLUE, family=ip, segment_id=segment_id, src=src, dst=BLACKHOLE[ip])
    dut.controller.write([+flow.cached("forward", next_hop_id=BLUE.next_hop(1))])
    inner = from_remote(tunnel, ip, BLACKHOLE[ip])
    observed = dut.send(tunnel.port, tunnel.received(inner, BLUE.network_id(tunnel)))
    observed.assert_out({BLUE.port: at_host(inner)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


@gateway_test(RACK, ip=FAMILIES)
def test_packet_from_outside_hits(dut: Dut, ip: Family) -> None:
    flow = Flow(tenant=BLUE, family=ip, segment_id=0, src=WORLD[ip], dst=BLUE.public[ip])
    dut.controller.write([+flow.cached("forward", next_hop_id=BLUE.next_hop(2))])
    frame = from_world(ip, BLUE.public[ip])
    observed = dut.send(UPLINK, frame)
    observed.assert_out({TRUNK: tagged(routed(frame, SEGMENT_MAC, TRUNK_HOST_MAC), BLUE.vlan_id)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


@gateway_test(RACK, ip=FAMILIES)
def test_next_hop_that_changed_in_place_is_taken_by_cached_flows_at_once(dut: Dut, ip: Family) -> None:
    dut.controller.write([+BLACKHOLED[ip].cached("forward", next_hop_id=SECOND_WORLD_NEXT_HOP)])
    frame = to_blackhole(ip)
    at_second = tagged(routed(frame, UPLINK_MAC, SECOND_WORLD_MAC), UPLINK_VLAN)
    dut.send(BLUE.port, frame).assert_out({SECOND_UPLINK: at_second})


@gateway_test(RACK, ip=FAMILIES)
def test_cached_next_hop_that_is_gone_drops(dut: Dut, ip: Family) -> None:
    dut.controller.write([+BLACKHOLED[ip].cached("forward", next_hop_id=0xDEAD)])
    dut.send(BLUE.port, to_blackhole(ip)).assert_dropped(DropReason.NEXT_HOP_UNKNOWN)


@gateway_test(RACK, ip=FAMILIES)
def test_packet_too_big_is_the_controllers_though_its_flow_is_cached(dut: Dut, ip: Family) -> None:
    tunnel = TUNNELS["vxlan_over_ipv4"]
    dut.controller.write([+BLACKHOLED[ip].cached("forward", next_hop_id=BLUE.next_hop(tunnel.tunnel_id))])
    frame = to_blackhole(ip, payload=TUNNEL_MTU, **({"flags": "DF"} if ip is IPV4 else {}))
    observed = dut.send(BLUE.port, frame)
    observed.assert_punted(PuntReason.PACKET_TOO_BIG, frame, tenant_id=BLUE.tenant_id, segment_id=BLUE.segment)
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


# ---- epochs

STALE = {
    "older_tenant": {"epoch": EPOCH - 1},
    "newer_tenant": {"epoch": EPOCH + 1},
    "older_router": {"router_epoch": ROUTER_EPOCH - 1},
    "newer_router": {"router_epoch": ROUTER_EPOCH + 1},
    "never": {"epoch": 0, "router_epoch": 0},
}


@gateway_test(RACK, ip=FAMILIES, epochs=STALE)
def test_entry_of_another_epoch_is_as_good_as_none(dut: Dut, ip: Family, epochs: dict[str, int]) -> None:
    flow = host_flow(BLUE, ip, WORLD[ip])
    dut.controller.write([+flow.cached("refuse", reason=DropReason.FIREWALL_DENY, rule_id=RULE, **epochs)])
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.STALE: 1}
    assert rule_hits(observed) == {}
    observed.assert_learned(flow.learned(consulted=Consulted.DST_ADDR, **TO_WORLD))


@gateway_test(RACK, ip=FAMILIES, epochs=STALE)
def test_aggregate_of_another_epoch_is_as_good_as_none(dut: Dut, ip: Family, epochs: dict[str, int]) -> None:
    flow = host_flow(BLUE, ip, WORLD[ip])
    refusal = flow.aggregate(Consulted.DST_ADDR, "refuse", reason=DropReason.FIREWALL_DENY, rule_id=RULE, **epochs)
    dut.controller.write([+refusal])
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.STALE: 1}
    assert rule_hits(observed) == {}
    observed.assert_learned(flow.learned(consulted=Consulted.DST_ADDR, **TO_WORLD))


@gateway_test(RACK, ip=FAMILIES)
def test_stale_translation_leaves_nothing_behind(dut: Dut, ip: Family) -> None:
    """What a stale entry would have done to the packet is undone before the stages see it."""
    flow = host_flow(BLUE, IPV4, WORLD[IPV4])
    new = {"src_addr": "198.51.101.9", "src_port": 9, "dst_addr": "203.0.113.99", "dst_port": 99}
    dut.controller.write([+flow.cached("translate", next_hop_id=SECOND_WORLD_NEXT_HOP, epoch=EPOCH - 1, **new)])
    frame = from_host(ip, WORLD[ip])
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, ip=FAMILIES)
def test_valid_aggregate_serves_where_the_exact_entry_is_stale(dut: Dut, ip: Family) -> None:
    flow = BLACKHOLED[ip]
    stale = flow.cached("refuse", reason=DropReason.FIREWALL_DENY, epoch=EPOCH - 1)
    dut.controller.write([+stale, +flow.aggregate(Consulted.DST_ADDR, "forward", **TO_WORLD)])
    frame = to_blackhole(ip)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.AGGREGATE_HIT: 1}


@gateway_test(RACK, ip=FAMILIES)
def test_one_modify_of_the_tenants_epoch_ends_all_its_entries_and_no_others(dut: Dut, ip: Family) -> None:
    for tenant in (BLUE, RED):
        dut.controller.write([+host_flow(tenant, ip, BLACKHOLE[ip]).cached("forward", **TO_WORLD)])
    dut.controller.write([~tenant_entry(BLUE, epoch=EPOCH + 1)])
    frame = to_blackhole(ip)
    dut.send(BLUE.port, to_blackhole(ip)).assert_dropped(DropReason.BLACKHOLE_ROUTE)
    dut.send(RED.port, frame).assert_out({UPLINK: at_world(frame)})


@gateway_test(RACK, ip=FAMILIES)
def test_one_modify_of_the_routers_epoch_ends_the_entries_of_all_its_tenants(dut: Dut, ip: Family) -> None:
    for tenant in (BLUE, RED):
        dut.controller.write([+host_flow(tenant, ip, BLACKHOLE[ip]).cached("forward", **TO_WORLD)])
    dut.controller.write([~entry("router", {"router_id": ROUTER}, "set_router", epoch=ROUTER_EPOCH + 1)])
    for tenant in (BLUE, RED):
        dut.send(tenant.port, to_blackhole(ip)).assert_dropped(DropReason.BLACKHOLE_ROUTE)


# ---- the key

REFUSAL = {"reason": DropReason.FIREWALL_DENY}
OTHERS = {
    "other_tenant": {"tenant": RED, "segment_id": BLUE.segment},
    "other_segment": {"segment_id": BLUE.trunk_segment},
    "from_outside": {"segment_id": 0},
    "other_source": {"src": True},
    "other_destination": {"dst": True},
    "other_protocol": {"protocol": TCP_PROTOCOL},
    "other_source_port": {"src_port": 4001},
    "other_destination_port": {"dst_port": 5001},
}


@gateway_test(RACK, ip=FAMILIES, other=OTHERS)
def test_flow_that_differs_in_anything_is_another(dut: Dut, ip: Family, other: dict[str, object]) -> None:
    neighbor = {IPV4: ("10.1.0.11", "203.0.113.10"), IPV6: ("2001:db8:1::11", "2001:db8:f::a")}[ip]
    other = {**other, **{key: neighbor[key == "dst"] for key in ("src", "dst") if key in other}}
    dut.controller.write([+replace(host_flow(BLUE, ip, WORLD[ip]), **other).cached("refuse", **REFUSAL)])
    frame = from_host(ip, WORLD[ip])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.MISS: 1}


@gateway_test(RACK, ip=FAMILIES, one={"blue": (BLUE, RED), "red": (RED, BLUE)})
def test_tenants_with_the_same_addresses_have_entries_of_their_own(
    dut: Dut, ip: Family, one: tuple[Tenant, Tenant]
) -> None:
    tenant, other = one
    dut.controller.write([+host_flow(tenant, ip, TRUNK_HOST[ip]).cached("forward", next_hop_id=tenant.next_hop(2))])
    frame = from_host(ip, TRUNK_HOST[ip])
    out = routed(frame, SEGMENT_MAC, TRUNK_HOST_MAC)
    observed = dut.exchange([(tenant.port, frame), (other.port, frame)])
    observed.assert_out({TRUNK: [tagged(out, tenant.vlan_id), tagged(out, other.vlan_id)]})
    assert cache_outcomes(observed, tenant) == {CacheOutcome.HIT: 1}
    assert cache_outcomes(observed, other) == {CacheOutcome.MISS: 1}


# ---- the entry's other properties


@gateway_test(RACK, ip=FAMILIES)
def test_entry_counts_its_packets(dut: Dut, ip: Family) -> None:
    flow = BLACKHOLED[ip]
    dut.controller.write([+flow.cached("forward", **TO_WORLD)])
    frames = [to_blackhole(ip) for _ in range(3)]
    dut.send(BLUE.port, *frames).assert_out({UPLINK: [*map(at_world, frames)]})
    assert dut.controller.hits(f"cache_{ip.name}", **flow.key) == len(frames)


@gateway_test(RACK, ip=FAMILIES, action={"forward": TO_WORLD, "refuse": REFUSAL})
def test_rule_and_tenant_are_credited_on_the_way_through_the_cache(
    dut: Dut, ip: Family, action: dict[str, int]
) -> None:
    name = "forward" if action is TO_WORLD else "refuse"
    dut.controller.write([+BLACKHOLED[ip].cached(name, rule_id=RULE, **action)])
    observed = dut.send(BLUE.port, to_blackhole(ip), to_blackhole(ip))
    assert rule_hits(observed) == {RULE: 2}
    assert tenant_traffic(observed, BLUE) == (2, 0)
    assert tenant_traffic(observed, RED) == (0, 0)


# ---- not looked up


def ipv4(*layers: Packet, src: str = HOST[IPV4], **fields: object) -> bytes:
    return ether(*FROM_HOST, IPV4.header(src, WORLD[IPV4], **fields), *layers)


def ipv6(*layers: Packet, **fields: object) -> bytes:
    return ether(*FROM_HOST, IPV6.header(HOST[IPV6], WORLD[IPV6], **fields), *layers)


def segment(flags: str) -> Packet:
    return TCP(sport=4000, dport=5000, flags=flags)


DATAGRAM = UDP(sport=4000, dport=5000)
BYPASSING: dict[str, tuple[Callable[[], bytes], int, tuple[int, int]]] = {
    # what is sent, and the flow it would be of: protocol, ports
    **{
        f"{name}_tcp_{flags}": (
            lambda build=build, flags=flags: build(segment(flags), probe()),
            TCP_PROTOCOL,
            (4000, 5000),
        )
        for name, build in (("ipv4", ipv4), ("ipv6", ipv6))
        for flags in ("S", "SA", "F", "FA", "R", "RA", "SF", "SR")
    },
    "ipv4_first_fragment": (lambda: ipv4(DATAGRAM, probe(), flags="MF"), 17, (4000, 5000)),
    "ipv4_later_fragment": (lambda: ipv4(probe(), proto=17, frag=9), 17, (0, 0)),
    "ipv6_first_fragment": (lambda: ipv6(IPv6ExtHdrFragment(m=1), DATAGRAM, probe()), 17, (4000, 5000)),
    "ipv6_later_fragment": (lambda: ipv6(IPv6ExtHdrFragment(nh=17, offset=9), probe()), 17, (0, 0)),
    "ipv6_atomic_fragment": (lambda: ipv6(IPv6ExtHdrFragment(), DATAGRAM, probe()), 17, (4000, 5000)),
    "ipv4_options": (lambda: ipv4(DATAGRAM, probe(), options=[IPOption_NOP()] * 4), 17, (4000, 5000)),
    "ipv6_hop_by_hop": (lambda: ipv6(IPv6ExtHdrHopByHop(), DATAGRAM, probe()), 0, (0, 0)),
    "ipv6_routing": (lambda: ipv6(IPv6ExtHdrRouting(), DATAGRAM, probe()), 43, (0, 0)),
    "ipv6_destination": (lambda: ipv6(IPv6ExtHdrDestOpt(), DATAGRAM, probe()), 60, (0, 0)),
    "ipv4_icmp_unreachable": (lambda: ipv4(ICMP(type=3, code=1), probe()), ICMP_PROTOCOL, (0, 0)),
    "ipv4_icmp_timestamp": (lambda: ipv4(ICMP(type=13), probe()), ICMP_PROTOCOL, (0, 0)),
    "ipv6_icmp_unreachable": (lambda: ipv6(ICMPv6DestUnreach(), probe()), ICMPV6, (0, 0)),
}


@gateway_test(RACK, packet=BYPASSING)
def test_packet_that_is_for_the_stages_to_judge_is_not_looked_up(
    dut: Dut, packet: tuple[Callable[[], bytes], int, tuple[int, int]]
) -> None:
    build, protocol, (src_port, dst_port) = packet
    frame = build()
    ip = IPV4 if frame[12:14] == b"\x08\x00" else IPV6
    flow = host_flow(BLUE, ip, WORLD[ip], protocol=protocol, src_port=src_port, dst_port=dst_port)
    everything = flow.aggregate(Consulted(0), "refuse", **REFUSAL)
    dut.controller.write([+flow.cached("refuse", **REFUSAL), +everything])
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.BYPASS: 1}
    observed.assert_learned()
    assert tenant_traffic(observed, BLUE) == (1, 0)


@gateway_test(RACK, ip=FAMILIES)
def test_packet_on_its_last_hop_is_not_looked_up(dut: Dut, ip: Family) -> None:
    dut.controller.write([+host_flow(BLUE, ip, WORLD[ip]).cached("forward", **TO_WORLD)])
    frame = from_host(ip, WORLD[ip], hops=1)
    observed = dut.send(BLUE.port, frame)
    observed.assert_punted(PuntReason.TTL_EXPIRED, frame, tenant_id=BLUE.tenant_id)
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.BYPASS: 1}


@gateway_test(RACK, ip=FAMILIES, flags={"ack": "A", "push": "PA", "urgent": "UA", "ece_cwr": "AEC", "none": ""})
def test_tcp_segment_that_neither_opens_nor_closes_is_looked_up(dut: Dut, ip: Family, flags: str) -> None:
    flow = host_flow(BLUE, ip, BLACKHOLE[ip], protocol=TCP_PROTOCOL)
    dut.controller.write([+flow.cached("forward", **TO_WORLD)])
    frame = tcp(ip, FROM_HOST, (HOST[ip], BLACKHOLE[ip]), ports=(4000, 5000), flags=flags)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


ECHO = {
    # an identifier stands as the source port of a request and as the destination port of a reply
    "ipv4_request": (IPV4, ICMP(type=8, id=0x1234), ICMP_PROTOCOL, (0x1234, 0)),
    "ipv4_reply": (IPV4, ICMP(type=0, id=0x1234), ICMP_PROTOCOL, (0, 0x1234)),
    "ipv6_request": (IPV6, ICMPv6EchoRequest(id=0x1234), ICMPV6, (0x1234, 0)),
    "ipv6_reply": (IPV6, ICMPv6EchoReply(id=0x1234), ICMPV6, (0, 0x1234)),
}


@gateway_test(RACK, echo=ECHO)
def test_echo_is_a_flow_by_its_identifier(dut: Dut, echo: tuple[Family, Packet, int, tuple[int, int]]) -> None:
    ip, message, protocol, (src_port, dst_port) = echo
    flow = host_flow(BLUE, ip, BLACKHOLE[ip], protocol=protocol, src_port=src_port, dst_port=dst_port)
    dut.controller.write([+flow.cached("forward", **TO_WORLD)])
    frame = ether(*FROM_HOST, ip.header(HOST[ip], BLACKHOLE[ip]), message, probe())
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: 1}


# ---- either path alike

WAYS: dict[str, Callable[[Family], tuple[int, bytes, Flow, int]]] = {
    # port and frame in, its flow, the next hop it takes
    "host_to_world": lambda ip: (BLUE.port, from_host(ip, WORLD[ip]), host_flow(BLUE, ip, WORLD[ip]), WORLD_NEXT_HOP),
    "host_to_trunk": lambda ip: (
        BLUE.port, from_host(ip, TRUNK_HOST[ip]), host_flow(BLUE, ip, TRUNK_HOST[ip]), BLUE.next_hop(2),
    ),
    "world_to_host": lambda ip: (
        UPLINK,
        from_world(ip, BLUE.public[ip]),
        Flow(tenant=BLUE, family=ip, segment_id=0, src=WORLD[ip], dst=BLUE.public[ip]),
        BLUE.next_hop(1),
    ),
    **{
        f"host_to_{name}": lambda ip, tunnel=tunnel: (
            BLUE.port,
            from_host(ip, remote(tunnel, ip)),
            host_flow(BLUE, ip, remote(tunnel, ip)),
            BLUE.next_hop(tunnel.tunnel_id),
        )
        for name, tunnel in TUNNELS.items()
    },
    **{
        f"{name}_to_host": lambda ip, tunnel=tunnel: (
            tunnel.port,
            tunnel.received(from_remote(tunnel, ip, HOST[ip]), BLUE.network_id(tunnel)),
            Flow(tenant=BLUE, family=ip, segment_id=BLUE.remote_segment(tunnel), src=remote(tunnel, ip), dst=HOST[ip]),
            BLUE.next_hop(1),
        )
        for name, tunnel in TUNNELS.items()
    },
}  # fmt: skip


@gateway_test(RACK, ip=FAMILIES, way=WAYS)
def test_first_packet_is_reported_and_leaves_as_the_second_does_from_the_cache(
    dut: Dut, ip: Family, way: Callable[[Family], tuple[int, bytes, Flow, int]]
) -> None:
    port, frame, flow, next_hop_id = way(ip)
    first = dut.send(port, frame)
    assert cache_outcomes(first, BLUE) == {CacheOutcome.MISS: 1}
    first.assert_learned(flow.learned(consulted=Consulted.DST_ADDR, next_hop_id=next_hop_id))
    assert first.frames

    dut.controller.write([+flow.cached("forward", next_hop_id=next_hop_id)])
    second = dut.send(port, frame)
    assert cache_outcomes(second, BLUE) == {CacheOutcome.HIT: 1}
    assert second.frames == first.frames
    assert tenant_traffic(second, BLUE) == tenant_traffic(first, BLUE) == ((0, 1) if flow.segment_id == 0 else (1, 0))
