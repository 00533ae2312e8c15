# SPDX-License-Identifier: Apache-2.0
"""A table of a pipeline: its schema, its entries in the engine, and what of them the engine does not keep."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from softnic.engine import EntryNotFound, PackedEntry, PackedMatch, PackedTable

from .keys import KeyCodec
from .schema import Table
from .store import NO_EXTRAS, Extras

SCAN_ENTRIES = 256
"""How many entries are looked at before packets have their turn."""


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

    def scan(self) -> Iterator[PackedEntry]:
        """Every entry, if none is written meanwhile."""
        found, cursor = self._scan(0)
        while found:
            yield from found
            found, cursor = self._scan(cursor)

    def scan_idle(self) -> Iterator[PackedEntry]:
        """The entries that have been idle for longer than their timeout."""
        cursor: int | None = 0
        while cursor is not None:
            with self.lock:
                found, cursor = self.entries.scan_idle(cursor, SCAN_ENTRIES)
            yield from found

    def _scan(self, cursor: int) -> tuple[Sequence[PackedEntry], int]:
        with self.lock:
            return self.entries.scan(cursor, SCAN_ENTRIES)


@dataclass(frozen=True, slots=True)
class EntryName:
    """An entry as messages call it; put into words only when there is a message."""

    table: PipelineTable
    match: PackedMatch

    def __str__(self) -> str:
        return f"entry {self.table.key.describe(self.match)}"
