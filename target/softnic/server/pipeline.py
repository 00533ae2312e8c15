# SPDX-License-Identifier: Apache-2.0
"""One program in place: the schema its entities are translated with, the engine they land in, the store beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from softnic.engine import Engine, EngineError

from .digests import Digests
from .errors import at, from_engine
from .idle import IdleNotices
from .schema import Schema
from .store import Store, StoredEntry


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`lock` is the switch's: held around every engine call, so that no packet runs meanwhile."""

    schema: Schema
    engine: Engine
    lock: threading.RLock
    store: Store = field(default_factory=Store)
    digests: Digests = field(default_factory=Digests)
    idle_notices: IdleNotices = field(default_factory=IdleNotices)

    def __post_init__(self) -> None:
        for table in self.schema.tables.values():
            entries = self.store.tables[table.id]
            for entry in self.engine.entries(table.name):
                entries[entry.key, entry.priority] = StoredEntry(entry, is_const=table.is_const)

    @contextmanager
    def calling(self, place: str) -> Iterator[Engine]:
        """The engine, locked; what is refused meanwhile becomes a `P4RuntimeError` at `place`."""
        with self.lock, at(place):
            try:
                yield self.engine
            except EngineError as error:
                raise from_engine(error) from error
