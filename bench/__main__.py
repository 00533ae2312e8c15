# SPDX-License-Identifier: Apache-2.0
"""``make bench``: everything that is measured, as one table and ``bench/results/latest.json``."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from . import flow_setup, from_memory, latency, memory, p4runtime, start, veth, workers
from .gateway import figures
from .measure import Plan
from .report import table, write_json
from .result import Result
from .scenario import Scenario

RESULTS = Path(__file__).parent / "results/latest.json"


def main(
    only: Annotated[str, typer.Option(metavar="WORD", help="only what has WORD in its name: router, VXLAN, ...")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="small scenarios, short runs: to see that it works")] = False,
) -> None:
    """Measure softnic beside Open vSwitch, DPDK's SWX pipeline and plain C, each on one core, one after the other.

    Ctrl-C or SIGTERM ends it; what was measured until then is printed.
    """
    progress, out = Console(stderr=True, highlight=False), Console(highlight=False, width=160)

    def say(what: str) -> None:
        progress.print(f"· {what}", markup=False)

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that namespaces and peers are cleaned up
    results: list[Result] = []
    try:
        for result in measure(only.lower(), quick, say):
            results.append(result)
    except KeyboardInterrupt:
        say("interrupted")
    write_json(results, RESULTS)
    out.print(table(results))
    out.print(f"also in {RESULTS}")


def measure(only: str, quick: bool, say: from_memory.Say) -> Iterator[Result]:
    """Everything whose name has `only` in it; `quick` leaves out what takes long."""

    def wanted(scenario: Scenario) -> bool:
        return only in scenario.name.lower() and (scenario.is_small or not quick)

    plan = _plan(quick)
    yield from from_memory.measure(plan, say, wanted)
    if only in "workers" and not quick:
        say("two workers against one")
        yield from workers.measure(plan)
    if only in "veth":
        yield from veth.measure(plan, say)
    if only in "latency":
        yield from latency.measure(plan, say)
    if only in "start":
        say("a second start")
        yield from start.measure()
    if only in "gateway":
        yield from figures.measure(plan, say, quick=quick)
    if only in "gateway" and not quick:
        yield from flow_setup.measure(say)
    if only in "p4runtime" and not quick:
        say("P4Runtime, and memory for a million entries")
        yield from p4runtime.measure()
        yield from memory.measure()


def _plan(quick: bool) -> Plan:
    """The last core for the engine, the first for what controls it."""
    cores = sorted(os.sched_getaffinity(0))
    windows, seconds = (3, 0.5) if quick else (5, 1.0)
    return Plan(windows, seconds, core=cores[-1], control_core=cores[0])


if __name__ == "__main__":
    typer.run(main)
