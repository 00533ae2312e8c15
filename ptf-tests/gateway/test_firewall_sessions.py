# SPDX-License-Identifier: Apache-2.0
"""firewall: connections, which a tenant's stateful rules let begin and sessions let go on.

- A stateful rule lets connections begin, and what is not their beginning pass only within a session: TCP begins with
  SYN alone, anything else with any packet. Each beginning and each end is reported.
- What a beginning's answers are is known at once, before the controller has written the session, for a second.
- Within a session both directions pass, as long as the rules let its beginning pass.
- With translation, rules and sessions are about the addresses inside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from scapy.layers.inet import ICMP
from scapy.layers.inet6 import ICMPv6EchoRequest

from harness.dut import Dut
from harness.frames import FAMILIES, IPV4, IPV6, Family, ether, probe, tcp
from harness.gateway import gateway_test
from harness.gateway.counted import cache_outcomes, rule_hits
from harness.gateway.firewall import ALL, both_families, guarded, rule, session
from harness.gateway.flows import ICMP as ICMP_PROTOCOL
from harness.gateway.flows import ICMPV6, Flow, host_flow
from harness.gateway.flows import TCP as TCP_PROTOCOL
from harness.gateway.flows import UDP as UDP_PROTOCOL
from harness.gateway.nat import mapping, nat, translated
from harness.gateway.ports import UPLINK
from harness.gateway.rack import (
    BLUE,
    HOST,
    RACK,
    RED,
    WORLD,
    WORLD_NEXT_HOP,
    entry,
)
from harness.gateway.traffic import FROM_HOST, FROM_WORLD, at_host, at_world, from_host
from headgate.vocabulary import CacheOutcome, DropReason, FlowEvent, FlowResult

RULE, OTHER_RULE = 3, 4
SYN, SYN_ACK, ACK, FIN_ACK, RST = "S", "SA", "A", "FA", "R"
FLAGS = {"S": 0x02, "SA": 0x12, "A": 0x10, "FA": 0x11, "R": 0x04}


# ---- connections begin

STATEFUL = both_families(BLUE, "allow_stateful", RULE)


@dataclass(frozen=True, slots=True)
class Connection:
    """From blue's host to a web server outside, by a port that no other connection of a run has: what was let begin is
    remembered for a while, whatever the device is programmed to then."""

    ip: Family
    port: int = field(default_factory=itertools.count(10_000).__next__)

    @property
    def flow(self) -> Flow:
        return host_flow(BLUE, self.ip, WORLD[self.ip], protocol=TCP_PROTOCOL, src_port=self.port, dst_port=80)

    @property
    def answers(self) -> Flow:
        ends = {"src": WORLD[self.ip], "dst": HOST[self.ip], "src_port": 80, "dst_port": self.port}
        return Flow(tenant=BLUE, family=self.ip, segment_id=0, protocol=TCP_PROTOCOL, **ends)

    def segment(self, flags: str) -> bytes:
        ends = HOST[self.ip], WORLD[self.ip]
        return tcp(self.ip, FROM_HOST, ends, ports=(self.port, 80), flags=flags)

    def answer(self, flags: str, *, port: int = 80) -> bytes:
        """From outside; `port` of the server."""
        ends = WORLD[self.ip], HOST[self.ip]
        return tcp(self.ip, FROM_WORLD, ends, ports=(port, self.port), flags=flags)


REACHABLE = [
    entry(
        f"tenant_destination_{ip.name}",
        {"router_id": 1, "dst_addr": {IPV4: "10.1.0.0/24", IPV6: "2001:db8:1::/64"}[ip]},
        "to_tenant",
        tenant_id=BLUE.tenant_id,
    )
    for ip in FAMILIES.values()
]
"""Blue's hosts can be answered from outside without translation."""


@gateway_test(RACK, STATEFUL, ip=FAMILIES)
def test_syn_begins_a_connection_and_is_reported_as_new(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    frame = connection.segment(SYN)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    observed.assert_learned(
        connection.flow.learned(
            consulted=ALL, next_hop_id=WORLD_NEXT_HOP, event=FlowEvent.NEW, rule_id=RULE, tcp_flags=FLAGS[SYN]
        )
    )
    assert rule_hits(observed) == {RULE: 1}
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.BYPASS: 1}


