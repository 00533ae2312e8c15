# SPDX-License-Identifier: Apache-2.0
"""A table of a pipeline: its schema, its entries in the engine, and what of them the engine does not keep."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from softnic.engine import EntryNotFound, PackedEntry, PackedMatch, PackedTable

from .keys import KeyCodec
from .schema import Table
from .store import NO_EXTRAS, Extras

SCAN_ENTRIES = 256
"""How many entries are looked at for idle ones before packets have their turn."""


@dataclass(frozen=True, slots=True)
class PipelineTable:
    """`lock` is the switch's. The engine is the authority on which entries there are; most have no `extras`."""

    schema: Table
    key: KeyCodec
    entries: PackedTable
    lock: threading.RLock
    extras: dict[PackedMatch, Extras] = field(default_factory=dict)

    def extras_of(self, match: PackedMatch) -> Extras:
        return self.extras.get(match, NO_EXTRAS)

    def find(self, match: PackedMatch) -> PackedEntry | None:
        try:
            with self.lock:
                return self.entries.get(match)
        except EntryNotFound:
            return None

    def snapshot(self) -> Iterator[tuple[PackedEntry, Extras]]:
        """Every entry as it is at the call; the iterator needs no lock."""
        with self.lock:
            entries, extras = self.entries.snapshot(), self.extras.copy()
        return ((entry, extras.get(entry.match, NO_EXTRAS)) for entry in entries)

    def scan_idle(self) -> Iterator[PackedEntry]:
        """The entries that have been idle for longer than their timeout."""
        cursor: int | None = 0
        while cursor is not None:
            with self.lock:
                found, cursor = self.entries.scan_idle(cursor, SCAN_ENTRIES)
            yield from found


class EntryName(NamedTuple):
    """An entry as messages call it; put into words only when there is a message."""

    table: PipelineTable
    match: PackedMatch

    def __str__(self) -> str:
        return f"entry {self.table.key.describe(self.match)}"
