# SPDX-License-Identifier: Apache-2.0
"""Idle-timeout notices: one when an entry has been idle for its timeout, then one more for each further timeout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from softnic.engine import PackedEntry, PackedMatch


class IdleNotices:
    """Remembers when each idle entry was last told of. The engine keeps the time of the last hit."""

    def __init__(self) -> None:
        self._told_ns: dict[tuple[int, PackedMatch], int] = {}

    def due(self, idle: Iterable[tuple[int, PackedEntry]], now_ns: int) -> Sequence[tuple[int, PackedEntry]]:
        """Those of the entries idle now, each with its table's id, whose notice is due (specification 16.4)."""
        told_ns: dict[tuple[int, PackedMatch], int] = {}
        due: list[tuple[int, PackedEntry]] = []
        for table_id, entry in idle:
            identity = table_id, entry.match
            last_ns = self._told_ns.get(identity)
            if last_ns is None or now_ns - last_ns >= entry.idle_timeout_ns:
                due.append((table_id, entry))
                last_ns = now_ns
            told_ns[identity] = last_ns
        # Entries that were hit or deleted since are forgotten: their next notice is a first one again.
        self._told_ns = told_ns
        return due