@gateway_test(RACK, STATEFUL, ip=FAMILIES, extra={"ece_cwr": "SEC", "push": "SP", "urgent": "SU"})
def test_syn_with_flags_that_say_nothing_of_a_connection_begins_one(dut: Dut, ip: Family, extra: str) -> None:
    frame = Connection(ip).segment(extra)
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


NO_BEGINNING = {
    flags or "none": flags for flags in ("", "A", "PA", "SA", "F", "FA", "R", "RA", "SF", "SR", "SAF", "FPU", "SAFRPU")
}


@gateway_test(RACK, STATEFUL, ip=FAMILIES, flags=NO_BEGINNING)
def test_segment_that_begins_nothing_is_dropped(dut: Dut, ip: Family, flags: str) -> None:
    observed = dut.send(BLUE.port, Connection(ip).segment(flags))
    observed.assert_dropped(DropReason.NOT_A_NEW_CONNECTION)
    observed.assert_learned()


OTHER_PROTOCOLS: dict[str, tuple[Family, int, Callable[[], bytes], tuple[int, int]]] = {
    "ipv4_udp": (IPV4, UDP_PROTOCOL, lambda: from_host(IPV4, WORLD[IPV4]), (4000, 5000)),
    "ipv6_udp": (IPV6, UDP_PROTOCOL, lambda: from_host(IPV6, WORLD[IPV6]), (4000, 5000)),
    "ipv4_echo": (
        IPV4,
        ICMP_PROTOCOL,
        lambda: ether(*FROM_HOST, IPV4.header(HOST[IPV4], WORLD[IPV4]), ICMP(type=8, id=77), probe()),
        (77, 0),
    ),
    "ipv6_echo": (
        IPV6,
        ICMPV6,
        lambda: ether(*FROM_HOST, IPV6.header(HOST[IPV6], WORLD[IPV6]), ICMPv6EchoRequest(id=77), probe()),
        (77, 0),
    ),
    "sctp": (IPV4, 132, lambda: ether(*FROM_HOST, IPV4.header(HOST[IPV4], WORLD[IPV4], proto=132), probe()), (0, 0)),
}


@gateway_test(RACK, STATEFUL, packet=OTHER_PROTOCOLS)
def test_first_packet_of_other_protocols_is_reported_as_new(
    dut: Dut, packet: tuple[Family, int, Callable[[], bytes], tuple[int, int]]
) -> None:
    ip, protocol, build, (src_port, dst_port) = packet
    frame = build()
    flow = host_flow(BLUE, ip, WORLD[ip], protocol=protocol, src_port=src_port, dst_port=dst_port)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    observed.assert_learned(flow.learned(consulted=ALL, next_hop_id=WORLD_NEXT_HOP, event=FlowEvent.NEW, rule_id=RULE))


@gateway_test(RACK, [*STATEFUL, *REACHABLE], ip=FAMILIES, flags={"syn": SYN, "syn_ack": SYN_ACK, "ack": ACK})
def test_outside_begins_nothing_where_only_the_inside_may(dut: Dut, ip: Family, flags: str) -> None:
    dut.controller.write(
        [-rule(BLUE, ip, "allow_stateful", RULE), +rule(BLUE, ip, "allow_stateful", RULE, src_addr=HOST[ip])]
    )
    dut.send(UPLINK, Connection(ip).answer(flags)).assert_dropped(DropReason.FIREWALL_DENY)


# ---- connections go on


@gateway_test(RACK, STATEFUL, ip=FAMILIES)
def test_originators_data_passes_within_its_session(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(connection.flow))
    frame = connection.segment(ACK)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(frame)})
    observed.assert_learned(
        connection.flow.learned(consulted=ALL, next_hop_id=WORLD_NEXT_HOP, rule_id=RULE, tcp_flags=FLAGS[ACK])
    )


