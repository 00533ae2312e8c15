# SPDX-License-Identifier: Apache-2.0
"""Match fields under a mask of the table's own, ``field & constant`` in P4: the bits outside of it never count."""

from __future__ import annotations

import json

import pytest
from p4_programs import COMPILED, EngineOf

from softnic.engine import (
    ActionCall,
    Engine,
    EntryExists,
    EntryNotFound,
    Exact,
    KeyMatch,
    Lpm,
    Range,
    TableEntry,
    Ternary,
)

MASKS = {"address": "0x00ffff00", "port": "0x0ff0", "small": None}

EXACT, PREFIX, TERNARY, RANGE = range(4)
TABLES = ("exact_table", "prefix_table", "ternary_table", "range_table")
NO_ANSWER = 0xFFFF

ANY = Ternary(0, 0)

Key = tuple[KeyMatch, ...]

SAME: dict[int, tuple[Key, Key]] = {
    EXACT: ((Exact(0x0A0B0C0D), Exact(1)), (Exact(0xFF0B0CFF), Exact(1))),
    PREFIX: ((Lpm(0x0A0B0000, 16), Exact(1)), (Lpm(0xFF0B0000, 16), Exact(1))),
    TERNARY: ((Ternary(0x0A0B0C00, 0xFFFFFF00), Exact(1)), (Ternary(0xFF0B0C00, 0xFFFFFF00), Exact(1))),
    RANGE: ((Range(0x0115, 0x0C00), ANY), (Range(0x0110, 0x0C00), ANY)),
}
"""By kind of table, two keys that are one to it."""


@pytest.fixture
def engine(engine_of: EngineOf) -> Engine:
    """Runs tests/p4/tables.p4 with a mask on each address and port."""
    document = json.loads((COMPILED / "tables.json").read_text())
    for table in document["pipelines"][0]["tables"]:
        for field in table["key"]:
            field["mask"] = MASKS[field["target"][1]]
    return engine_of(json.dumps(document).encode())


def ask(engine: Engine, verb: int, address: int, port: int) -> int | None:
    """What the table answered; None if the packet was dropped."""
    query = bytes([verb, 1]) + address.to_bytes(4, "big") + port.to_bytes(2, "big") + b"\xff\xff"
    outputs = engine.process(0, query)
    return int.from_bytes(outputs[0].data[8:10], "big") if outputs else None


def entry(verb: int, key: Key, value: int) -> TableEntry:
    action = "IngressPipe.answer_counted" if verb == EXACT else "IngressPipe.answer"
    return TableEntry(key, ActionCall(action, (value,)), priority=5 if verb in (TERNARY, RANGE) else 0)


@pytest.mark.parametrize("verb", SAME, ids=TABLES)
def test_packets_and_entries_may_differ_outside_of_the_mask(engine: Engine, verb: int) -> None:
    engine.insert(f"IngressPipe.{TABLES[verb]}", entry(verb, SAME[verb][0], 7))
    assert ask(engine, verb, 0x0A0B0C0D, 0x0115) == 7
    assert ask(engine, verb, 0xEE0B0CEE, 0xF11F) == 7
    assert ask(engine, verb, 0xEEEE0CEE, 0xF10F) in (None, NO_ANSWER)


@pytest.mark.parametrize("verb", SAME, ids=TABLES)
def test_keys_that_differ_outside_of_the_mask_are_of_one_entry(engine: Engine, verb: int) -> None:
    table = f"IngressPipe.{TABLES[verb]}"
    first, again = (entry(verb, key, value) for key, value in zip(SAME[verb], (7, 8), strict=True))
    engine.insert(table, first)
    with pytest.raises(EntryExists):
        engine.insert(table, again)
    assert engine.get(table, again.key, again.priority) == first
    engine.modify(table, again)
    assert ask(engine, verb, 0x0A0B0C0D, 0x0115) == 8
    assert list(engine.entries(table)) == [TableEntry(first.key, again.action, first.priority)]
    engine.delete(table, again.key, again.priority)
    with pytest.raises(EntryNotFound):
        engine.get(table, first.key, first.priority)
