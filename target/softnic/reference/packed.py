# SPDX-License-Identifier: Apache-2.0
"""A table by byte strings: each call is taken apart and made of the engine's table by values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from softnic.engine import ColourCounts, CounterValue, KeyMatch, MeterRates, PackedEntry, PackedMatch
from softnic.packing import TableLayout

from .tables import TableState

if TYPE_CHECKING:
    from .engine import ReferenceEngine


class PackedView:
    """Implements `softnic.engine.PackedTable`."""

    def __init__(self, engine: ReferenceEngine, table: TableState) -> None:
        self._engine = engine
        self._table = table
        self._name = table.table.name
        self._layout = TableLayout(table.table)

    def insert(self, entry: PackedEntry) -> None:
        self._engine.insert(self._name, self._layout.unpack(entry))

    def modify(self, entry: PackedEntry) -> None:
        self._engine.modify(self._name, self._layout.unpack(entry))

    def delete(self, match: PackedMatch) -> None:
        self._engine.delete(self._name, self._layout.key.unpack(match), match.priority)

    def get(self, match: PackedMatch) -> PackedEntry:
        return self._layout.pack(self._engine.get(self._name, self._layout.key.unpack(match), match.priority))

    def snapshot(self) -> Iterator[PackedEntry]:
        return map(self._layout.pack, [entry.as_table_entry() for entry in self._table.entries()])

    def scan_idle(self, cursor: int, limit: int) -> tuple[Sequence[PackedEntry], int | None]:
        entries = self._table.entries(cursor, limit)
        now_ns = self._engine.state.clock_ns()
        idle = [self._layout.pack(entry.as_table_entry()) for entry in entries if entry.is_idle(now_ns)]
        return idle, cursor + limit if len(entries) == limit else None

    def idle_ns(self, match: PackedMatch) -> int:
        return self._engine.idle_ns(self._name, self._layout.key.unpack(match), match.priority)

    def read_counter(self, match: PackedMatch | None) -> CounterValue:
        return self._engine.read_direct_counter(self._name, *self._place(match))

    def write_counter(self, match: PackedMatch | None, value: CounterValue) -> None:
        self._engine.write_direct_counter(self._name, *self._place(match), value)

    def read_meter(self, match: PackedMatch | None) -> MeterRates | None:
        return self._engine.read_direct_meter(self._name, *self._place(match))

    def write_meter(self, match: PackedMatch | None, rates: MeterRates | None) -> None:
        self._engine.write_direct_meter(self._name, *self._place(match), rates)

    def read_meter_counts(self, match: PackedMatch | None) -> ColourCounts:
        return self._engine.read_direct_meter_counts(self._name, *self._place(match))

    def write_meter_counts(self, match: PackedMatch | None, counts: ColourCounts) -> None:
        self._engine.write_direct_meter_counts(self._name, *self._place(match), counts)

    def _place(self, match: PackedMatch | None) -> tuple[tuple[KeyMatch, ...] | None, int]:
        return (None, 0) if match is None else (self._layout.key.unpack(match), match.priority)