OUTBOUND_ONLY = [
    *guarded(
        BLUE,
        *(
            rule(BLUE, ip, "allow_stateful", RULE, segment_id=BLUE.segment, dst_port=(80, 80))
            for ip in FAMILIES.values()
        ),
    ),
    *REACHABLE,
]


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES, flags={"syn_ack": SYN_ACK, "ack": ACK})
def test_answer_passes_within_the_session_though_no_rule_lets_it_begin(dut: Dut, ip: Family, flags: str) -> None:
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(connection.flow))
    frame = connection.answer(flags)
    observed = dut.send(UPLINK, frame)
    observed.assert_out({BLUE.port: at_host(frame)})
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_answer_is_reported_as_a_flow_of_its_own(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(connection.flow))
    observed = dut.send(UPLINK, connection.answer(ACK))
    observed.assert_learned(
        connection.answers.learned(consulted=ALL, next_hop_id=BLUE.next_hop(1), rule_id=RULE, tcp_flags=FLAGS[ACK])
    )


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES, flags={"fin": FIN_ACK, "rst": RST})
def test_end_of_a_connection_is_reported_for_either_direction(dut: Dut, ip: Family, flags: str) -> None:
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(connection.flow))
    there, back = connection.segment(flags), connection.answer(flags)
    observed = dut.exchange([(BLUE.port, there), (UPLINK, back)])
    observed.assert_out({UPLINK: at_world(there), BLUE.port: at_host(back)})
    assert [digest.fields["event"] for digest in observed.digests] == [FlowEvent.CLOSE] * 2
    assert [digest.fields["segment_id"] for digest in observed.digests] == [BLUE.segment, 0]
    assert {digest.fields["tcp_flags"] for digest in observed.digests} == {FLAGS[flags]}
    assert cache_outcomes(observed, BLUE) == {CacheOutcome.BYPASS: 2}


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_rule_that_is_gone_ends_both_directions(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(connection.flow))
    dut.controller.write([-rule(BLUE, ip, "allow_stateful", RULE, segment_id=BLUE.segment, dst_port=(80, 80))])
    dut.send(BLUE.port, connection.segment(ACK)).assert_dropped(DropReason.FIREWALL_DENY)
    dut.send(UPLINK, connection.answer(ACK)).assert_dropped(DropReason.FIREWALL_DENY)


ANOTHER_SESSION: dict[str, dict[str, Any]] = {
    "of_other_ports": {"src_port": 4001},
    "with_somebody_else": {"dst": True},
    "of_another_protocol": {"protocol": UDP_PROTOCOL},
    "of_the_other_tenant": {"tenant": RED},
}


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES, other=ANOTHER_SESSION)
def test_another_session_lets_nothing_pass(dut: Dut, ip: Family, other: dict[str, Any]) -> None:
    other = {**other, **({"dst": {IPV4: "203.0.113.10", IPV6: "2001:db8:f::a"}[ip]} if "dst" in other else {})}
    connection = Connection(ip)
    dut.controller.write(+direction for direction in session(replace(connection.flow, **other)))
    dut.send(BLUE.port, connection.segment(ACK)).assert_dropped(DropReason.NOT_A_NEW_CONNECTION)
    dut.send(UPLINK, connection.answer(ACK)).assert_dropped(DropReason.FIREWALL_DENY)


@gateway_test(RACK, both_families(BLUE, "allow", RULE), ip=FAMILIES)
def test_stateless_rule_asks_for_no_beginning(dut: Dut, ip: Family) -> None:
    frame = Connection(ip).segment(ACK)
    dut.send(BLUE.port, frame).assert_out({UPLINK: at_world(frame)})


# ---- before the session is there: answers may be faster than the controller


