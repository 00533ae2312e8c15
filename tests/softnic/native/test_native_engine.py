# SPDX-License-Identifier: Apache-2.0
"""What the native engine has beyond the seam: bulk, statistics, benchmarks; and that engines share nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from softnic.engine import (
    ActionCall,
    EngineError,
    EntryAction,
    EntryNotFound,
    Exact,
    GroupMember,
    GroupRef,
    MemberRef,
    PackedCall,
    PackedEntry,
    PackedMatch,
    TableEntry,
)
from softnic.frontend import load_program
from softnic.native import NativeEngine

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"
EXACT_TABLE, PROFILE_TABLE, SELECTOR_TABLE = (f"IngressPipe.{name}_table" for name in ("exact", "profile", "selector"))
MEMBERS, GROUPS = "IngressPipe.members", "IngressPipe.groups"


def engine_of(name: str) -> NativeEngine:
    return NativeEngine(load_program(COMPILED / f"{name}.json"))


@pytest.fixture
def tables() -> NativeEngine:
    return engine_of("tables")


def query(address: int) -> bytes:
    return bytes([0, 1]) + address.to_bytes(4, "big") + bytes(2) + b"\xff\xff"


def entry(address: int, answer: int) -> TableEntry:
    return TableEntry((Exact(address), Exact(1)), ActionCall("IngressPipe.answer_counted", (answer,)))


def answers(engine: NativeEngine, addresses: range) -> list[int]:
    outputs = engine.process_all([(0, query(address)) for address in addresses])
    return [int.from_bytes(output.data[8:10], "big") for output in outputs]


def test_outputs_of_many_packets_are_in_their_order(tables: NativeEngine) -> None:
    tables.insert(EXACT_TABLE, entry(150, 7))
    assert answers(tables, range(200)) == [7 if address == 150 else 0xFFFF for address in range(200)]


def test_hits_and_misses_are_counted_by_table(tables: NativeEngine) -> None:
    tables.insert(EXACT_TABLE, entry(1, 7))
    answers(tables, range(10))
    assert tables.table_hits()[EXACT_TABLE] == (1, 9)


def test_engines_of_one_program_share_nothing(tables: NativeEngine) -> None:
    other = engine_of("tables")
    tables.insert(EXACT_TABLE, entry(1, 7))
    other.insert(EXACT_TABLE, entry(1, 8))
    assert (answers(tables, range(1, 2)), answers(other, range(1, 2))) == ([7], [8])


def test_two_programs_run_in_one_process(tables: NativeEngine) -> None:
    other = engine_of("replication")
    tables.insert(EXACT_TABLE, entry(1, 7))
    assert [output.port for output in other.process(3, bytes(4))] == [2]
    assert answers(tables, range(1, 2)) == [7]


def test_packed_entry_comes_back_as_it_was_given(tables: NativeEngine) -> None:
    given = PackedEntry(PackedMatch(bytes.fromhex("0a000001 01")), PackedCall("IngressPipe.answer_counted", b"\0\7"), 5)
    table = tables.packed(EXACT_TABLE)
    table.insert(given)
    assert table.get(given.match) == given
    assert list(table.snapshot()) == [given]


def test_a_snapshot_has_masks_and_priorities() -> None:
    table = engine_of("tables").packed("IngressPipe.ternary_table")
    given = [
        PackedEntry(PackedMatch(bytes([*bytes(3), n, 1]), b"\xff" * 5, n), PackedCall("IngressPipe.answer", b"\0\1"))
        for n in range(1, 61)
    ]
    for packed in given:
        table.insert(packed)
    assert list(table.snapshot()) == given


def entry_for(action: EntryAction) -> TableEntry:
    return TableEntry((Exact(80),), action)


@pytest.mark.parametrize(
    ("method", "arguments", "error", "message"),
    [
        ("insert", (EXACT_TABLE, TableEntry((Exact(1), Exact(1)), MemberRef(1))), EngineError, "no action profile"),
        ("insert", (PROFILE_TABLE, entry_for(MemberRef(9))), EntryNotFound, f"{MEMBERS} has no member 9"),
        ("insert", (SELECTOR_TABLE, entry_for(GroupRef(9))), EntryNotFound, f"{GROUPS} has no group 9"),
        ("insert_group", (GROUPS, 1, [GroupMember(9)]), EntryNotFound, f"{GROUPS} has no member 9"),
        ("delete_member", (MEMBERS, 9), EntryNotFound, f"{MEMBERS} has no member 9"),
        ("insert_member", (MEMBERS, 1, ActionCall("other")), EngineError, "no action other"),
        ("set_value_set", ("nowhere", []), EngineError, "no value set nowhere"),
    ],
)
def test_refusal_names_what_is_missing(
    tables: NativeEngine, method: str, arguments: tuple[object, ...], error: type[EngineError], message: str
) -> None:
    with pytest.raises(error, match=message):
        getattr(tables, method)(*arguments)


@pytest.mark.parametrize("workers", [1, 2])
def test_benchmark_runs_every_packet_to_its_output(tables: NativeEngine, workers: int) -> None:
    result = tables.bench([(0, query(address)) for address in range(50)], seconds=0.01, workers=workers)
    assert result.packets == result.outputs
    assert result.output_bytes == 10 * result.outputs
    assert result.seconds >= 0.01
    assert sum(tables.table_hits()[EXACT_TABLE]) == result.packets


def test_packets_run_as_before_after_a_benchmark(tables: NativeEngine) -> None:
    tables.insert(EXACT_TABLE, entry(1, 7))
    tables.bench([(0, query(1))], seconds=0.001)
    assert answers(tables, range(1, 2)) == [7]


def test_benchmark_without_packets_is_refused(tables: NativeEngine) -> None:
    with pytest.raises(ValueError, match="no packets"):
        tables.bench([], seconds=1)
