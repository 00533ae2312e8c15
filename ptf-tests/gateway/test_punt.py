# SPDX-License-Identifier: Apache-2.0
"""punt: how much the controller is given.

- Each reason has a rate of its own: what exceeds it is dropped, and counted.
- A flood of one reason leaves room for the others, and costs other traffic nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from finsy import P4MeterConfig, P4MeterEntry
from scapy.layers.inet import ICMP

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, Family, arp, ether, probe, udp
from harness.gateway import gateway_test
from harness.gateway.flows import host_flow
from harness.gateway.nat import nat
from harness.gateway.ports import TRUNK, UPLINK
from harness.gateway.rack import (
    BLUE,
    HOST,
    HOST_MAC,
    MTU,
    RACK,
    SEGMENT_MAC,
    SEGMENT_ROUTER,
    TRUNK_HOST,
    UNRESOLVED,
    UNROUTED,
    WORLD,
)
from harness.gateway.traffic import FROM_HOST, FROM_WORLD, at_trunk, from_host
from headgate.vocabulary import DropReason, PuntReason

BURST, SENT = 3, 10

PUNTED: dict[PuntReason, tuple[int, Callable[[], bytes]]] = {
    PuntReason.NEIGHBOR_MISS: (BLUE.port, lambda: from_host(IPV4, UNRESOLVED[IPV4])),
    PuntReason.NEIGHBOR_HEARD: (BLUE.port, lambda: arp(HOST_MAC, SEGMENT_MAC, HOST[IPV4], SEGMENT_ROUTER[IPV4])),
    PuntReason.TTL_EXPIRED: (BLUE.port, lambda: from_host(IPV4, TRUNK_HOST[IPV4], hops=1)),
    PuntReason.PACKET_TOO_BIG: (BLUE.port, lambda: from_host(IPV4, TRUNK_HOST[IPV4], payload=MTU, flags="DF")),
    PuntReason.NO_ROUTE: (BLUE.port, lambda: udp(IPV4, FROM_HOST, ("172.16.0.1", UNROUTED[IPV4]))),  # no pool is for it
    PuntReason.NAT_MAPPING_MISS: (BLUE.port, lambda: from_host(IPV4, WORLD[IPV4])),
    PuntReason.LOCAL: (BLUE.port, lambda: from_host(IPV4, SEGMENT_ROUTER[IPV4])),
    PuntReason.ICMP_ERROR: (
        UPLINK,
        lambda: ether(*FROM_WORLD, IPV4.header(WORLD[IPV4], BLUE.nat_address), ICMP(type=3), probe()),
    ),
}
REASONS = {reason.name.lower(): reason for reason in PuntReason if reason is not PuntReason.NONE}
OTHERS = {name: reason for name, reason in REASONS.items() if reason is not PuntReason.NO_ROUTE}


def limited(reason: PuntReason) -> P4MeterEntry:
    """`BURST` packets for one reason now, and the next a second later."""
    return P4MeterEntry("punt_meter", index=reason, config=P4MeterConfig(cir=1, cburst=BURST, pir=1, pburst=BURST))


@gateway_test(RACK, nat(BLUE), reason=REASONS)
def test_punts_beyond_their_rate_are_dropped(dut: Dut, reason: PuntReason) -> None:
    dut.controller.write([~limited(reason)])
    port, build = PUNTED[reason]
    frames = [build() for _ in range(SENT)]
    observed = dut.send(port, *frames)
    assert [punt.payload for punt in observed.punts] == frames[:BURST]
    assert {punt.metadata["reason"] for punt in observed.punts} == {reason}
    assert observed.drops == {DropReason.PUNT_RATE_EXCEEDED: SENT - BURST}
    assert not observed.frames


@gateway_test(
    RACK, [*nat(BLUE), limited(PuntReason.NO_ROUTE)], reason={n: r for n, r in REASONS.items() if n != "no_route"}
)
def test_flood_of_one_reason_leaves_room_for_another(dut: Dut, reason: PuntReason) -> None:
    _, unroutable = PUNTED[PuntReason.NO_ROUTE]
    port, build = PUNTED[reason]
    other = build()
    observed = dut.exchange([*((BLUE.port, unroutable()) for _ in range(SENT)), (port, other)])
    assert observed.punts[-1].payload == other
    assert observed.punts[-1].metadata["reason"] == reason


@gateway_test(RACK, [limited(PuntReason.NEIGHBOR_MISS)], ip=FAMILIES)
def test_flood_of_punts_costs_other_traffic_nothing(dut: Dut, ip: Family) -> None:
    flood = [from_host(ip, UNRESOLVED[ip]) for _ in range(SENT)]
    traffic = [from_host(ip, TRUNK_HOST[ip]) for _ in range(SENT)]
    observed = dut.send(BLUE.port, *[frame for pair in zip(flood, traffic, strict=True) for frame in pair])
    assert observed.frames == {TRUNK: [at_trunk(frame, BLUE) for frame in traffic]}
    assert len(observed.punts) == BURST


@gateway_test(RACK, [limited(PuntReason.PACKET_TOO_BIG)])
def test_cached_flow_is_held_to_the_rate_too(dut: Dut) -> None:
    flow = host_flow(BLUE, IPV4, WORLD[IPV4])
    dut.controller.write([+flow.cached("forward", next_hop_id=BLUE.next_hop(2))])
    frames = [from_host(IPV4, WORLD[IPV4], payload=MTU, flags="DF") for _ in range(SENT)]
    observed = dut.send(BLUE.port, *frames)
    assert [punt.payload for punt in observed.punts] == frames[:BURST]
    assert observed.drops == {DropReason.PUNT_RATE_EXCEEDED: SENT - BURST}
