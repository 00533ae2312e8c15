# SPDX-License-Identifier: Apache-2.0
"""The controller of the device under test: headgate's own device and reconciliation, behind a synchronous face."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import Counter
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from finsy import Match, P4MeterEntry, P4PacketIn, P4TableEntry
from finsy.proto import p4r

from headgate.config import parse_config
from headgate.device import Device
from headgate.reconcile import plan
from headgate.systems import Entity, desired
from headgate.vocabulary import DropReason, Outcome, PacketOutMode

T = TypeVar("T")

CALL_TIMEOUT_S = 60
PACKET_INS = 4096


@dataclass(frozen=True, slots=True)
class Counts:
    """What the program has counted since it was loaded, packets."""

    drops: Counter[DropReason]
    outcomes: Counter[Outcome]
    """Rows of `outcome` and of `copy_outcome`; no row is used in both."""


class Controller:
    """Primary controller of one device. Its coroutines run on a thread of their own."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="controller", daemon=True).start()
        self._packet_ins: queue.Queue[P4PacketIn] = queue.Queue(PACKET_INS)
        self.device = Device(address)
        self.run(self.device.__aenter__())
        asyncio.run_coroutine_threadsafe(self._receive(), self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result. Raises: what it raises, TimeoutError."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(CALL_TIMEOUT_S)

    async def _receive(self) -> None:
        while True:
            self._packet_ins.put_nowait(await self.device.packet_in())

    def program(self, config: Mapping[str, Any], extra: Sequence[Entity]) -> None:
        """Reconciles the device to `config`, as in YAML, and `extra`, its punt meters full.

        Raises: ConfigError, AssertionError (the device refused an update).
        """
        for _ in self.steps(config, extra):
            pass
        # How full a meter's buckets are can't be read: written anew, they are full.
        self.write(~meter for meter in desired(parse_config(dict(config))) if isinstance(meter, P4MeterEntry))

    def steps(self, config: Mapping[str, Any], extra: Sequence[Entity]) -> Iterator[int]:
        """Makes the writes that lead to `config` and `extra` in headgate's own order.

        Yields: after each, how many are still to come.
        Raises: ConfigError, AssertionError (the device refused an update).
        """
        entities = [*desired(parse_config(dict(config))), *extra]
        stages = plan(self.run(self.device.read()), entities, self.device.schema).stages
        for made, stage in enumerate(stages, start=1):
            self.write(change.update for change in stage)
            yield len(stages) - made

    def write(self, updates: Iterable[p4r.Update | Entity]) -> None:
        """Updates, or entities marked `+`, `~` or `-`. Raises: AssertionError (the device refused one)."""
        if failures := self.run(self.device.write(updates)):
            raise AssertionError(f"the device refused {len(failures)} updates, the first: {failures[0]}")

    def counts(self) -> Counts:
        return self.run(self._counts())

    async def _counts(self) -> Counts:
        drops = await self.device.counter("drop_reason")
        outcomes = await self.device.counter("outcome")
        copies = await self.device.counter("copy_outcome")
        return Counts(
            Counter({DropReason(row): data.packet_count for row, data in drops.items() if data.packet_count}),
            Counter({Outcome(row): data.packet_count for row, data in outcomes.items() if data.packet_count})
            + Counter({Outcome(row): data.packet_count for row, data in copies.items() if data.packet_count}),
        )

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
        try:
            return self._packet_ins.get(timeout=timeout_s)
        except queue.Empty:
            return None
