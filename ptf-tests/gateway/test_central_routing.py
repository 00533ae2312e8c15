# SPDX-License-Identifier: Apache-2.0
"""central_routing and ecmp: the router that tenants share, and one of several ways for each flow.

- Each central router has routes of its own; several tenants use one, and one tenant none.
- A group's members share its flows; all packets of a flow take one way, whatever else they differ in.
- Flows are told apart by what the packet leaves with, and by whose route it is.
- A group that is not there drops, for a reason of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, routed, tagged
from harness.gateway import gateway_test
from harness.gateway.flows import EVERY_FIELD, host_flow
from harness.gateway.ports import SECOND_UPLINK, UPLINK, UPLINK_VLAN
from harness.gateway.rack import (
    BLUE,
    RACK,
    RED,
    ROUTER,
    ROUTER_EPOCH,
    SECOND_WORLD,
    SECOND_WORLD_MAC,
    SECOND_WORLD_NEXT_HOP,
    TENANTS,
    UNROUTED,
    UPLINK_MAC,
    WORLD,
    WORLD_NEXT_HOP,
    Tenant,
    central_route,
    ecmp,
    entry,
    network,
    route,
    tenant_entry,
)
from harness.gateway.traffic import at_trunk, at_world, from_host
from headgate.systems import Entity
from headgate.vocabulary import Consulted, DropReason, PuntReason

OTHER_ROUTER = 2
GROUP, MISSING_GROUP = 1, 2
FLOWS = 96
SHARED: dict[Family, str] = {IPV4: "198.18.0.9", IPV6: "2001:db8:5a::9"}
"""Behind both uplinks."""


def at_second_world(frame: bytes) -> bytes:
    return tagged(routed(frame, UPLINK_MAC, SECOND_WORLD_MAC), UPLINK_VLAN)


# ---- routes


@gateway_test(RACK, ip=FAMILIES, tenant=TENANTS)
def test_tenants_share_the_routers_routes(dut: Dut, ip: Family, tenant: Tenant) -> None:
    frames = from_host(ip, WORLD[ip]), from_host(ip, SECOND_WORLD[ip])
    dut.send(tenant.port, *frames).assert_out({UPLINK: at_world(frames[0]), SECOND_UPLINK: at_second_world(frames[1])})


@gateway_test(RACK, ip=FAMILIES)
def test_longest_prefix_decides(dut: Dut, ip: Family) -> None:
    one = f"{WORLD[ip]}/{ip_address(WORLD[ip]).max_prefixlen}"
    second = {"next_hop_id": SECOND_WORLD_NEXT_HOP}
    dut.controller.write([+central_route(ip, one, "central_routing.to_next_hop", **second)])
    frame = from_host(ip, WORLD[ip])
    dut.send(BLUE.port, frame).assert_out({SECOND_UPLINK: at_second_world(frame)})


@gateway_test(RACK, ip=FAMILIES)
def test_black_hole_drops(dut: Dut, ip: Family) -> None:
    dut.controller.write([+central_route(ip, network(ip, UNROUTED[ip]), "central_routing.blackhole")])
    dut.send(BLUE.port, from_host(ip, UNROUTED[ip])).assert_dropped(DropReason.BLACKHOLE_ROUTE)


@gateway_test(RACK, ip=FAMILIES)
def test_destination_without_a_route_is_the_controllers_to_answer(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, UNROUTED[ip])
    dut.send(BLUE.port, frame).assert_punted(PuntReason.NO_ROUTE, frame, tenant_id=BLUE.tenant_id, router_id=ROUTER)


@gateway_test(
    RACK,
    [entry("router", {"router_id": OTHER_ROUTER}, "set_router", epoch=9), tenant_entry(RED, router_id=OTHER_ROUTER)],
    ip=FAMILIES,
)
def test_routers_have_routes_of_their_own(dut: Dut, ip: Family) -> None:
    key = {"router_id": OTHER_ROUTER, "dst_addr": network(ip, WORLD[ip])}
    second = {"next_hop_id": SECOND_WORLD_NEXT_HOP}
    dut.controller.write([+entry(f"central_route_{ip.name}", key, "central_routing.to_next_hop", **second)])
    frame = from_host(ip, WORLD[ip])
    observed = dut.exchange([(BLUE.port, frame), (RED.port, frame)])
    observed.assert_out({UPLINK: at_world(frame), SECOND_UPLINK: at_second_world(frame)})
    assert [digest.fields["router_epoch"] for digest in observed.digests] == [ROUTER_EPOCH, 9]


@gateway_test(RACK, [tenant_entry(BLUE, router_id=0)], ip=FAMILIES)
def test_tenant_without_a_central_router_reaches_no_outside(dut: Dut, ip: Family) -> None:
    dut.send(BLUE.port, from_host(ip, WORLD[ip])).assert_dropped(DropReason.ROUTER_UNKNOWN)


@gateway_test(RACK, [tenant_entry(BLUE, router_id=77)], ip=FAMILIES)
def test_tenant_of_a_router_that_does_not_exist_is_refused(dut: Dut, ip: Family) -> None:
    dut.send(BLUE.port, from_host(ip, WORLD[ip])).assert_dropped(DropReason.ROUTER_UNKNOWN)


# ---- several ways


def to_group(group_id: int) -> list[Entity]:
    """Routes to `SHARED`, by the central router, that lead to a group."""
    to = "central_routing.to_group"
    return [central_route(ip, network(ip, SHARED[ip]), to, group_id=group_id) for ip in FAMILIES.values()]


BOTH_UPLINKS = [*ecmp(GROUP, [WORLD_NEXT_HOP, SECOND_WORLD_NEXT_HOP]), *to_group(GROUP)]


def ways(dut: Dut, port: int, frames: Sequence[bytes]) -> list[int]:
    """The uplink that each of the frames left by, as it should look there."""
    by_frame = {}
    observed = dut.send(port, *frames)
    for uplink, dress in ((UPLINK, at_world), (SECOND_UPLINK, at_second_world)):
        by_frame |= {dress(frame): uplink for frame in frames if dress(frame) in observed.frames.get(uplink, ())}
    assert sum(map(len, observed.frames.values())) == len(frames) == len(by_frame), observed
    return [by_frame.get(at_world(frame)) or by_frame[at_second_world(frame)] for frame in frames]


@gateway_test(RACK, BOTH_UPLINKS, ip=FAMILIES)
def test_members_share_the_flows(dut: Dut, ip: Family) -> None:
    frames = [from_host(ip, SHARED[ip], ports=(4000 + flow, 443)) for flow in range(FLOWS)]
    shares = Counter(ways(dut, BLUE.port, frames))
    assert min(shares[UPLINK], shares[SECOND_UPLINK]) > FLOWS // 4, shares


@gateway_test(RACK, BOTH_UPLINKS, ip=FAMILIES)
def test_packets_of_a_flow_take_one_way(dut: Dut, ip: Family) -> None:
    for flow in range(8):
        fields = [{"payload": 100}, {"payload": 1000}, {"hops": 9}, {"tos" if ip is IPV4 else "tc": 0xB8}]
        frames = [from_host(ip, SHARED[ip], ports=(4000 + flow, 443), **each) for each in fields]
        assert len(set(ways(dut, BLUE.port, frames))) == 1


SEVERAL: dict[str, Any] = {
    "source_port": lambda ip, n: ((4000 + n, 443), SHARED[ip]),
    "destination_port": lambda ip, n: ((4000, 400 + n), SHARED[ip]),
    "destination": lambda ip, n: ((4000, 443), str(ip_address(network(ip, SHARED[ip]).split("/")[0]) + 1 + n)),
}


@gateway_test(RACK, BOTH_UPLINKS, ip=FAMILIES, field=SEVERAL)
def test_flows_that_differ_in_one_field_are_told_apart(dut: Dut, ip: Family, field: Any) -> None:
    flows = [field(ip, n) for n in range(32)]
    frames = [from_host(ip, dst, ports=ports) for ports, dst in flows]
    assert len(set(ways(dut, BLUE.port, frames))) == 2


@gateway_test(RACK, BOTH_UPLINKS, ip=FAMILIES)
def test_way_that_was_chosen_by_everything_is_reported_so(dut: Dut, ip: Family) -> None:
    frame = from_host(ip, SHARED[ip])
    observed = dut.send(BLUE.port, frame)
    next_hop_id = WORLD_NEXT_HOP if observed.frames.get(UPLINK) else SECOND_WORLD_NEXT_HOP
    flow = host_flow(BLUE, ip, SHARED[ip])
    observed.assert_learned(flow.learned(consulted=EVERY_FIELD | Consulted.DST_ADDR, next_hop_id=next_hop_id))


@gateway_test(RACK, ip=FAMILIES)
def test_tenants_own_route_may_have_several_ways(dut: Dut, ip: Family) -> None:
    members = [BLUE.next_hop(2), WORLD_NEXT_HOP]
    dut.controller.write([+each for each in ecmp(GROUP, members)])
    to = {"group_id": GROUP}
    dut.controller.write([+route(BLUE, ip, network(ip, SHARED[ip]), "distributed_routing.to_group", **to)])
    frames = [from_host(ip, SHARED[ip], ports=(4000 + flow, 443)) for flow in range(FLOWS)]
    observed = dut.send(BLUE.port, *frames)
    by_trunk = [at_trunk(frame, BLUE) for frame in frames]
    by_uplink = [at_world(frame) for frame in frames]
    came = [frame for frames in observed.frames.values() for frame in frames]
    assert len(came) == FLOWS
    assert set(came) <= {*by_trunk, *by_uplink}
    assert min(len(observed.frames[port]) for port in observed.frames) > FLOWS // 4
    assert len(observed.frames) == 2


@gateway_test(RACK, [*ecmp(GROUP, [SECOND_WORLD_NEXT_HOP]), *to_group(GROUP)], ip=FAMILIES)
def test_only_member_takes_everything(dut: Dut, ip: Family) -> None:
    frames = [from_host(ip, SHARED[ip], ports=(4000 + flow, 443)) for flow in range(16)]
    dut.send(BLUE.port, *frames).assert_out({SECOND_UPLINK: [*map(at_second_world, frames)]})


@gateway_test(RACK, to_group(MISSING_GROUP), ip=FAMILIES)
def test_group_that_is_not_there_drops(dut: Dut, ip: Family) -> None:
    observed = dut.send(BLUE.port, from_host(ip, SHARED[ip]))
    observed.assert_dropped(DropReason.ECMP_GROUP_EMPTY)
    observed.assert_learned()


@gateway_test(RACK, BOTH_UPLINKS, ip=FAMILIES)
def test_member_that_goes_moves_its_flows_to_the_others(dut: Dut, ip: Family) -> None:
    frames = [from_host(ip, SHARED[ip], ports=(4000 + flow, 443)) for flow in range(32)]
    assert len(set(ways(dut, BLUE.port, frames))) == 2
    _, group, _ = ecmp(GROUP, [SECOND_WORLD_NEXT_HOP])
    dut.controller.write([~group])
    dut.send(BLUE.port, *frames).assert_out({SECOND_UPLINK: [*map(at_second_world, frames)]})
