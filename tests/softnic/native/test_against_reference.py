# SPDX-License-Identifier: Apache-2.0
"""The native engine does to packets what the reference executor does, one by one and many at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scenarios import Scenario

from softnic.engine import Digest, Engine
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted([*ROOT.glob("tests/p4/compiled/*.json"), *ROOT.glob("p4src/compiled/*.json")])
PACKETS = 400
RANDOM_VERB = 7
"""Of tests/p4/externs.p4: what it answers is no two engines' business."""


class Clock:
    """A monotonic clock in nanoseconds that stands still while a packet runs."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns


@dataclass
class Pair:
    """Two engines in the same state, on one clock."""

    reference: ReferenceEngine
    native: NativeEngine
    clock: Clock
    scenario: Scenario

    def packets(self) -> list[tuple[int, bytes]]:
        packets = self.scenario.packets(PACKETS)
        if self.reference.program.name.endswith("externs.p4"):
            return [(port, data) for port, data in packets if data[:1] != bytes([RANDOM_VERB])]
        return packets


@pytest.fixture(params=PROGRAMS, ids=lambda path: path.stem)
def pair(request: pytest.FixtureRequest) -> Pair:
    program, clock = load_program(request.param), Clock()
    engines = ReferenceEngine(program, clock_ns=clock), NativeEngine(program, clock_ns=clock)
    scenario = Scenario(program, seed=1)
    scenario.fill(engines)
    return Pair(*engines, clock, scenario)


def listen(engine: Engine) -> list[Digest]:
    digests: list[Digest] = []
    engine.on_digest = digests.append
    return digests


def state(engine: Engine) -> dict[str, Any]:
    """All that packets leave behind, and all that was written."""
    program = engine.program  # type: ignore[attr-defined]
    return {
        "anomalies": dict(engine.anomalies),
        "counters": [_cells(engine.read_counter, c) for c in program.counters],
        "registers": [_cells(engine.read_register, r) for r in program.registers],
        "meters": [_cells(engine.read_meter, m) for m in program.meters],
        "entries": {table.name: list(engine.entries(table.name)) for table in program.tables},
        "defaults": {table.name: engine.default(table.name) for table in program.tables},
        "direct counters": {
            table.name: [engine.read_direct_counter(table.name, e.key, e.priority) for e in engine.entries(table.name)]
            for table in program.tables
            if table.direct_counter
        },
    }


def _cells(read: Any, array: Any) -> list[Any]:
    return [read(array.name, index) for index in range(min(array.size, 64))]


def names(outputs: Iterable[Any]) -> list[tuple[int, str]]:
    """Readable where they differ."""
    return [(output.port, output.data.hex()) for output in outputs]


def test_packets_one_by_one(pair: Pair) -> None:
    wanted, got = listen(pair.reference), listen(pair.native)
    for port, data in pair.packets():
        pair.clock.now_ns += 1_000_000
        outputs = names(pair.reference.process(port, data))
        assert names(pair.native.process(port, data)) == outputs, f"port {port}, packet {data.hex()}"
        assert got == wanted, f"port {port}, packet {data.hex()}"
    assert state(pair.native) == state(pair.reference)


def test_packets_in_vectors(pair: Pair) -> None:
    wanted, got = listen(pair.reference), listen(pair.native)
    packets = pair.packets()
    outputs = [output for port, data in packets for output in pair.reference.process(port, data)]
    assert names(pair.native.process_all(packets)) == names(outputs)
    assert got == wanted
    assert state(pair.native) == state(pair.reference)


def test_every_prefix_of_a_packet(pair: Pair) -> None:
    for port, data in pair.packets()[:10]:
        for length in range(len(data)):
            outputs = names(pair.reference.process(port, data[:length]))
            assert names(pair.native.process(port, data[:length])) == outputs, data[:length].hex()
