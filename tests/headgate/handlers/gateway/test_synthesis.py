# SPDX-License-Identifier: Apache-2.0
"""What entries a sample asks for; and that an aggregate never says of a packet what the slow path would not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from flow_samples import EVERYTHING, ICMP, UDP, sample
from hypothesis import given, settings
from hypothesis import strategies as st

from headgate.handlers.gateway.keys import reverse
from headgate.handlers.gateway.synthesis import Timeouts, aggregate_entry, synthesise
from headgate.vocabulary import Consulted, FlowEvent, FlowResult

TIMEOUTS = Timeouts()
BITS = (Consulted.SRC_ADDR, Consulted.DST_ADDR, Consulted.PROTOCOL, Consulted.SRC_PORT, Consulted.DST_PORT)


def tables(**fields: object) -> list[tuple[str, str]]:
    return [(entry.table, entry.action) for entry in synthesise(sample(**fields), TIMEOUTS)]


def test_a_flow_whose_every_field_was_consulted_gets_an_exact_entry_alone() -> None:
    assert tables() == [("cache_ipv4", "forward")]


def test_a_flow_gets_an_aggregate_as_well_where_a_field_was_not_consulted() -> None:
    assert tables(consulted=Consulted.DST_ADDR) == [("cache_ipv4", "forward"), ("cache_aggregate_ipv4", "forward")]


def test_no_aggregate_is_made_where_none_is_wanted() -> None:
    assert len(synthesise(sample(consulted=Consulted.DST_ADDR), TIMEOUTS, aggregate=False)) == 1


def test_that_sessions_were_looked_at_makes_no_field_of_a_key() -> None:
    assert tables(consulted=EVERYTHING | Consulted.SESSIONS) == [("cache_ipv4", "forward")]
    assert tables(consulted=Consulted.DST_ADDR | Consulted.SESSIONS)[1] == ("cache_aggregate_ipv4", "forward")


def test_a_translated_flow_gets_no_aggregate() -> None:
    assert tables(consulted=Consulted.SRC_ADDR, result=FlowResult.TRANSLATE) == [("cache_ipv4", "translate")]


def test_a_refused_flow_is_cached_with_its_reason() -> None:
    (entry,) = synthesise(sample(result=FlowResult.REFUSE, reason=140), TIMEOUTS)
    assert (entry.action, entry.args[2:]) == ("refuse", (bytes([140]), b"\0\4"))


def test_a_new_tcp_connection_gets_its_sessions_and_no_room_in_the_cache() -> None:
    assert tables(event=FlowEvent.NEW) == [
        ("firewall_session_ipv4", "originator"),
        ("firewall_session_ipv4", "responder"),
    ]


@pytest.mark.parametrize("protocol", [UDP, ICMP, 47])
def test_another_new_connection_gets_its_sessions_before_its_exact_entry(protocol: int) -> None:
    assert tables(event=FlowEvent.NEW, protocol=protocol) == [
        ("firewall_session_ipv4", "originator"),
        ("firewall_session_ipv4", "responder"),
        ("cache_ipv4", "forward"),
    ]


def test_a_closing_connection_asks_for_nothing() -> None:
    assert tables(event=FlowEvent.CLOSE) == []


def test_ipv6_has_tables_of_its_own() -> None:
    ipv6 = {"src_addr": "2001:db8::1", "dst_addr": "2001:db8::2"}
    assert tables(**ipv6, consulted=Consulted.DST_ADDR) == [
        ("cache_ipv6", "forward"),
        ("cache_aggregate_ipv6", "forward"),
    ]
    assert tables(**ipv6, event=FlowEvent.NEW)[0] == ("firewall_session_ipv6", "originator")


def test_a_session_is_what_the_inside_sees() -> None:
    outbound = sample(
        event=FlowEvent.NEW,
        result=FlowResult.TRANSLATE,
        src_addr="10.0.0.1",
        dst_addr="198.51.100.1",
        new_src_addr="203.0.113.1",
        new_src_port=7777,
    )
    inbound = sample(
        event=FlowEvent.FLOW,
        result=FlowResult.TRANSLATE,
        segment_id=0,
        src_addr="198.51.100.1",
        src_port=80,
        dst_addr="203.0.113.1",
        dst_port=7777,
        new_dst_addr="10.0.0.1",
        new_dst_port=1000,
    )
    originator, responder, *_ = synthesise(outbound, TIMEOUTS)
    assert originator.key == outbound.session == bytes.fromhex("0001 0a000001 c6336401 06 03e8 0050")
    assert responder.key == inbound.session == reverse(outbound.session)


def test_the_responders_session_says_from_which_segment_the_connection_began() -> None:
    originator, responder = synthesise(sample(event=FlowEvent.NEW, segment_id=5), TIMEOUTS)
    assert (originator.args, responder.args) == ((), (b"\0\5",))


# ---- aggregates against a model of the slow path


class Packet(NamedTuple):
    """The five fields, in the order of `Consulted`'s bits; small, so that they often agree."""

    src_addr: int
    dst_addr: int
    protocol: int
    src_port: int
    dst_port: int


