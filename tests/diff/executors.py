# SPDX-License-Identifier: Apache-2.0
"""Executors in process: an engine, told a scenario step by step, and what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softnic import ir
from softnic.engine import Digest, Engine, EngineError, Output
from softnic.native import NativeEngine
from softnic.native.compiler import Build
from softnic.native.source import ProgramSource
from softnic.reference import ReferenceEngine

from .scenario import Burst, Frame, Scenario, Step, Wait, Write

_CELLS = 64
"""So many cells of an array are looked at."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of one step: lines that people can compare, most of all."""

    outputs: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    refusal: str = ""
    """The kind of error that a write ended with."""


class Clock:
    """A monotonic clock in nanoseconds that moves only when it is told to."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


class Executor:
    """An engine and its clock. `run` puts the frames of a burst through it."""

    def __init__(
        self, name: str, engine: Engine, clock: Clock, run: Callable[[Sequence[Frame]], Iterable[Output]]
    ) -> None:
        self.name = name
        self.engine = engine
        self._clock = clock
        self._run = run
        self._digests: list[Digest] = []
        engine.on_digest = self._digests.append

    def do(self, step: Step) -> Seen:
        """Take one step."""
        match step:
            case Wait(ns):
                self._clock.now_ns += ns
                return Seen()
            case Write(method, args):
                return Seen(refusal=self._refusal(method, args))
            case Burst(frames):
                outputs = tuple(f"{output.port} {output.data.hex()}" for output in self._run(frames))
                digests = tuple(f"{digest.name} {digest.values}" for digest in self._digests)
                self._digests.clear()
                return Seen(outputs, digests)

    def _refusal(self, method: str, args: tuple[Any, ...]) -> str:
        try:
            getattr(self.engine, method)(*args)
        except EngineError as error:
            return type(error).__name__
        return ""


Start = Callable[[ir.Program], Executor]
"""Makes an executor that has done nothing yet."""


def reference(program: ir.Program) -> Executor:
    clock = Clock()
    engine = ReferenceEngine(program, clock_ns=clock)
    return Executor("reference", engine, clock, lambda frames: _one_by_one(engine, frames))


def native(source: ProgramSource, build: Build | None = None) -> Start:
    """Packets one by one. `build`: see `NativeEngine`."""

    def start(program: ir.Program) -> Executor:
        clock = Clock()
        engine = NativeEngine(program, clock_ns=clock, build=build, source=source)
        return Executor("native", engine, clock, lambda frames: _one_by_one(engine, frames))

    return start


def native_vectors(source: ProgramSource, build: Build | None = None) -> Start:
    """Bursts at once, as the dataplane does; packets wait in front of every table, as of large ones."""
    compiler = source.compiler
    parking = replace(compiler, command=(*compiler.command, "-DSNIC_ALL_TABLES_ARE_LARGE=1"))
    vectors = replace(source, compiler=parking)

    def start(program: ir.Program) -> Executor:
        clock = Clock()
        engine = NativeEngine(program, clock_ns=clock, build=build, source=vectors)
        return Executor("native in vectors", engine, clock, engine.process_all)

    return start


def _one_by_one(engine: Engine, frames: Iterable[Frame]) -> Iterator[Output]:
    for port, data in frames:
        yield from engine.process(port, data)


def left_behind(executor: Executor, program: ir.Program) -> Iterator[tuple[str, Any]]:
    """All that a scenario leaves in the engine, each thing with its name."""
    engine = executor.engine
    yield "anomalies", sorted((name, count) for name, count in engine.anomalies.items() if count)
    for counter in program.counters:
        yield f"counter {counter.name}", _cells(engine.read_counter, counter)
    for register in program.registers:
        yield f"register {register.name}", _cells(engine.read_register, register)
    for meter in program.meters:
        yield f"meter {meter.name}", _cells(engine.read_meter, meter)
        yield f"colours of meter {meter.name}", _cells(engine.read_meter_counts, meter)
    for table in program.tables:
        entries = list(engine.entries(table.name))
        yield f"entries of {table.name}", entries
        yield f"default of {table.name}", engine.default(table.name)
        places = [(table.name, entry.key, entry.priority) for entry in entries]
        with_default = [*places, (table.name, None)]
        if table.direct_counter:
            yield f"direct counter of {table.name}", [engine.read_direct_counter(*place) for place in with_default]
        if table.direct_meter:
            yield f"direct meter of {table.name}", [engine.read_direct_meter(*place) for place in with_default]
            counts = [engine.read_direct_meter_counts(*place) for place in with_default]
            yield f"colours of direct meter of {table.name}", counts
        if table.idle_timeout:
            yield f"idle times of {table.name}", [engine.idle_ns(*place) for place in places]
    yield "idle entries", sorted(map(repr, engine.idle_entries()))


def _cells(read: Callable[[str, int], Any], array: Any) -> list[Any]:
    return [read(array.name, index) for index in range(min(array.size, _CELLS))]


def frames_of(scenario: Scenario) -> int:
    """How many packets it has."""
    return sum(len(step.frames) for step in scenario.steps if isinstance(step, Burst))
