# SPDX-License-Identifier: Apache-2.0
"""learning: what the controller is told of flows, and how much of it.

What is in a report is for the tests of the stages that decide; here, how often one is made.

- Each packet that the cache does not answer is reported, if its result may be cached.
- The rate is limited, for each tenant and for all of them: a report beyond it is not made, is counted, and costs the
  packet nothing.
"""

from __future__ import annotations

from finsy import P4MeterConfig, P4MeterEntry

from harness.dut import Dut
from harness.frames import FAMILIES, Family
from harness.gateway import gateway_test
from harness.gateway.counted import cache_outcomes
from harness.gateway.flows import host_flow
from harness.gateway.ports import UPLINK
from harness.gateway.rack import BLUE, RACK, RED, UNRESOLVED, UNROUTED, WORLD, WORLD_NEXT_HOP, Tenant
from harness.gateway.traffic import at_world, from_host
from headgate.vocabulary import CacheOutcome, Consulted

BURST, SENT = 3, 10


def meter(name: str, index: int) -> P4MeterEntry:
    """Allows `BURST` reports now, and the next a second later."""
    return P4MeterEntry(name, index=index, config=P4MeterConfig(cir=1, cburst=BURST, pir=1, pburst=BURST))


BLUE_LIMITED = [meter("learning_meter", BLUE.tenant_id)]
ALL_LIMITED = [meter("learning_meter_total", 0)]


def flows(ip: Family, first: int = 0) -> list[bytes]:
    """A packet each of `SENT` flows."""
    return [from_host(ip, WORLD[ip], ports=(4000 + first + flow, 443)) for flow in range(SENT)]


def policed(dut: Dut, tenant: Tenant) -> int:
    rows = dut.controller.run(dut.controller.device.counter("learning_policed", tenant.tenant_id))
    return rows[tenant.tenant_id].packet_count


@gateway_test(RACK, ip=FAMILIES)
def test_each_new_flow_is_reported_once(dut: Dut, ip: Family) -> None:
    frames = flows(ip)
    observed = dut.send(BLUE.port, *frames)
    observed.assert_out({UPLINK: [*map(at_world, frames)]})
    observed.assert_learned(
        *(
            host_flow(BLUE, ip, WORLD[ip], src_port=4000 + flow, dst_port=443).learned(
                consulted=Consulted.DST_ADDR, next_hop_id=WORLD_NEXT_HOP
            )
            for flow in range(SENT)
        )
    )


@gateway_test(RACK, ip=FAMILIES, dst={"neighbor": UNRESOLVED, "route": UNROUTED})
def test_what_only_the_controller_can_settle_is_not_reported(dut: Dut, ip: Family, dst: dict[Family, str]) -> None:
    dut.send(BLUE.port, from_host(ip, dst[ip])).assert_learned()


@gateway_test(RACK, BLUE_LIMITED, ip=FAMILIES)
def test_reports_beyond_a_tenants_rate_are_not_made_and_its_packets_arrive(dut: Dut, ip: Family) -> None:
    before = policed(dut, BLUE)
    frames = flows(ip)
    observed = dut.send(BLUE.port, *frames)
    observed.assert_out({UPLINK: [*map(at_world, frames)]})
    assert len(observed.digests) == BURST
    assert policed(dut, BLUE) == before + SENT - BURST
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.MISS: SENT}


@gateway_test(RACK, BLUE_LIMITED, ip=FAMILIES)
def test_flood_of_one_tenants_flows_leaves_room_for_anothers(dut: Dut, ip: Family) -> None:
    both = [(port, frame) for n in range(SENT) for port, frame in ((BLUE.port, flows(ip)[n]), (RED.port, flows(ip)[n]))]
    observed = dut.exchange(both)
    reported = [digest.fields["tenant_id"] for digest in observed.digests]
    assert reported.count(BLUE.tenant_id) == BURST
    assert reported.count(RED.tenant_id) == SENT


@gateway_test(RACK, ALL_LIMITED, ip=FAMILIES)
def test_reports_beyond_the_rate_of_all_tenants_are_not_made(dut: Dut, ip: Family) -> None:
    before = policed(dut, BLUE) + policed(dut, RED)
    frames = flows(ip)
    sent = [(tenant.port, frame) for tenant in (BLUE, RED) for frame in frames]
    observed = dut.exchange(sent, reported=False)
    observed.assert_out({UPLINK: [*map(at_world, frames)] * 2})
    assert policed(dut, BLUE) + policed(dut, RED) >= before + 2 * SENT - BURST


@gateway_test(RACK, BLUE_LIMITED, ip=FAMILIES)
def test_established_flow_keeps_hitting_while_new_ones_are_policed(dut: Dut, ip: Family) -> None:
    flow = host_flow(BLUE, ip, WORLD[ip], src_port=9, dst_port=443)
    dut.controller.write([+flow.cached("forward", next_hop_id=WORLD_NEXT_HOP)])
    established = [from_host(ip, WORLD[ip], ports=(9, 443)) for _ in range(SENT)]
    both = [frame for pair in zip(flows(ip), established, strict=True) for frame in pair]
    observed = dut.send(BLUE.port, *both)
    observed.assert_out({UPLINK: [*map(at_world, both)]})
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.HIT: SENT, CacheOutcome.MISS: SENT}
