# SPDX-License-Identifier: Apache-2.0
"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from .result import Result

_REACHED = {True: "yes", False: "no", None: ""}


def table(results: Sequence[Result]) -> Table:
    rendered = Table(title=f"headgate bench, {machine()}", title_justify="left")
    rendered.add_column("what")
    for heading in ("figure", "unit", "goal", "reached"):
        rendered.add_column(heading, justify="left" if heading == "unit" else "right")
    rendered.add_column("note")
    for result in results:
        goal = "" if result.goal is None else f"{result.goal:,.2f}"
        rendered.add_row(result.name, f"{result.value:,.2f}", result.unit, goal, _REACHED[result.reached], result.note)
    return rendered


def write_json(results: Sequence[Result], path: Path) -> None:
    """Machine, date and every result."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {
        "machine": machine(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "results": [{**asdict(result), "reached": result.reached} for result in results],
    }
    path.write_text(json.dumps(report, indent=2) + "\n")


def machine() -> str:
    """Processor, cores and kernel."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.MULTILINE)
    cores = len(re.findall(r"^processor\b", cpuinfo, re.MULTILINE))
    return f"{model[1] if model else platform.machine()}, {cores} cores, Linux {platform.release()}"
