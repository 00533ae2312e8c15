# SPDX-License-Identifier: Apache-2.0
"""What a second worker adds: the router's many flows, shared out by hash over two threads, against one thread."""

from __future__ import annotations

import os
from collections.abc import Iterator
from statistics import median

from softnic.inputs import read_p4info, read_program
from softnic.native import NativeEngine
from softnic.offline import write_updates

from .measure import Plan
from .result import Result
from .scenario import Scenario, scenarios

GOAL = 1.8


def measure(plan: Plan) -> Iterator[Result]:
    """Nothing where there are not two cores. Wall time: what two threads do at once is what counts."""
    if len(os.sched_getaffinity(0)) < 2:
        return
    scenario = max((s for s in scenarios() if not s.is_vxlan), key=lambda s: len(s.trace))
    engine = _engine(scenario)
    packets = [(0, frame) for frame in scenario.trace]
    rates: dict[int, list[float]] = {1: [], 2: []}
    engine.bench(packets, plan.seconds, 2)
    for _ in range(plan.windows):
        for workers, found in rates.items():
            run = engine.bench(packets, plan.seconds, workers)
            found.append(run.packets / run.seconds / 1e6)
    one, two = median(rates[1]), median(rates[2])
    note = f"{two:.2f} against {one:.2f} Mpps of wall time, {plan.windows} windows of each in turn"
    yield Result(f"two workers against one: {scenario.name}", two / one, "x", GOAL, True, note)


def _engine(scenario: Scenario) -> NativeEngine:
    program = read_program(scenario.program_json)
    engine = NativeEngine(program)
    write_updates(engine, program, read_p4info(scenario.p4info), scenario.writes().updates)
    return engine