ANSWERS = {"syn_ack": (SYN_ACK, [FlowEvent.NEW]), "rst": (RST, [FlowEvent.NEW, FlowEvent.CLOSE])}


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES, answer=ANSWERS)
def test_answer_passes_before_the_session_is_there_and_only_an_end_is_reported(
    dut: Dut, ip: Family, answer: tuple[str, list[FlowEvent]]
) -> None:
    connection, (flags, events) = Connection(ip), answer
    there, back = connection.segment(SYN), connection.answer(flags)
    observed = dut.exchange([(BLUE.port, there), (UPLINK, back)])
    observed.assert_out({UPLINK: at_world(there), BLUE.port: at_host(back)})
    assert [digest.fields["event"] for digest in observed.digests] == events
    assert rule_hits(observed) == {RULE: 2}


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_originator_goes_on_before_the_session_is_there_and_is_new_each_time(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    frames = [
        connection.segment(flags) for flags in (SYN, ACK, "PA")
    ]  # all different: a target may leave out repetitions
    observed = dut.send(BLUE.port, *frames)
    observed.assert_out({UPLINK: [*map(at_world, frames)]})
    assert [digest.fields["event"] for digest in observed.digests] == [FlowEvent.NEW] * 3


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_end_before_the_session_is_there_is_reported(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    frames = [connection.segment(flags) for flags in (SYN, FIN_ACK)]
    observed = dut.send(BLUE.port, *frames)
    assert [digest.fields["event"] for digest in observed.digests] == [FlowEvent.NEW, FlowEvent.CLOSE]


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_what_answers_nobody_does_not_pass_because_somebody_else_has_begun(dut: Dut, ip: Family) -> None:
    connection, other = Connection(ip), Connection(ip)
    dut.send(BLUE.port, connection.segment(SYN))
    dut.send(UPLINK, other.answer(SYN_ACK)).assert_dropped(DropReason.FIREWALL_DENY)
    dut.send(UPLINK, connection.answer(SYN_ACK, port=443)).assert_dropped(DropReason.FIREWALL_DENY)


@gateway_test(RACK, OUTBOUND_ONLY, ip=FAMILIES)
def test_rule_that_is_gone_ends_what_it_let_begin_before_the_session_is_there(dut: Dut, ip: Family) -> None:
    connection = Connection(ip)
    dut.send(BLUE.port, connection.segment(SYN))
    dut.controller.write([-rule(BLUE, ip, "allow_stateful", RULE, segment_id=BLUE.segment, dst_port=(80, 80))])
    dut.send(UPLINK, connection.answer(SYN_ACK)).assert_dropped(DropReason.FIREWALL_DENY)


# ---- with translation: the view from inside

INSIDE_PORT, OUTSIDE_PORT = 4000, 20000
TRANSLATED_CONNECTION = Connection(IPV4, INSIDE_PORT)
TRANSLATED = [
    *nat(BLUE),
    *mapping(BLUE, (HOST[IPV4], INSIDE_PORT), (BLUE.nat_address, OUTSIDE_PORT), protocol=TCP_PROTOCOL),
    *guarded(
        BLUE,
        rule(BLUE, IPV4, "allow_stateful", RULE, src_addr=HOST[IPV4], dst_port=(80, 80)),
        rule(BLUE, IPV4, "allow_stateful", OTHER_RULE, dst_addr=HOST[IPV4], dst_port=(80, 80)),
        nat=1,
    ),
]


@gateway_test(RACK, TRANSLATED)
def test_rules_see_the_inside_source_of_what_leaves(dut: Dut) -> None:
    frame = TRANSLATED_CONNECTION.segment(SYN)
    observed = dut.send(BLUE.port, frame)
    observed.assert_out({UPLINK: at_world(translated(frame, src=BLUE.nat_address, sport=OUTSIDE_PORT))})
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, TRANSLATED)
def test_rules_see_the_inside_destination_of_what_comes_in(dut: Dut) -> None:
    frame = tcp(IPV4, FROM_WORLD, (WORLD[IPV4], BLUE.forwarded_address), ports=(9999, 8080), flags=SYN)
    observed = dut.send(UPLINK, frame)
    observed.assert_out({BLUE.port: at_host(translated(frame, dst=HOST[IPV4], dport=80))})
    assert rule_hits(observed) == {OTHER_RULE: 1}


@gateway_test(RACK, TRANSLATED)
def test_session_is_of_the_inside_addresses(dut: Dut) -> None:
    dut.controller.write(+direction for direction in session(TRANSLATED_CONNECTION.flow))
    frame = tcp(IPV4, FROM_WORLD, (WORLD[IPV4], BLUE.nat_address), ports=(80, OUTSIDE_PORT), flags=SYN_ACK)
    observed = dut.send(UPLINK, frame)
    observed.assert_out({BLUE.port: at_host(translated(frame, dst=HOST[IPV4], dport=INSIDE_PORT))})
    assert rule_hits(observed) == {RULE: 1}


@gateway_test(RACK, TRANSLATED)
def test_new_connection_is_reported_with_what_it_is_translated_to(dut: Dut) -> None:
    observed = dut.send(BLUE.port, TRANSLATED_CONNECTION.segment(SYN))
    (digest,) = observed.digests
    assert digest.fields["event"] == FlowEvent.NEW
    assert digest.fields["result"] == FlowResult.TRANSLATE
    assert (digest.fields["new_src_port"], digest.fields["new_dst_port"]) == (OUTSIDE_PORT, 80)
