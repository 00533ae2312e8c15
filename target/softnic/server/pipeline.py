# SPDX-License-Identifier: Apache-2.0
"""One program in place: the schema its entities are translated with, the engine they land in, the store beside it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from softnic.engine import Engine, EngineError

from .digests import Digests
from .errors import P4RuntimeError, from_engine
from .idle import IdleNotices
from .keys import KeyCodec
from .schema import Schema
from .store import Store
from .table import PipelineTable


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`lock` is the switch's: held around every engine call, so that no packet runs meanwhile."""

    schema: Schema
    engine: Engine
    lock: threading.RLock
    store: Store = field(default_factory=Store)
    digests: Digests = field(default_factory=Digests)
    idle_notices: IdleNotices = field(default_factory=IdleNotices)
    tables: dict[int, PipelineTable] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        for table in self.schema.tables.values():
            entries = self.engine.packed(table.name)
            self.tables[table.id] = PipelineTable(table, KeyCodec(table.fields), entries, self.lock)
        for profile in self.schema.profiles.values():
            if profile.is_resilient:
                self.engine.set_resilient(profile.name)

    def table(self, table_id: int) -> PipelineTable:
        """Raises: INVALID_ARGUMENT."""
        return self.tables[self.schema.table(table_id).id]

    def calling(self, place: object) -> EngineCall:
        """The engine, locked; what is refused meanwhile becomes a `P4RuntimeError` at ``str(place)``."""
        return EngineCall(self, place)


class EngineCall:
    """A context of `Pipeline.calling`. A class, as every update enters one: a generator takes three times as long."""

    __slots__ = ("_pipeline", "_place")

    def __init__(self, pipeline: Pipeline, place: object) -> None:
        self._pipeline = pipeline
        self._place = place

    def __enter__(self) -> Engine:
        self._pipeline.lock.acquire()
        return self._pipeline.engine

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        self._pipeline.lock.release()
        if isinstance(error, P4RuntimeError):
            raise error.at(str(self._place)) from error.__cause__
        if isinstance(error, EngineError):
            raise from_engine(error).at(str(self._place)) from error
