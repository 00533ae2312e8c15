# SPDX-License-Identifier: Apache-2.0
"""The controller of the device under test: headgate's own device behind a synchronous face."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from finsy import (
    Match,
    P4ActionProfileGroup,
    P4ActionProfileMember,
    P4DigestEntry,
    P4MeterEntry,
    P4PacketIn,
    P4TableEntry,
)
from finsy.proto import p4r

from harness.program import Cell, Program
from headgate.device import Device
from headgate.systems import Entity
from headgate.vocabulary import DropReason, Outcome, PacketOutMode

T = TypeVar("T")

CALL_TIMEOUT_S = 60
QUEUED = 4096

_OUTCOMES = ("outcome", "copy_outcome")
_AT_ONCE = {"max_list_size": 1}
"""Each digest in a list of its own. With a timeout besides, BMv2's server keeps it until its next sweep."""


@dataclass(frozen=True, slots=True)
class Learned:
    """One digest."""

    name: str
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """What the program has counted since it was loaded, packets."""

    drops: Counter[DropReason]
    outcomes: Counter[Outcome]
    """Rows of `outcome` and of `copy_outcome`; no row is used in both."""
    cells: Counter[Cell]
    """Of the counters that the program's tests watch."""


class Loop:
    """An event loop on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="controller", daemon=True)
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Raises: what it raises, TimeoutError."""
        return self.start(coroutine).result(CALL_TIMEOUT_S)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