@dataclass(frozen=True)
class Stage:
    """Looks at some fields; what it decides depends on them alone, and so does which stage comes next."""

    looks_at: Consulted
    decisions: tuple[int, ...]

    def decide(self, packet: Packet) -> int:
        seen = tuple(value for value, bit in zip(packet, BITS, strict=True) if self.looks_at & bit)
        return self.decisions[hash(seen) % len(self.decisions)]


def slow_path(stages: list[Stage], packet: Packet) -> tuple[int, Consulted]:
    """The result, and what was consulted: an odd decision ends it, as a refusal does."""
    consulted, result = Consulted.NONE, 0
    for stage in stages:
        consulted |= stage.looks_at
        result = 31 * result + stage.decide(packet)
        if result % 2:
            break
    return result, consulted


FIELDS = st.integers(0, 2)
PACKETS = st.builds(Packet, FIELDS, FIELDS, FIELDS, FIELDS, FIELDS)
STAGES = st.builds(
    Stage,
    st.integers(0, int(EVERYTHING)).map(Consulted),
    st.lists(st.integers(0, 5), min_size=1, max_size=4).map(tuple),
)


def as_sample_fields(packet: Packet) -> dict[str, object]:
    return {
        "src_addr": f"10.0.0.{packet.src_addr}",
        "dst_addr": f"10.0.1.{packet.dst_addr}",
        "protocol": packet.protocol,
        "src_port": packet.src_port,
        "dst_port": packet.dst_port,
    }


def matches(aggregate: bytes, other: bytes) -> bool:
    """Whether a flow agrees with an aggregate in tenant, segment and the fields of its mask."""
    *_, mask = aggregate
    widths = (4, 4, 1, 2, 2)
    if aggregate[:4] != other[:4]:
        return False
    start = 4
    for width, bit in zip(widths, BITS, strict=True):
        if mask & bit and aggregate[start : start + width] != other[start : start + width]:
            return False
        start += width
    return True


@settings(max_examples=300)
@given(st.lists(STAGES, max_size=4), PACKETS, st.lists(PACKETS, max_size=30))
def test_every_packet_an_aggregate_matches_has_its_result_from_the_slow_path(
    stages: list[Stage], first: Packet, others: list[Packet]
) -> None:
    result, consulted = slow_path(stages, first)
    learned = sample(**as_sample_fields(first), consulted=consulted, next_hop_id=result)
    aggregate = aggregate_entry(learned, TIMEOUTS)
    if aggregate is None:
        assert consulted == EVERYTHING
        return
    assert matches(aggregate.key, learned.flow)
    for other in others:
        if matches(aggregate.key, sample(**as_sample_fields(other)).flow):
            assert slow_path(stages, other)[0] == result


@settings(max_examples=100)
@given(PACKETS, PACKETS, st.integers(0, int(EVERYTHING) - 1).map(Consulted))
def test_an_aggregate_matches_what_agrees_in_the_consulted_fields_and_nothing_else(
    first: Packet, other: Packet, consulted: Consulted
) -> None:
    aggregate = aggregate_entry(sample(**as_sample_fields(first), consulted=consulted), TIMEOUTS)
    assert aggregate is not None
    agree = all(a == b for a, b, bit in zip(first, other, BITS, strict=True) if consulted & bit)
    assert matches(aggregate.key, sample(**as_sample_fields(other)).flow) == agree
