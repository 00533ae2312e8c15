# SPDX-License-Identifier: Apache-2.0
"""softnic itself, by the command that anyone can run: ``softnic bench``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from softnic.engines import EngineName, engine_factory
from softnic.inputs import InputError, read_program

from ..measure import Plan, Window
from ..pcaps import read_frames
from ..process import run
from ..scenario import Scenario

_ANY_PROGRAM = Path(__file__).parents[1] / "p4/compiled/router.json"


def available_engine() -> tuple[EngineName, str | None]:
    """The native engine; or the reference engine, and why the native one can't be had."""
    try:
        engine_factory(EngineName.NATIVE)(read_program(_ANY_PROGRAM))
    except (InputError, ImportError, OSError) as error:
        return EngineName.REFERENCE, str(error)
    return EngineName.NATIVE, None


class Softnic:
    own_entropy = False

    def __init__(self, engine: EngineName) -> None:
        self._engine = engine
        self.name = f"softnic {engine}"

    def missing(self) -> str | None:
        return None  # the reference engine is always there, and nobody asks for the native one where it is not

    def outputs(self, scenario: Scenario, scratch: Path) -> list[bytes]:
        out = scratch / "out.pcap"
        self._bench(scenario, scratch, "--runs", "1", "--seconds", "0.01", "--out", str(out))
        return read_frames(out)

    def windows(self, scenario: Scenario, scratch: Path, plan: Plan) -> list[Window]:
        report = self._bench(
            scenario, scratch, "--runs", str(plan.windows), "--seconds", str(plan.seconds), core=plan.core
        )
        return [_window(each) for each in json.loads(report)["runs"]]

    def _bench(self, scenario: Scenario, scratch: Path, *options: str, core: int | None = None) -> str:
        trace, entries = scratch / "trace.pcap", scratch / "entries.txtpb"
        scenario.write_trace(trace)
        scenario.write_entries(entries)
        pinned = ("taskset", "-c", str(core)) if core is not None else ()
        command = (sys.executable, "-m", "softnic", "bench", str(scenario.program_json), "--json")
        inputs = ("--pcap", str(trace), "--entries", str(entries), "--engine", self._engine)
        return run([*pinned, *command, *inputs, *options])


def _window(timed: dict[str, float]) -> Window:
    """CPU time has what a run costs before and after its loop in it, so it may be more than the loop's wall time."""
    wall_ns, cpu_ns = round(timed["seconds"] * 1e9), round(timed["cpu_seconds"] * 1e9)
    return Window(round(timed["packets"]), wall_ns, min(wall_ns, cpu_ns))
