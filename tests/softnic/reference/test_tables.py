# SPDX-License-Identifier: Apache-2.0
"""Tables of every kind, through packets and through the control plane (tests/p4/tables.p4)."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from clocks import ManualClock
from p4_programs import COMPILED, EngineOf, edited

from softnic.engine import (
    ActionCall,
    CounterValue,
    Engine,
    EngineError,
    EntryExists,
    EntryInUse,
    EntryNotFound,
    Exact,
    GroupMember,
    GroupRef,
    KeyMatch,
    Lpm,
    MemberRef,
    MeterRates,
    NoRoom,
    Range,
    TableEntry,
    Ternary,
)
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine

PROGRAM = "tables"

EXACT, PREFIX, TERNARY, RANGE, OPTIONAL, CONSTANT, PROFILE, SELECTOR, METERED, HIT_OR_MISS = range(10)
NO_ANSWER = 0xFFFF


def query(verb: int, address: int = 0, small: int = 0, port: int = 0) -> bytes:
    return bytes([verb, small]) + address.to_bytes(4, "big") + port.to_bytes(2, "big") + b"\xff\xff"


def ask(engine: Engine, verb: int, address: int = 0, small: int = 0, port: int = 0) -> int | None:
    """What the table answered; None if the packet was dropped."""
    outputs = engine.process(0, query(verb, address, small, port))
    return int.from_bytes(outputs[0].data[8:10], "big") if outputs else None


def answer(value: int, action: str = "IngressPipe.answer") -> ActionCall:
    return ActionCall(action, (value,))


def exact_entry(address: int, value: int, idle_timeout_ns: int = 0) -> TableEntry:
    key = (Exact(address), Exact(1))
    return TableEntry(key, answer(value, "IngressPipe.answer_counted"), idle_timeout_ns=idle_timeout_ns)


def insert(engine: Engine, table: str, key: tuple[KeyMatch, ...], value: int, priority: int = 0) -> None:
    engine.insert(f"IngressPipe.{table}", TableEntry(key, answer(value), priority))


# ---- lookups --------------------------------------------------------------------------------------------------------


def test_exact_table_wants_every_field_equal(engine: Engine) -> None:
    engine.insert("IngressPipe.exact_table", exact_entry(0x0A000001, 5))
    assert ask(engine, EXACT, 0x0A000001, small=1) == 5
    assert ask(engine, EXACT, 0x0A000001, small=2) == NO_ANSWER
    assert ask(engine, EXACT, 0x0A000002, small=1) == NO_ANSWER


def test_longest_prefix_wins_and_the_other_fields_are_exact(engine: Engine) -> None:
    insert(engine, "prefix_table", (Lpm(0x0A000000, 8), Exact(1)), 8)
    insert(engine, "prefix_table", (Lpm(0x0A0B0000, 16), Exact(1)), 16)
    insert(engine, "prefix_table", (Lpm(0x0A0B0C0D, 32), Exact(1)), 32)
    insert(engine, "prefix_table", (Lpm(0, 0), Exact(2)), 0)
    assert ask(engine, PREFIX, 0x0A0B0C0D, small=1) == 32
    assert ask(engine, PREFIX, 0x0A0B0C0E, small=1) == 16
    assert ask(engine, PREFIX, 0x0AFFFFFF, small=1) == 8
    assert ask(engine, PREFIX, 0x0B000000, small=1) is None
    assert ask(engine, PREFIX, 0x0B000000, small=2) == 0


def test_deleting_the_longest_prefix_uncovers_the_next(engine: Engine) -> None:
    insert(engine, "prefix_table", (Lpm(0x0A000000, 8), Exact(1)), 8)
    insert(engine, "prefix_table", (Lpm(0x0A0B0000, 16), Exact(1)), 16)
    engine.delete("IngressPipe.prefix_table", (Lpm(0x0A0B0000, 16), Exact(1)))
    assert ask(engine, PREFIX, 0x0A0B0000, small=1) == 8


def test_larger_priority_wins_in_a_ternary_table(engine: Engine) -> None:
    insert(engine, "ternary_table", (Ternary(0x0A000000, 0xFF000000), Exact(1)), 1, priority=10)
    insert(engine, "ternary_table", (Ternary(0x0000000D, 0x000000FF), Exact(1)), 2, priority=20)
    assert ask(engine, TERNARY, 0x0A00000D, small=1) == 2
    assert ask(engine, TERNARY, 0x0A00000E, small=1) == 1
    assert ask(engine, TERNARY, 0x0B00000E, small=1) == NO_ANSWER


def test_of_equal_priorities_the_first_inserted_wins(engine: Engine) -> None:
    insert(engine, "ternary_table", (Ternary(0, 0), Exact(1)), 1, priority=10)
    insert(engine, "ternary_table", (Ternary(0x0A000000, 0xFF000000), Exact(1)), 2, priority=10)
    assert ask(engine, TERNARY, 0x0A000000, small=1) == 1


@pytest.mark.parametrize(("port", "expected"), [(99, NO_ANSWER), (100, 1), (200, 1), (201, NO_ANSWER)])
def test_both_ends_of_a_range_are_included(engine: Engine, port: int, expected: int) -> None:
    insert(engine, "range_table", (Range(100, 200), Ternary(0, 0)), 1, priority=1)
    assert ask(engine, RANGE, port=port) == expected


def test_range_and_ternary_field_must_both_match(engine: Engine) -> None:
    insert(engine, "range_table", (Range(100, 200), Ternary(1, 1)), 1, priority=1)
    assert ask(engine, RANGE, port=150, small=2) == NO_ANSWER
    assert ask(engine, RANGE, port=150, small=3) == 1


def test_optional_field_matches_all_when_absent(engine: Engine) -> None:
    insert(engine, "optional_table", (Ternary(80, 0xFFFF),), 1, priority=2)
    insert(engine, "optional_table", (Ternary(0, 0),), 2, priority=1)
    assert ask(engine, OPTIONAL, port=80) == 1
    assert ask(engine, OPTIONAL, port=81) == 2


@pytest.mark.parametrize(("port", "expected"), [(0x0010, 1), (0x0030, 2), (0x0020, 3)])
def test_of_constant_entries_the_first_written_wins(engine: Engine, port: int, expected: int) -> None:
    assert ask(engine, CONSTANT, port=port) == expected


def test_hit_and_miss_lead_to_different_branches(engine: Engine) -> None:
    insert(engine, "branching_table", (Exact(1),), 1)
    ports = [engine.process(0, query(HIT_OR_MISS, small=small))[0].port for small in (1, 2)]
    assert ports == [8, 9]


# ---- entries --------------------------------------------------------------------------------------------------------


def test_inserting_a_key_again_is_refused(engine: Engine) -> None:
    engine.insert("IngressPipe.exact_table", exact_entry(1, 5))
    with pytest.raises(EntryExists, match=r"IngressPipe\.exact_table"):
        engine.insert("IngressPipe.exact_table", exact_entry(1, 6))


def test_same_key_with_another_priority_is_another_entry(engine: Engine) -> None:
    insert(engine, "ternary_table", (Ternary(0, 0), Exact(1)), 1, priority=1)
    insert(engine, "ternary_table", (Ternary(0, 0), Exact(1)), 2, priority=2)
    assert ask(engine, TERNARY, small=1) == 2
    engine.delete("IngressPipe.ternary_table", (Ternary(0, 0), Exact(1)), 2)
    assert ask(engine, TERNARY, small=1) == 1


def test_table_holds_exactly_its_size(engine: Engine) -> None:
    for address in range(4):
        engine.insert("IngressPipe.exact_table", exact_entry(address, 5))
    with pytest.raises(NoRoom, match="holds 4 entries"):
        engine.insert("IngressPipe.exact_table", exact_entry(4, 5))
    engine.delete("IngressPipe.exact_table", exact_entry(0, 5).key)
    engine.insert("IngressPipe.exact_table", exact_entry(4, 5))


def test_modified_entry_keeps_its_place_and_counts(engine: Engine) -> None:
    engine.insert("IngressPipe.exact_table", exact_entry(1, 5))
    engine.insert("IngressPipe.exact_table", exact_entry(2, 5))
    ask(engine, EXACT, 1, small=1)
    engine.modify("IngressPipe.exact_table", exact_entry(1, 6))
    assert [entry.key[0] for entry in engine.entries("IngressPipe.exact_table")] == [Exact(1), Exact(2)]
    assert ask(engine, EXACT, 1, small=1) == 6
    assert engine.read_direct_counter("IngressPipe.exact_table", exact_entry(1, 0).key).packets == 2


def test_modifying_and_deleting_what_is_not_there_is_refused(engine: Engine) -> None:
    with pytest.raises(EntryNotFound):
        engine.modify("IngressPipe.exact_table", exact_entry(1, 6))
    with pytest.raises(EntryNotFound):
        engine.delete("IngressPipe.exact_table", exact_entry(1, 6).key)


def test_constant_entries_are_listed_and_cannot_be_changed(engine: Engine) -> None:
    entries = list(engine.entries("IngressPipe.constant_table"))
    assert [(entry.key, entry.priority, entry.action) for entry in entries] == [
        ((Ternary(0x10, 0xF0),), 3, answer(1)),
        ((Ternary(0x10, 0x10),), 2, answer(2)),
        ((Ternary(0, 0),), 1, answer(3)),
    ]
    with pytest.raises(EngineError, match="constant"):
        engine.insert("IngressPipe.constant_table", TableEntry((Ternary(1, 1),), answer(9), 9))
    with pytest.raises(EngineError, match="constant"):
        engine.delete("IngressPipe.constant_table", entries[0].key, 3)


def test_default_action_can_be_replaced_and_restored(engine: Engine) -> None:
    engine.set_default("IngressPipe.prefix_table", answer(7))
    assert ask(engine, PREFIX) == 7
    engine.set_default("IngressPipe.prefix_table", None)
    assert engine.default("IngressPipe.prefix_table") == ActionCall("IngressPipe.deny")
    assert ask(engine, PREFIX) is None


def test_constant_default_action_cannot_be_replaced(engine: Engine) -> None:
    with pytest.raises(EngineError, match="constant"):
        engine.set_default("IngressPipe.exact_table", answer(7, "IngressPipe.answer_counted"))


@pytest.mark.parametrize("name", ["IngressPipe.nowhere", ""])
def test_unknown_table_is_refused_by_name(engine: Engine, name: str) -> None:
    with pytest.raises(EngineError, match="no table"):
        engine.entries(name)


# ---- direct counters and meters, idle timeouts ----------------------------------------------------------------------


def test_direct_counter_counts_hits_and_the_bytes_received(engine: Engine) -> None:
    engine.insert("IngressPipe.exact_table", exact_entry(1, 5))
    key = exact_entry(1, 5).key
    for _ in range(3):
        ask(engine, EXACT, 1, small=1)
    ask(engine, EXACT, 2, small=1)
    assert engine.read_direct_counter("IngressPipe.exact_table", key) == CounterValue(3, 3 * 10)
    engine.write_direct_counter("IngressPipe.exact_table", key, 0, CounterValue(100, 1000))
    ask(engine, EXACT, 1, small=1)
    assert engine.read_direct_counter("IngressPipe.exact_table", key) == CounterValue(101, 1010)


def test_direct_meter_colours_each_hit_of_its_entry(engine: Engine) -> None:
    key = (Exact(1),)
    engine.insert("IngressPipe.metered_table", TableEntry(key, ActionCall("IngressPipe.answer_metered")))
    assert ask(engine, METERED, port=1) == 0
    rates = MeterRates(committed_rate=1, committed_burst=1, peak_rate=1, peak_burst=2)
    engine.write_direct_meter("IngressPipe.metered_table", key, 0, rates)
    assert engine.read_direct_meter("IngressPipe.metered_table", key) == rates
    assert [ask(engine, METERED, port=1) for _ in range(4)] == [0, 1, 2, 2]
    engine.write_direct_meter("IngressPipe.metered_table", key, 0, None)
    assert ask(engine, METERED, port=1) == 0


def test_entry_is_idle_once_it_was_not_hit_for_longer_than_its_timeout(engine: Engine, clock: ManualClock) -> None:
    entry = exact_entry(1, 5, idle_timeout_ns=100)
    engine.insert("IngressPipe.exact_table", entry)
    clock.now_ns += 100
    assert list(engine.idle_entries()) == []
    clock.now_ns += 1
    assert list(engine.idle_entries()) == [("IngressPipe.exact_table", entry)]
    ask(engine, EXACT, 1, small=1)
    clock.now_ns += 40
    assert list(engine.idle_entries()) == []
    assert engine.idle_ns("IngressPipe.exact_table", entry.key) == 40


def test_entry_without_timeout_is_never_idle(engine: Engine, clock: ManualClock) -> None:
    engine.insert("IngressPipe.exact_table", exact_entry(1, 5))
    clock.now_ns += 10**18
    assert list(engine.idle_entries()) == []


# ---- action profiles and selectors ----------------------------------------------------------------------------------

MEMBERS, GROUPS = "IngressPipe.members", "IngressPipe.groups"


def test_entry_runs_its_members_action_as_it_is_now(engine: Engine) -> None:
    engine.insert_member(MEMBERS, 1, answer(11))
    engine.insert("IngressPipe.profile_table", TableEntry((Exact(80),), MemberRef(1)))
    assert ask(engine, PROFILE, port=80) == 11
    engine.modify_member(MEMBERS, 1, answer(12))
    assert ask(engine, PROFILE, port=80) == 12


def test_miss_in_a_table_with_a_profile_runs_nothing_until_a_default_is_set(engine: Engine) -> None:
    assert ask(engine, PROFILE, port=80) == NO_ANSWER
    engine.insert_member(MEMBERS, 1, answer(11))
    engine.set_default("IngressPipe.profile_table", MemberRef(1))
    assert ask(engine, PROFILE, port=80) == 11


def test_member_in_use_cannot_be_deleted(engine: Engine) -> None:
    engine.insert_member(MEMBERS, 1, answer(11))
    engine.insert("IngressPipe.profile_table", TableEntry((Exact(80),), MemberRef(1)))
    with pytest.raises(EntryInUse):
        engine.delete_member(MEMBERS, 1)
    engine.delete("IngressPipe.profile_table", (Exact(80),))
    engine.delete_member(MEMBERS, 1)


def test_entry_may_only_refer_to_a_member_that_exists(engine: Engine) -> None:
    with pytest.raises(EntryNotFound, match="member 1"):
        engine.insert("IngressPipe.profile_table", TableEntry((Exact(80),), MemberRef(1)))
    assert list(engine.entries("IngressPipe.profile_table")) == []


def test_profile_holds_exactly_its_size(engine: Engine) -> None:
    for member_id in range(4):
        engine.insert_member(MEMBERS, member_id, answer(1))
    with pytest.raises(NoRoom):
        engine.insert_member(MEMBERS, 4, answer(1))


def spread(engine: Engine) -> Counter[int | None]:
    """How many of 600 addresses each answer got."""
    addresses = random.Random(1)
    return Counter(ask(engine, SELECTOR, address=addresses.getrandbits(32), port=80) for _ in range(600))


def with_group(engine: Engine, *members: GroupMember) -> None:
    for member_id in (1, 2, 3):
        engine.insert_member(GROUPS, member_id, answer(10 + member_id))
    engine.insert_group(GROUPS, 1, members)
    engine.insert("IngressPipe.selector_table", TableEntry((Exact(80),), GroupRef(1)))


def test_selector_keeps_a_flow_on_its_member(engine: Engine) -> None:
    with_group(engine, GroupMember(1), GroupMember(2), GroupMember(3))
    assert len({ask(engine, SELECTOR, address=0x0A000001, port=80) for _ in range(10)}) == 1


def test_selector_spreads_over_members_by_weight(engine: Engine) -> None:
    with_group(engine, GroupMember(1, weight=3), GroupMember(2, weight=1))
    counts = spread(engine)
    assert set(counts) == {11, 12}
    assert 2 < counts[11] / counts[12] < 4


def test_members_whose_port_is_down_get_nothing_until_it_is_up(engine: Engine) -> None:
    with_group(engine, GroupMember(1, watch_port=5), GroupMember(2, watch_port=6))
    engine.set_port_up(5, False)
    assert set(spread(engine)) == {12}
    engine.set_port_up(5, True)
    assert set(spread(engine)) == {11, 12}


FLOWS = range(300)


@pytest.fixture
def resilient(engine: Engine) -> Engine:
    engine.set_resilient(GROUPS)
    with_group(engine, *(GroupMember(member_id, watch_port=member_id) for member_id in (1, 2, 3)))
    return engine


def lanes(engine: Engine) -> list[int | None]:
    """What each flow was answered."""
    return [ask(engine, SELECTOR, address=flow, port=80) for flow in FLOWS]


def test_a_resilient_group_moves_only_the_flows_of_a_lost_member(resilient: Engine) -> None:
    before = lanes(resilient)
    resilient.set_port_up(2, False)
    after = lanes(resilient)
    assert set(after) == {11, 13}
    assert [flow for flow in FLOWS if before[flow] != after[flow]] == [flow for flow in FLOWS if before[flow] == 12]
    resilient.set_port_up(2, True)
    assert lanes(resilient) == before


def test_a_member_that_joins_a_resilient_group_takes_flows_and_moves_no_other(resilient: Engine) -> None:
    before = lanes(resilient)
    resilient.insert_member(GROUPS, 4, answer(14))
    resilient.modify_group(GROUPS, 1, [GroupMember(member_id) for member_id in (4, 1, 2, 3)])
    after = lanes(resilient)
    assert 14 in after
    assert all(after[flow] in (14, before[flow]) for flow in FLOWS)


def test_a_resilient_group_spreads_by_weight(engine: Engine) -> None:
    engine.set_resilient(GROUPS)
    with_group(engine, GroupMember(1, weight=3), GroupMember(2, weight=1))
    counts = spread(engine)
    assert 2 < counts[11] / counts[12] < 4


def test_both_engines_choose_alike_in_a_resilient_group() -> None:
    program = load_program(COMPILED / "tables.json")
    chosen = []
    for engine in (ReferenceEngine(program), NativeEngine(program)):
        engine.set_resilient(GROUPS)
        with_group(engine, GroupMember(1, weight=2), GroupMember(2, watch_port=5), GroupMember(3, weight=3))
        engine.set_port_up(5, False)
        chosen.append(lanes(engine))
    assert chosen[0] == chosen[1]


def test_an_empty_resilient_group_does_nothing_and_is_counted(engine: Engine) -> None:
    engine.set_resilient(GROUPS)
    with_group(engine)
    assert ask(engine, SELECTOR, port=80) == NO_ANSWER
    assert engine.anomalies["selector-group-empty"] == 1


def test_empty_group_does_nothing_and_is_counted(engine: Engine) -> None:
    with_group(engine)
    assert ask(engine, SELECTOR, port=80) == NO_ANSWER
    assert engine.anomalies["selector-group-empty"] == 1


@pytest.fixture
def taking_turns(engine_of: EngineOf) -> Engine:
    """With a selector that hashes to 0, 1, 2 ... in turn."""
    return engine_of(edited(PROGRAM, ('"algo" : "crc16"', '"algo" : "round_robin"')))


def test_packet_to_an_empty_group_takes_no_turn(taking_turns: Engine) -> None:
    with_group(taking_turns)
    assert ask(taking_turns, SELECTOR, port=80) == NO_ANSWER
    taking_turns.modify_group(GROUPS, 1, [GroupMember(1), GroupMember(2)])
    assert [ask(taking_turns, SELECTOR, port=80) for _ in range(3)] == [11, 12, 11]


def test_group_members_are_in_use_until_the_group_lets_go(engine: Engine) -> None:
    with_group(engine, GroupMember(1), GroupMember(2))
    with pytest.raises(EntryInUse):
        engine.delete_member(GROUPS, 2)
    with pytest.raises(EntryInUse):
        engine.delete_group(GROUPS, 1)
    engine.modify_group(GROUPS, 1, [GroupMember(1)])
    engine.delete_member(GROUPS, 2)
    assert set(spread(engine)) == {11}


def test_group_that_would_have_a_missing_member_is_refused_whole(engine: Engine) -> None:
    with_group(engine, GroupMember(1))
    with pytest.raises(EntryNotFound):
        engine.modify_group(GROUPS, 1, [GroupMember(2), GroupMember(9)])
    assert set(spread(engine)) == {11}
