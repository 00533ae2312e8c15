# SPDX-License-Identifier: Apache-2.0
"""All that outlives a packet: tables, profiles, extern arrays, replication, and what was counted."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable

from softnic import ir
from softnic.engine import CloneSession, Digest, Replica

from .hashes import HashFunction, hash_function
from .meters import Meter
from .profiles import ProfileState
from .tables import TableState


class CounterArray:
    """Packets and bytes of an indirect counter, by index."""

    __slots__ = ("bytes", "packets")

    def __init__(self, size: int) -> None:
        self.packets = [0] * size
        self.bytes = [0] * size


class MeterArray:
    """The meters of an indirect array, each made when it is first touched."""

    __slots__ = ("_cells", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._cells: defaultdict[int, Meter] = defaultdict(Meter)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, index: int) -> Meter:
        return self._cells[index]


class State:
    """The control-plane state of one loaded program.

    `anomalies` counts, by name, everything that happened to packets and that P4 leaves undefined or BMv2 would not
    survive.
    """

    def __init__(self, program: ir.Program, clock_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self.clock_ns = clock_ns
        self.start_ns = clock_ns()
        self.rng = random.Random()
        self.anomalies: Counter[str] = Counter()
        self.on_digest: Callable[[Digest], None] | None = None
        self.profiles = {profile.name: ProfileState(profile) for profile in program.profiles}
        self.tables = {
            table.name: TableState(table, self.profiles[table.profile.name] if table.profile else None, self.start_ns)
            for table in program.tables
        }
        self.counters = {counter.name: CounterArray(counter.size) for counter in program.counters}
        self.meters = {meter.name: MeterArray(meter.size) for meter in program.meters}
        self.registers = {register.name: [0] * register.size for register in program.registers}
        self.value_sets: dict[str, tuple[tuple[int, ...], ...]] = {
            value_set.name: () for value_set in program.value_sets
        }
        self.multicast_groups: dict[int, tuple[Replica, ...]] = {}
        self.ports_down: set[int] = set()
        self.clone_sessions: dict[int, CloneSession] = {}

        self._hash_functions: dict[ir.Calculation, HashFunction] = {}

    def hash_function(self, calculation: ir.Calculation) -> HashFunction:
        """The function of one calculation, always the same: some have a state of their own."""
        if calculation not in self._hash_functions:
            self._hash_functions[calculation] = hash_function(calculation.algorithm, self.rng)
        return self._hash_functions[calculation]

    def now_us(self) -> int:
        """Microseconds since the program was loaded: simple_switch's clock."""
        return (self.clock_ns() - self.start_ns) // 1000
