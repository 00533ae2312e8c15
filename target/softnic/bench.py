# SPDX-License-Identifier: Apache-2.0
"""How fast an engine runs a program: packets from memory, each copied, processed, counted and forgotten."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from .engine import Engine, Output
from .reference import ReferenceEngine
from .reference.machine import Machine
from .reference.trace import TableApplied, Tracer

Arrival = tuple[int, bytes]
"""The port a packet comes in on, and the packet."""


@dataclass(frozen=True, slots=True)
class Run:
    """One timed run. `packets` came in and `outputs` left, over all workers; `cpu_seconds` is what all threads used.

    `cycles` are those of the time-stamp counter, summed over the workers; None where the machine has none that is
    constant.
    """

    workers: int
    packets: int
    outputs: int
    seconds: float
    cpu_seconds: float
    cycles: int | None

    @property
    def mpps(self) -> float:
        """Million packets per second, all workers together."""
        return self.packets / self.seconds / 1e6

    @property
    def ns_per_packet(self) -> float:
        """Of one worker."""
        return self.seconds * self.workers * 1e9 / self.packets

    @property
    def cycles_per_packet(self) -> float | None:
        return None if self.cycles is None else self.cycles / self.packets


class LoopResult(Protocol):
    """What an engine's own loop tells. `cycles` is 0 where there is no time-stamp counter."""

    @property
    def packets(self) -> int: ...
    @property
    def outputs(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def cycles(self) -> int: ...


@runtime_checkable
class OwnLoop(Protocol):
    """An engine with a timed loop of its own, outside Python."""

    def bench(self, packets: Sequence[Arrival], seconds: float, workers: int) -> LoopResult:
        """Run `packets` over and over for `seconds` on `workers` threads, each packet copied to a fresh buffer."""
        ...


@runtime_checkable
class CountsTableHits(Protocol):
    """An engine that knows how often its tables were hit and missed since it was made."""

    def table_hits(self) -> Mapping[str, tuple[int, int]]: ...


@dataclass(frozen=True, slots=True)
class TableHits:
    hits: int = 0
    misses: int = 0


def timed_run(engine: Engine, packets: Sequence[Arrival], seconds: float, workers: int = 1) -> Run:
    """Run `packets` over and over for `seconds`, by the engine's own loop if it has one.

    Raises:
        ValueError: no packets, or several workers for an engine that runs in Python.
    """
    if not packets:
        raise ValueError("there are no packets to run")
    cpu_start = time.process_time()
    if isinstance(engine, OwnLoop):
        result = engine.bench(packets, seconds, workers)
        packets_in, outputs, elapsed, cycles = result.packets, result.outputs, result.seconds, result.cycles
    elif workers == 1:
        packets_in, outputs, elapsed = _loop_in_python(engine, packets, seconds)
        cycles = round(elapsed * (tsc_hz() or 0))
    else:
        raise ValueError("the reference engine has one worker; use --engine native, or --workers 1")
    return Run(workers, packets_in, outputs, elapsed, time.process_time() - cpu_start, cycles or None)


def _loop_in_python(engine: Engine, packets: Sequence[Arrival], seconds: float) -> tuple[int, int, float]:
    """Packets in, packets out, seconds. Each packet is copied: headers by the parser, the rest by the deparser."""
    done = outputs = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds or not done:
        port, data = packets[done % len(packets)]
        outputs += len(engine.process(port, data))
        done += 1
    return done, outputs, elapsed


def one_pass(engine: Engine, packets: Sequence[Arrival]) -> tuple[list[Sequence[Output]], Mapping[str, TableHits]]:
    """What each packet sends, and the hits and misses of every table that was applied."""
    if isinstance(engine, ReferenceEngine):
        return _traced_pass(engine, packets)
    before = engine.table_hits() if isinstance(engine, CountsTableHits) else {}
    outputs = [engine.process(port, data) for port, data in packets]
    after = engine.table_hits() if isinstance(engine, CountsTableHits) else {}
    return outputs, {
        table: TableHits(hits - before[table][0], misses - before[table][1])
        for table, (hits, misses) in after.items()
        if (hits, misses) != before[table]
    }


def _traced_pass(
    engine: ReferenceEngine, packets: Sequence[Arrival]
) -> tuple[list[Sequence[Output]], Mapping[str, TableHits]]:
    tracer = Tracer()
    machine = Machine(engine.program, engine.state, tracer)
    outputs: list[Sequence[Output]] = []
    counts: dict[str, list[int]] = {}
    for port, data in packets:
        outputs.append(machine.process(port, data))
        for event in tracer.events:
            if isinstance(event, TableApplied):
                counts.setdefault(event.table, [0, 0])[event.entry is None] += 1
        tracer.events.clear()
    return outputs, {table: TableHits(hits, misses) for table, (hits, misses) in counts.items()}


def tsc_hz(cpuinfo: Path = Path("/proc/cpuinfo")) -> float | None:
    """The rate of the x86 time-stamp counter, None where it is not constant or not there.

    Linux derives BogoMIPS from the counter's calibrated rate, two for each cycle (``calibrate_delay``, lpj preset).
    """
    try:
        text = cpuinfo.read_text()
    except OSError:
        return None
    bogomips = re.search(r"^bogomips\s*: ([\d.]+)", text, re.MULTILINE)
    return float(bogomips[1]) * 1e6 / 2 if bogomips and " constant_tsc" in text else None
