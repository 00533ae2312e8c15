# SPDX-License-Identifier: Apache-2.0
"""The native executor as an `Engine`: a program compiled to C, its state in the runtime's memory."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
    GroupMember,
    KeyMatch,
    MeterRates,
    Output,
    PackedEntry,
    PackedMatch,
    Replica,
    TableEntry,
)

from .benchmark import BenchResult, run_benchmark
from .compiler import Build
from .externs import NativeCounter, NativeMeter, NativeRegister, NativeValueSet, value_set_key
from .handle import Handle
from .library import load_runtime
from .packets import PacketRunner
from .profiles import NativeProfile
from .replication import Replication
from .source import ProgramSource, source_of
from .tables import NativeTable

Key = tuple[KeyMatch, ...]
T = TypeVar("T")

_SCANNED_AT_ONCE = 1024


class NativeEngine:
    """Runs a program as machine code; implements `softnic.engine.Engine`.

    Args:
        program: what to run.
        clock_ns: a monotonic clock, in nanoseconds; timestamps, meters and idle times follow it.
        cpu_port: known to callers as the port of packet I/O; to the program it is a port like any other.
        build: how to compile it; the default is a plain `Build`.
        source: what to compile; the default is `program`, printed as C here.

    Raises:
        CompilerError: there is no compiler, or it refused.
        UnsupportedError: the program needs what only the reference executor has.
        OSError: there is nowhere to write objects to, or they can't be loaded.
    """

    def __init__(
        self,
        program: ir.Program,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        cpu_port: int | None = None,
        build: Build | None = None,
        source: ProgramSource | None = None,
    ) -> None:
        self.program = program
        self.cpu_port = cpu_port
        self._source = source or source_of(program)
        build = build or Build()
        runtime = load_runtime(self._source.compiler.runtime(build))
        path = self._source.compiled(build)
        own_clock = None if clock_ns is time.monotonic_ns else clock_ns
        self.handle = handle = Handle(runtime, path, program.json_sha256, own_clock)
        self._packets = PacketRunner(handle, program)
        self._tables = {table.name: NativeTable(handle, table, n) for n, table in enumerate(program.tables)}
        self._profiles = {
            profile.name: NativeProfile(handle, profile, n, user)
            for n, profile in enumerate(program.profiles)
            for user in self._users(profile)
        }
        self._counters = {c.name: NativeCounter(handle, c, n) for n, c in enumerate(program.counters)}
        self._meters = {m.name: NativeMeter(handle, m, n) for n, m in enumerate(program.meters)}
        self._registers = {r.name: NativeRegister(handle, r, n) for n, r in enumerate(program.registers)}
        self._value_sets = {
            value_set.name: NativeValueSet(handle, n, value_set_key(program.parser, value_set))
            for n, value_set in enumerate(program.value_sets)
        }
        self._replication = Replication(handle)

    def upgrade(self, build: Build) -> None:
        """Compile the program once more, now as `build` says, and go on with that; all state stays.

        The only method that any thread may call at any time: packets and calls go on until it has compiled.

        Raises: CompilerError, OSError, EngineError; nothing has changed then.
        """
        self.handle.upgrade(self._source.compiled(build))

    # ---- packets ----------------------------------------------------------------------------------------------------

    @property
    def anomalies(self) -> Counter[str]:
        """What happened to packets that P4 leaves undefined, by name."""
        return self.handle.anomalies()

    @property
    def on_digest(self) -> Callable[[Digest], None] | None:
        return self._packets.on_digest

    @on_digest.setter
    def on_digest(self, handler: Callable[[Digest], None] | None) -> None:
        self._packets.on_digest = handler

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        """Run one packet to completion."""
        return self._packets.run(((port, data),))

    def process_all(self, packets: Iterable[tuple[int, bytes]]) -> Sequence[Output]:
        """Run packets, each a port and its bytes, in vectors as the dataplane does; outputs are in their order."""
        return self._packets.run(packets)

    def bench(self, packets: Sequence[tuple[int, bytes]], seconds: float, workers: int = 1) -> BenchResult:
        """Run `packets` over and over, from memory and to nowhere, on as many threads; see `run_benchmark`."""
        return run_benchmark(self.handle, packets, seconds, workers)

    def table_hits(self) -> Mapping[str, tuple[int, int]]:
        """Hits and misses of each table that has a key, by name."""
        return {name: native.hits() for name, native in self._tables.items() if native.table.key}

    # ---- tables -----------------------------------------------------------------------------------------------------

    def packed(self, table: str) -> NativeTable:
        return _named("table", self._tables, table)

    def insert(self, table: str, entry: TableEntry) -> None:
        native = self.packed(table)
        native.insert(native.layout.pack(entry))

    def modify(self, table: str, entry: TableEntry) -> None:
        native = self.packed(table)
        native.modify(native.layout.pack(entry))

    def delete(self, table: str, key: Key, priority: int = 0) -> None:
        native = self.packed(table)
        native.delete(native.layout.key.pack(key, priority))

    def get(self, table: str, key: Key, priority: int = 0) -> TableEntry:
        native = self.packed(table)
        return native.layout.unpack(native.get(native.layout.key.pack(key, priority)))

    def entries(self, table: str) -> Iterable[TableEntry]:
        native = self.packed(table)
        return [native.layout.unpack(entry) for entry in native.snapshot()]

    def set_default(self, table: str, action: EntryAction | None) -> None:
        self.packed(table).set_default(action)

    def default(self, table: str) -> EntryAction | None:
        return self.packed(table).default()

    def idle_entries(self) -> Iterable[tuple[str, TableEntry]]:
        return [
            (name, native.layout.unpack(entry))
            for name, native in self._tables.items()
            if native.table.idle_timeout
            for entry in _scan_idle(native)
        ]

    def idle_ns(self, table: str, key: Key, priority: int = 0) -> int:
        native = self.packed(table)
        return native.idle_ns(native.layout.key.pack(key, priority))

    def read_direct_counter(self, table: str, key: Key | None, priority: int = 0) -> CounterValue:
        native = self.packed(table)
        return native.read_counter(_packed_match(native, key, priority))

    def write_direct_counter(self, table: str, key: Key | None, priority: int, value: CounterValue) -> None:
        native = self.packed(table)
        native.write_counter(_packed_match(native, key, priority), value)

    def read_direct_meter(self, table: str, key: Key | None, priority: int = 0) -> MeterRates | None:
        native = self.packed(table)
        return native.read_meter(_packed_match(native, key, priority))

    def write_direct_meter(self, table: str, key: Key | None, priority: int, rates: MeterRates | None) -> None:
        native = self.packed(table)
        native.write_meter(_packed_match(native, key, priority), rates)

    def read_direct_meter_counts(self, table: str, key: Key | None, priority: int = 0) -> ColourCounts:
        native = self.packed(table)
        return native.read_meter_counts(_packed_match(native, key, priority))

    def write_direct_meter_counts(self, table: str, key: Key | None, priority: int, counts: ColourCounts) -> None:
        native = self.packed(table)
        native.write_meter_counts(_packed_match(native, key, priority), counts)

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

    # ---- counters, meters, registers, value sets --------------------------------------------------------------------

    def read_counter(self, counter: str, index: int) -> CounterValue:
        return _named("counter", self._counters, counter).read(index)

    def write_counter(self, counter: str, index: int, value: CounterValue) -> None:
        _named("counter", self._counters, counter).write(index, value)

    def read_meter(self, meter: str, index: int) -> MeterRates | None:
        return _named("meter", self._meters, meter).read(index)

    def write_meter(self, meter: str, index: int, rates: MeterRates | None) -> None:
        _named("meter", self._meters, meter).write(index, rates)

    def read_meter_counts(self, meter: str, index: int) -> ColourCounts:
        return _named("meter", self._meters, meter).read_counts(index)

    def write_meter_counts(self, meter: str, index: int, counts: ColourCounts) -> None:
        _named("meter", self._meters, meter).write_counts(index, counts)

    def read_register(self, register: str, index: int) -> int:
        return _named("register", self._registers, register).read(index)

    def write_register(self, register: str, index: int, value: int) -> None:
        _named("register", self._registers, register).write(index, value)

    def value_set(self, name: str) -> Sequence[tuple[int, ...]]:
        return _named("value set", self._value_sets, name).members

    def set_value_set(self, name: str, members: Sequence[tuple[int, ...]]) -> None:
        _named("value set", self._value_sets, name).replace(members)

    # ---- packet replication and ports -------------------------------------------------------------------------------

    def set_multicast_group(self, group_id: int, replicas: tuple[Replica, ...]) -> None:
        self._replication.set_multicast_group(group_id, replicas)

    def set_clone_session(self, session_id: int, session: CloneSession | None) -> None:
        self._replication.set_clone_session(session_id, session)

    def set_port_up(self, port: int, up: bool) -> None:
        self.handle.lib.snic_set_port_up(self.handle.engine, port, up)
        self._replication.set_port_up(port, up)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While this is open no packet runs, on whatever thread: what is written meanwhile is seen as one change."""
        self.handle.lib.snic_pause(self.handle.engine)
        try:
            yield
        finally:
            self.handle.lib.snic_resume(self.handle.engine)

    # ---- lookups by name --------------------------------------------------------------------------------------------

    def _profile(self, name: str) -> NativeProfile:
        return _named("action profile", self._profiles, name)

    def _users(self, profile: ir.ActionProfile) -> Iterator[NativeTable]:
        return (native for native in self._tables.values() if native.table.profile == profile)


def _named(what: str, objects: Mapping[str, T], name: str) -> T:
    if name not in objects:
        raise EngineError(f"the program has no {what} {name}")
    return objects[name]


def _packed_match(table: NativeTable, key: Key | None, priority: int) -> PackedMatch | None:
    return None if key is None else table.layout.key.pack(key, priority)


def _scan_idle(table: NativeTable) -> Iterator[PackedEntry]:
    cursor: int | None = 0
    while cursor is not None:
        entries, cursor = table.scan_idle(cursor, _SCANNED_AT_ONCE)
        yield from entries