class Controller:
    """Primary controller of one device. Its coroutines run on a thread of their own."""

    def __init__(self, address: str, program: Program) -> None:
        self.address = address
        self._program = program
        self._loop = Loop()
        self._packet_ins: queue.Queue[P4PacketIn] = queue.Queue(QUEUED)
        self._digests: queue.Queue[Learned] = queue.Queue(QUEUED)
        self._at: tuple[Any, Sequence[Entity]] | None = None
        self._meters: list[P4MeterEntry] = []
        self.device = Device(address, program=program.name)
        self.run(self.device.__aenter__())
        self._counters = {counter.alias for counter in self.device.schema.counters}
        self._receiving = [self._loop.start(self._receive_packets()), self._loop.start(self._receive_digests())]
        self._ask_for_digests()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Raises: what it raises, TimeoutError."""
        return self._loop.run(coroutine)

    def close(self) -> None:
        """Makes room for another controller."""
        for receiving in self._receiving:
            receiving.cancel()
        self.run(self.device.__aexit__(None, None, None))
        self._loop.close()

    def _ask_for_digests(self) -> None:
        there = {entity.digest_id for entity in self.run(self.device.read()) if isinstance(entity, P4DigestEntry)}
        entries = [P4DigestEntry(digest.alias, **_AT_ONCE) for digest in self.device.schema.digests]
        self.write(~entry if entry.digest_id in there else +entry for entry in entries)

    async def _receive_packets(self) -> None:
        while True:
            self._packet_ins.put_nowait(await self.device.packet_in())

    async def _receive_digests(self) -> None:
        while True:
            message = await self.device.digests()
            await self.device.ack(message)
            digest = self.device.schema.digests[message.digest_id]
            for sample in message.data:
                values = digest.type_spec.decode_data(sample)
                self._digests.put_nowait(Learned(digest.alias, cast(Mapping[str, int], values)))

    def program(self, rack: Any, extra: Sequence[Entity]) -> None:
        """Brings the device to what `rack` asks for, and `extra`, its meters full.

        Raises: ConfigError, AssertionError (the device refused an update).
        """
        if not self._is_at(rack, extra):
            for _ in self.steps(rack, extra):
                pass
            self._at = rack, extra
            self._meters = [entity for entity in self._wanted(rack, extra) if isinstance(entity, P4MeterEntry)]
        # How full a meter's buckets are can't be read: written anew, they are full.
        self._write(~meter for meter in self._meters)

    def _is_at(self, rack: Any, extra: Sequence[Entity]) -> bool:
        """Whether nothing was written since the same was asked for."""
        return self._at is not None and self._at[0] is rack and self._at[1] is extra

    def steps(self, rack: Any, extra: Sequence[Entity]) -> Iterator[int]:
        """Makes the writes that lead to `rack` and `extra` in the program's own order.

        Yields: after each, how many are still to come.
        Raises: ConfigError, AssertionError (the device refused an update).
        """
        wanted = self._wanted(rack, extra)
        steps = list(self._program.steps(self.run(self._held(wanted)), wanted, self.device.schema))
        for made, step in enumerate(steps, start=1):
            self.write(step)
            yield len(steps) - made

    async def _held(self, wanted: Sequence[Entity]) -> list[Entity]:
        """All there is; of meters, the wanted rows."""
        found = await self.device.read(meters=[entity for entity in wanted if isinstance(entity, P4MeterEntry)])
        if self.device.schema.action_profiles:
            found += await self.device._read([[P4ActionProfileMember(), P4ActionProfileGroup()]])
        return found

    def _wanted(self, rack: Any, extra: Sequence[Entity]) -> list[Entity]:
        return [*self._program.entities(rack), *extra]

    def write(self, updates: Iterable[p4r.Update | Entity | P4DigestEntry]) -> None:
        """Updates, or entities marked `+`, `~` or `-`. Raises: AssertionError (the device refused one)."""
        self._at = None
        self._write(updates)

    def _write(self, updates: Iterable[p4r.Update | Entity | P4DigestEntry]) -> None:
        if failures := self.run(self.device.write(updates)):
            raise AssertionError(f"the device refused {len(failures)} updates, the first: {failures[0]}")

    def counts(self) -> Counts:
        return self.run(self._counts())

    async def _counts(self) -> Counts:
        drops = await self.device.counter("drop_reason", *DropReason)
        rows = [await self.device.counter(name, *Outcome) for name in _OUTCOMES if name in self._counters]
        return Counts(
            Counter({DropReason(row): data.packet_count for row, data in drops.items() if data.packet_count}),
            Counter(
                {Outcome(row): data.packet_count for cells in rows for row, data in cells.items() if data.packet_count}
            ),
            await self._watched(),
        )

    async def _watched(self) -> Counter[Cell]:
        counted: Counter[Cell] = Counter()
        for name, rows in self._program.watched.items():
            cells = await self.device.counter(name, *rows)
            counted += Counter({(name, row): data.packet_count for row, data in cells.items()})
        return counted

    def hits(self, table: str, **key: Any) -> int:
        """Packets that the direct counter of one entry has counted. Raises: AssertionError (no such entry)."""
        return self.run(self._hits(table, key))

    async def _hits(self, table: str, key: Mapping[str, Any]) -> int:
        def match_of(entry: P4TableEntry) -> list[p4r.FieldMatch]:
            return list(entry.encode(self.device.schema).table_entry.match)

        wanted = match_of(P4TableEntry(table, match=Match(key)))
        for entry in await self.device.entries(table):
            if not entry.is_default_action and match_of(entry) == wanted:
                return entry.counter_data.packet_count if entry.counter_data else 0
        raise AssertionError(f"{table} has no entry {key}")

    def packet_out(self, frame: bytes, mode: int, **fields: int) -> None:
        self.run(self.device.packet_out(frame, mode=PacketOutMode(mode), **fields))

    def packet_in(self, timeout_s: float) -> P4PacketIn | None:
        """The next packet for the controller, or None if none came in time."""
        return _next(self._packet_ins, timeout_s)

    def digest(self, timeout_s: float) -> Learned | None:
        """The next digest, or None if none came in time."""
        return _next(self._digests, timeout_s)


def _next(waiting: queue.Queue[T], timeout_s: float) -> T | None:
    try:
        return waiting.get(timeout=timeout_s)
    except queue.Empty:
        return None
