# SPDX-License-Identifier: Apache-2.0
"""One engine of the runtime, the clock it follows, and what its refusals are called in Python."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from softnic.engine import (
    ColourCounts,
    CounterValue,
    EngineError,
    EntryExists,
    EntryInUse,
    EntryNotFound,
    MeterRates,
    NoRoom,
    OutOfMemory,
)

from .library import Runtime


class Handle:
    """Opens a compiled program; closes it when the last object that uses it is gone.

    Args:
        clock_ns: what the engine takes for the time; None: the system's monotonic clock.

    Raises:
        EngineError: the object is not what the JSON of `json_sha256` was compiled to, or can't be loaded.
    """

    def __init__(self, runtime: Runtime, path: Path, json_sha256: str, clock_ns: Callable[[], int] | None) -> None:
        self.ffi: Any = runtime.ffi
        self.lib: Any = runtime.lib
        self._clock_ns = clock_ns
        self._errors: dict[int, tuple[str, type[EngineError]]] = {
            self.lib.SNIC_EXISTS: ("exists", EntryExists),
            self.lib.SNIC_NOT_FOUND: ("not_found", EntryNotFound),
            self.lib.SNIC_IN_USE: ("in_use", EntryInUse),
            self.lib.SNIC_NO_ROOM: ("no_room", NoRoom),
            self.lib.SNIC_NO_MEMORY: ("no_memory", OutOfMemory),
            self.lib.SNIC_NO_MEMBER: ("no_member", EntryNotFound),
        }
        opened = self.ffi.new("struct snic_engine **")
        status = self.lib.snic_engine_open(bytes(path), json_sha256.encode(), opened)
        if status:
            raise EngineError(f"{path}: {self._strerror(status)}")
        self.engine: Any = self.ffi.gc(opened[0], self.lib.snic_engine_close)
        self.follow_clock()

    def upgrade(self, path: Path) -> None:
        """Go on with `path`: the same program, compiled otherwise. From any thread; packets wait for a moment.

        Raises: EngineError, and nothing has changed.
        """
        status = self.lib.snic_engine_upgrade(self.engine, bytes(path))
        if status:
            raise EngineError(f"{path}: {self._strerror(status)}")

    def follow_clock(self) -> None:
        """Tell the engine the time, if it does not know it by itself. To be called before what depends on it."""
        if self._clock_ns:
            self.lib.snic_set_clock(self.engine, self.now_ns())

    def now_ns(self) -> int:
        """The engine's time; never 0, which to the runtime means the system's clock."""
        return self._clock_ns() + 1 if self._clock_ns else time.monotonic_ns()

    def check(self, status: int, **messages: str) -> None:
        """Raise what `status` stands for, unless it is 0.

        The message is the one given under the error's name (``exists``, ``no_room``, ...), else the runtime's own.
        """
        if status:
            name, error = self._errors.get(status, ("", EngineError))
            raise error(messages.get(name, self._strerror(status)))

    def anomalies(self) -> Counter[str]:
        """What was counted so far, by name; nothing that was not."""
        counts = Counter[str]()
        for what in range(self.lib.SNIC_ANOMALIES):
            if count := self.lib.snic_anomaly_count(self.engine, what):
                counts[self.ffi.string(self.lib.snic_anomaly_names[what]).decode()] = count
        return counts

    def rates_in(self, rates: MeterRates | None) -> Any:
        """`rates` as an argument of the runtime's."""
        if rates is None:
            return self.ffi.NULL
        return self.ffi.new(
            "struct snic_rates *",
            (rates.committed_rate, rates.committed_burst, rates.peak_rate, rates.peak_burst, rates.excess_burst),
        )

    def colour_counts_in(self, counts: ColourCounts) -> Any:
        """`counts` as an argument of the runtime's."""
        values = [(count.packets, count.bytes) for count in (counts.green, counts.yellow, counts.red)]
        return self.ffi.new("struct snic_colour_counts *", (values,))

    def _strerror(self, status: int) -> str:
        return self.ffi.string(self.lib.snic_strerror(status)).decode()


def rates_out(rates: Any) -> MeterRates:
    """What the runtime wrote to a ``struct snic_rates``."""
    return MeterRates(
        rates.committed_rate, rates.committed_burst, rates.peak_rate, rates.peak_burst, rates.excess_burst
    )


def colour_counts_out(counts: Any) -> ColourCounts:
    """What the runtime wrote to a ``struct snic_colour_counts``."""
    return ColourCounts(*(CounterValue(count.packets, count.bytes) for count in counts.of))
