# SPDX-License-Identifier: Apache-2.0
"""The trace of a packet: what it tells, how it reads, and that watching changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from softnic.engine import ActionCall, Exact, GroupMember, GroupRef, Lpm, TableEntry
from softnic.frontend import load_program
from softnic.reference import ReferenceEngine, explain, render, to_json
from softnic.reference.explain import field_name
from softnic.reference.trace import (
    BranchTaken,
    ChecksumVerified,
    CounterIncremented,
    Dropped,
    Event,
    FieldAssigned,
    HeaderExtracted,
    ParserErrorRaised,
    PassStarted,
    Sent,
    StateEntered,
    TableApplied,
)

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"
PROGRAM = "tables"

EXACT, PREFIX, SELECTOR = 0, 1, 7


@pytest.fixture
def engine() -> ReferenceEngine:
    """The only executor that can be watched."""
    return ReferenceEngine(load_program(COMPILED / f"{PROGRAM}.json"))


def query(verb: int, address: int = 0, small: int = 1, port: int = 80) -> bytes:
    return bytes([verb, small]) + address.to_bytes(4, "big") + port.to_bytes(2, "big") + b"\xff\xff"


def of_type(events: tuple[Event, ...], wanted: type) -> list:
    return [event for event in events if isinstance(event, wanted)]


def test_trace_tells_the_way_of_a_packet_in_order(engine: ReferenceEngine) -> None:
    entry = TableEntry((Lpm(0x0A000000, 8), Exact(1)), ActionCall("IngressPipe.answer", (7,)))
    engine.insert("IngressPipe.prefix_table", entry)
    data = query(PREFIX, 0x0A000001)
    events = explain(engine, 3, data).events
    assert events[0] == PassStarted("ingress", "received", 3, 10)
    assert [event.state for event in of_type(events, StateEntered)] == ["start"]
    (extracted,) = of_type(events, HeaderExtracted)
    assert dict(extracted.fields) == {"verb": 1, "small": 1, "address": 0x0A000001, "port": 80, "answer": 0xFFFF}
    applied = next(event for event in of_type(events, TableApplied) if event.key)
    assert applied.table == "IngressPipe.prefix_table"
    assert dict(applied.key) == {"hdr.query.address": 0x0A000001, "hdr.query.small": 1}
    assert (applied.entry, applied.action, applied.args) == (entry, "IngressPipe.answer", (("value", 7),))
    assigned = next(event for event in of_type(events, FieldAssigned) if event.field == "query.answer")
    assert (assigned.before, assigned.after) == (0xFFFF, 7)
    assert assigned.source is not None
    assert assigned.source.file == "tests/p4/tables.p4"
    assert assigned.source.fragment.startswith("hdr.query.answer = value")
    assert events[-1] == Sent(1, data[:8] + b"\x00\x07")


def test_conditions_are_told_with_their_source(engine: ReferenceEngine) -> None:
    events = explain(engine, 0, query(PREFIX)).events
    assert [(event.condition, event.taken) for event in of_type(events, BranchTaken)] == [
        ("hdr.query.isValid()", True),
        ("hdr.query.verb == EXACT", False),
        ("hdr.query.verb == PREFIX", True),
    ]


def test_miss_tells_the_default_action_and_the_drop(engine: ReferenceEngine) -> None:
    events = explain(engine, 0, query(PREFIX)).events
    applied = next(event for event in of_type(events, TableApplied) if event.key)
    assert (applied.entry, applied.chosen, applied.action) == (None, ActionCall("IngressPipe.deny"), "IngressPipe.deny")
    assert events[-1] == Dropped("ingress")


def test_group_is_told_with_the_action_of_the_chosen_member(engine: ReferenceEngine) -> None:
    engine.insert_member("IngressPipe.groups", 4, ActionCall("IngressPipe.answer", (9,)))
    engine.insert_group("IngressPipe.groups", 5, [GroupMember(4)])
    engine.insert("IngressPipe.selector_table", TableEntry((Exact(80),), GroupRef(5)))
    trace = explain(engine, 0, query(SELECTOR))
    applied = next(event for event in of_type(trace.events, TableApplied) if event.key)
    assert (applied.chosen, applied.action, applied.args) == (GroupRef(5), "IngressPipe.answer", (("value", 9),))
    assert "    hit 0x50 via group 5" in render(trace)


def test_watching_a_packet_does_to_the_state_what_processing_does(engine: ReferenceEngine) -> None:
    key = (Exact(1), Exact(1))
    engine.insert("IngressPipe.exact_table", TableEntry(key, ActionCall("IngressPipe.answer_counted", (7,))))
    (processed,) = engine.process(0, query(EXACT, 1))
    sent = of_type(explain(engine, 0, query(EXACT, 1)).events, Sent)
    assert sent == [Sent(processed.port, processed.data)]
    assert engine.read_direct_counter("IngressPipe.exact_table", key).packets == 2


def test_rendered_trace_reads_from_top_to_bottom(engine: ReferenceEngine) -> None:
    engine.insert(
        "IngressPipe.prefix_table",
        TableEntry((Lpm(0x0A000000, 8), Exact(1)), ActionCall("IngressPipe.answer", (7,))),
    )
    lines = render(explain(engine, 3, query(PREFIX, 0x0A000001)))
    wanted = [
        "packet of 10 bytes on port 3: 01010a0000010050ffff",
        "ingress (received) from port 3, 10 bytes",
        "  parser state start",
        "  table IngressPipe.prefix_table [hdr.query.address=0xa000001, hdr.query.small=0x1]",
        "    hit 0xa000000/8, 0x1",
        "    action IngressPipe.answer(value=0x7)",
        "    query.answer: 0xffff -> 0x7",
        "egress (unicast) to port 1, 10 bytes",
        "  sent on port 1, 10 bytes: 01010a00000100500007",
    ]
    bare = [line.split("  (")[0] for line in lines]
    assert [line for line in bare if line in wanted] == wanted
    assert any("(tests/p4/tables.p4:52: hdr.query.answer = value" in line for line in lines)


def test_names_given_for_a_fields_values_are_printed(engine: ReferenceEngine) -> None:
    lines = render(explain(engine, 0, query(PREFIX)), {"query.verb": {1: "PREFIX"}})
    assert any("verb=PREFIX" in line for line in lines)


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("ipv4.ttl", "ipv4.ttl"),
        ("scalars.meta_t._verdict_kind42", "meta_t.verdict_kind"),
        ("scalars.meta_t.colour", "meta_t.colour"),
        ("scalars.tmp_0", "tmp_0"),
    ],
)
def test_field_is_called_what_the_program_calls_it(field: str, name: str) -> None:
    assert field_name(field) == name


def test_long_packet_is_shown_by_its_beginning(engine: ReferenceEngine) -> None:
    lines = render(explain(engine, 0, query(9) + bytes(1490)))
    assert all(len(line) < 400 for line in lines)


@pytest.mark.parametrize("program", ["tables", "headers", "externs", "replication"])
def test_every_trace_has_a_json_form_and_lines(program: str) -> None:
    engine = ReferenceEngine(load_program(COMPILED / f"{program}.json"))
    for verb in range(13):
        trace = explain(engine, 1, bytes([verb]) + bytes(range(30)))
        assert json.loads(json.dumps(to_json(trace)))["events"][0]["event"] == "PassStarted"
        assert len(render(trace)) > len(trace.events)


def test_parser_errors_and_checksums_are_told() -> None:
    engine = ReferenceEngine(load_program(COMPILED / "headers.json"))
    assert of_type(explain(engine, 0, b"\x02\x00\x01").events, ParserErrorRaised) == [
        ParserErrorRaised("PacketTooShort")
    ]
    (verified,) = of_type(explain(engine, 0, b"\x05\x00\x00\x00\x00\x00").events, ChecksumVerified)
    assert (verified.target, verified.correct) == ("summed.checksum", False)


def test_counters_are_told_with_their_index() -> None:
    engine = ReferenceEngine(load_program(COMPILED / "externs.json"))
    (counted,) = of_type(explain(engine, 0, bytes([0, 2]) + bytes(6)).events, CounterIncremented)
    assert (counted.counter, counted.index) == ("IngressPipe.received", 2)
