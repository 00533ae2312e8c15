# SPDX-License-Identifier: Apache-2.0
"""Tables by byte strings: the same entries that the table has by values (tests/p4/tables.p4)."""

from __future__ import annotations

import pytest
from clocks import ManualClock

from softnic.engine import (
    ActionCall,
    CounterValue,
    Engine,
    EntryExists,
    EntryNotFound,
    Exact,
    GroupMember,
    GroupRef,
    Lpm,
    MemberRef,
    MeterRates,
    NoRoom,
    PackedCall,
    PackedEntry,
    PackedMatch,
    TableEntry,
)

PROGRAM = "tables"

EXACT = "IngressPipe.exact_table"
PREFIX = "IngressPipe.prefix_table"
METERED = "IngressPipe.metered_table"
SELECTOR = "IngressPipe.selector_table"


def host(address: int) -> PackedMatch:
    """A key of the exact table: an address of 32 bits, and a byte that is 1."""
    return PackedMatch(address.to_bytes(4) + b"\1")


def entry(address: int, value: int = 5, idle_timeout_ns: int = 0) -> PackedEntry:
    return PackedEntry(host(address), PackedCall("IngressPipe.answer_counted", value.to_bytes(2)), idle_timeout_ns)


def test_an_entry_is_the_same_by_bytes_and_by_values(engine: Engine) -> None:
    engine.packed(EXACT).insert(entry(7, 0x102, idle_timeout_ns=9))
    by_values = TableEntry((Exact(7), Exact(1)), ActionCall("IngressPipe.answer_counted", (0x102,)), idle_timeout_ns=9)
    assert engine.get(EXACT, by_values.key) == by_values
    assert engine.packed(EXACT).get(host(7)) == entry(7, 0x102, idle_timeout_ns=9)


def test_a_prefix_has_its_mask_beside_those_of_the_exact_fields(engine: Engine) -> None:
    by_values = TableEntry((Lpm(0x0A000000, 8), Exact(1)), ActionCall("IngressPipe.answer", (8,)))
    engine.insert(PREFIX, by_values)
    match = PackedMatch(b"\x0a\0\0\0\1", b"\xff\0\0\0\xff")
    assert engine.packed(PREFIX).get(match) == PackedEntry(match, PackedCall("IngressPipe.answer", b"\0\x08"))


def test_a_modified_entry_has_the_new_action(engine: Engine) -> None:
    table = engine.packed(EXACT)
    table.insert(entry(1))
    table.modify(entry(1, 6))
    assert table.get(host(1)) == entry(1, 6)


def test_a_deleted_entry_is_not_found(engine: Engine) -> None:
    table = engine.packed(EXACT)
    table.insert(entry(1))
    table.delete(host(1))
    with pytest.raises(EntryNotFound):
        table.get(host(1))
    with pytest.raises(EntryNotFound):
        engine.get(EXACT, (Exact(1), Exact(1)))


def test_what_the_table_can_not_do_is_refused(engine: Engine) -> None:
    table = engine.packed(EXACT)
    with pytest.raises(EntryNotFound):
        table.modify(entry(1))
    with pytest.raises(EntryNotFound):
        table.delete(host(1))
    table.insert(entry(1))
    with pytest.raises(EntryExists):
        table.insert(entry(1))


def test_a_full_table_takes_no_more(engine: Engine) -> None:
    table = engine.packed(EXACT)
    for address in range(4):  # its size
        table.insert(entry(address))
    with pytest.raises(NoRoom):
        table.insert(entry(4))


def test_a_snapshot_has_the_entries_of_its_moment_in_the_order_of_insertion(engine: Engine) -> None:
    table = engine.packed(EXACT)
    written = [entry(address) for address in (3, 1, 2)]
    for each in written:
        table.insert(each)
    snapshot = table.snapshot()
    table.delete(host(1))
    table.modify(entry(3, idle_timeout_ns=100))
    table.insert(entry(4))
    assert list(snapshot) == written
    assert list(table.snapshot()) == [entry(3, idle_timeout_ns=100), entry(2), entry(4)]


def test_a_scan_for_idle_entries_tells_when_it_is_at_the_end(engine: Engine, clock: ManualClock) -> None:
    table = engine.packed(EXACT)
    for each in (entry(1, idle_timeout_ns=100), entry(2), entry(3, idle_timeout_ns=100)):
        table.insert(each)
    clock.now_ns += 101
    assert table.idle_ns(host(1)) == 101
    found, cursor = table.scan_idle(0, 2)
    assert found == [entry(1, idle_timeout_ns=100)]
    assert cursor is not None
    assert table.scan_idle(cursor, 2) == ([entry(3, idle_timeout_ns=100)], None)


def test_direct_counters_are_read_and_written_by_bytes(engine: Engine) -> None:
    table = engine.packed(EXACT)
    table.insert(entry(1))
    table.write_counter(host(1), CounterValue(2, 3))
    assert table.read_counter(host(1)) == CounterValue(2, 3)
    with pytest.raises(EntryNotFound):
        table.read_counter(host(2))


def test_direct_meters_are_read_and_written_by_bytes(engine: Engine) -> None:
    engine.insert(METERED, TableEntry((Exact(1),), ActionCall("IngressPipe.answer_metered")))
    table = engine.packed(METERED)
    [metered] = table.snapshot()
    rates = MeterRates(1, 2, 3, 4)
    assert table.read_meter(metered.match) is None
    table.write_meter(metered.match, rates)
    assert table.read_meter(metered.match) == rates


@pytest.mark.parametrize("action", [MemberRef(1), GroupRef(2)])
def test_members_and_groups_are_referred_to_by_id(engine: Engine, action: MemberRef | GroupRef) -> None:
    engine.insert_member("IngressPipe.groups", 1, ActionCall("IngressPipe.answer", (1,)))
    engine.insert_group("IngressPipe.groups", 2, [GroupMember(1)])
    table = engine.packed(SELECTOR)
    reference = PackedEntry(PackedMatch(b"\0\1"), action)
    table.insert(reference)
    assert list(table.snapshot()) == [reference]
