# SPDX-License-Identifier: Apache-2.0
"""The reference executor as an `Engine`: a machine for packets, and its state for the control plane."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from softnic import ir
from softnic.engine import (
    ActionCall,
    CloneSession,
    ColourCounts,
    CounterValue,
    Digest,
    EngineError,
    EntryAction,
    EntryNotFound,
    GroupMember,
    KeyMatch,
    MeterRates,
    Output,
    PackedTable,
    Replica,
    TableEntry,
)

from .machine import Machine
from .meters import Meter
from .packed import PackedView
from .profiles import ProfileState
from .state import State
from .tables import TableState

Key = tuple[KeyMatch, ...]
T = TypeVar("T")


class ReferenceEngine:
    """Runs a program in plain Python; implements `softnic.engine.Engine`.

    Args:
        program: what to run.
        clock_ns: a monotonic clock, in nanoseconds; timestamps, meters and idle times follow it.
        cpu_port: known to callers as the port of packet I/O; to the program it is a port like any other.
    """

    def __init__(
        self,
        program: ir.Program,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        cpu_port: int | None = None,
    ) -> None:
        self.program = program
        self.cpu_port = cpu_port
        self.state = State(program, clock_ns)
        self._machine = Machine(program, self.state)

    @property
    def anomalies(self) -> Counter[str]:
        """What happened to packets that P4 leaves undefined, by name."""
        return self.state.anomalies

    @property
    def on_digest(self) -> Callable[[Digest], None] | None:
        return self.state.on_digest

    @on_digest.setter
    def on_digest(self, handler: Callable[[Digest], None] | None) -> None:
        self.state.on_digest = handler

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        """Run one packet to completion; see `Machine`."""
        return self._machine.process(port, data)

    # ---- tables -----------------------------------------------------------------------------------------------------

    def insert(self, table: str, entry: TableEntry) -> None:
        self._table(table).insert(entry, self.state.clock_ns())

    def modify(self, table: str, entry: TableEntry) -> None:
        self._table(table).modify(entry, self.state.clock_ns())

    def delete(self, table: str, key: Key, priority: int = 0) -> None:
        self._table(table).delete(key, priority)

    def get(self, table: str, key: Key, priority: int = 0) -> TableEntry:
        return self._table(table).get(key, priority).as_table_entry()

    def packed(self, table: str) -> PackedTable:
        return PackedView(self, self._table(table))

    def set_default(self, table: str, action: EntryAction | None) -> None:
        self._table(table).set_default(action)

    def entries(self, table: str) -> Iterable[TableEntry]:
        return [entry.as_table_entry() for entry in self._table(table).entries()]

    def default(self, table: str) -> EntryAction | None:
        return self._table(table).default()

    def idle_entries(self) -> Iterable[tuple[str, TableEntry]]:
        now_ns = self.state.clock_ns()
        return [
            (name, entry.as_table_entry())
            for name, table in self.state.tables.items()
            if table.table.idle_timeout
            for entry in table.entries()
            if entry.is_idle(now_ns)
        ]

    def idle_ns(self, table: str, key: Key, priority: int = 0) -> int:
        return self.state.clock_ns() - self._table(table).get(key, priority).last_hit_ns

    # ---- action profiles --------------------------------------------------------------------------------------------

    def insert_member(self, profile: str, member_id: int, action: ActionCall) -> None:
        self._profile(profile).insert_member(member_id, action)

    def modify_member(self, profile: str, member_id: int, action: ActionCall) -> None:
        self._profile(profile).modify_member(member_id, action)

    def delete_member(self, profile: str, member_id: int) -> None:
        self._profile(profile).delete_member(member_id)

    def insert_group(self, profile: str, group_id: int, members: Sequence[GroupMember]) -> None:
        self._profile(profile).insert_group(group_id, members)

    def modify_group(self, profile: str, group_id: int, members: Sequence[GroupMember]) -> None:
        self._profile(profile).modify_group(group_id, members)

    def delete_group(self, profile: str, group_id: int) -> None:
        self._profile(profile).delete_group(group_id)

    def set_resilient(self, profile: str) -> None:
        self._profile(profile).set_resilient()

    def set_port_up(self, port: int, up: bool) -> None:
        (self.state.ports_down.discard if up else self.state.ports_down.add)(port)
        for profile in self.state.profiles.values():
            profile.set_port_up(port, up)

    # ---- counters, meters, registers --------------------------------------------------------------------------------

    def read_counter(self, counter: str, index: int) -> CounterValue:
        cells = _named("counter", self.state.counters, counter)
        _check_index("counter", counter, index, len(cells.packets))
        return CounterValue(cells.packets[index], cells.bytes[index])

    def write_counter(self, counter: str, index: int, value: CounterValue) -> None:
        cells = _named("counter", self.state.counters, counter)
        _check_index("counter", counter, index, len(cells.packets))
        cells.packets[index], cells.bytes[index] = value.packets, value.bytes

    def read_direct_counter(self, table: str, key: Key | None, priority: int = 0) -> CounterValue:
        resources = self._table(table).resources(key, priority)
        return CounterValue(resources.packets, resources.bytes)

    def write_direct_counter(self, table: str, key: Key | None, priority: int, value: CounterValue) -> None:
        resources = self._table(table).resources(key, priority)
        resources.packets, resources.bytes = value.packets, value.bytes

    def read_meter(self, meter: str, index: int) -> MeterRates | None:
        return self._meter(meter, index).rates

    def write_meter(self, meter: str, index: int, rates: MeterRates | None) -> None:
        self._meter(meter, index).configure(rates, self.state.now_us())

    def read_meter_counts(self, meter: str, index: int) -> ColourCounts:
        return self._meter(meter, index).counts

    def write_meter_counts(self, meter: str, index: int, counts: ColourCounts) -> None:
        self._meter(meter, index).counts = counts

    def read_direct_meter(self, table: str, key: Key | None, priority: int = 0) -> MeterRates | None:
        return self._table(table).resources(key, priority).meter.rates

    def write_direct_meter(self, table: str, key: Key | None, priority: int, rates: MeterRates | None) -> None:
        self._table(table).resources(key, priority).meter.configure(rates, self.state.now_us())

    def read_direct_meter_counts(self, table: str, key: Key | None, priority: int = 0) -> ColourCounts:
        return self._table(table).resources(key, priority).meter.counts

    def write_direct_meter_counts(self, table: str, key: Key | None, priority: int, counts: ColourCounts) -> None:
        self._table(table).resources(key, priority).meter.counts = counts

    def read_register(self, register: str, index: int) -> int:
        cells = _named("register", self.state.registers, register)
        _check_index("register", register, index, len(cells))
        return cells[index]

    def write_register(self, register: str, index: int, value: int) -> None:
        cells = _named("register", self.state.registers, register)
        _check_index("register", register, index, len(cells))
        cells[index] = value

    # ---- packet replication -----------------------------------------------------------------------------------------

    def set_multicast_group(self, group_id: int, replicas: tuple[Replica, ...]) -> None:
        if replicas:
            self.state.multicast_groups[group_id] = replicas
        else:
            self.state.multicast_groups.pop(group_id, None)

    def set_clone_session(self, session_id: int, session: CloneSession | None) -> None:
        if session is None:
            self.state.clone_sessions.pop(session_id, None)
        else:
            self.state.clone_sessions[session_id] = session

    # ---- parser value sets ------------------------------------------------------------------------------------------

    def value_set(self, name: str) -> Sequence[tuple[int, ...]]:
        return _named("value set", self.state.value_sets, name)

    def set_value_set(self, name: str, members: Sequence[tuple[int, ...]]) -> None:
        _named("value set", self.state.value_sets, name)
        self.state.value_sets[name] = tuple(members)

    def paused(self) -> AbstractContextManager[None]:
        """Packets run in `process` only, which the caller does not call meanwhile."""
        return nullcontext()

    # ---- lookups by name --------------------------------------------------------------------------------------------

    def _table(self, name: str) -> TableState:
        return _named("table", self.state.tables, name)

    def _profile(self, name: str) -> ProfileState:
        return _named("action profile", self.state.profiles, name)

    def _meter(self, name: str, index: int) -> Meter:
        cells = _named("meter", self.state.meters, name)
        _check_index("meter", name, index, len(cells))
        return cells[index]


def _named(what: str, objects: Mapping[str, T], name: str) -> T:
    if name not in objects:
        raise EngineError(f"the program has no {what} {name}")
    return objects[name]


def _check_index(what: str, name: str, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise EntryNotFound(f"{what} {name} has no index {index}: it has {size}")
