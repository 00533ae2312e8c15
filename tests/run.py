# SPDX-License-Identifier: Apache-2.0
"""Runs every check there is, each as its own command, and prints last what failed and what was skipped, and why."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
EXIT_TARGET_ABSENT = 77  # of ptf-tests/run.py, as automake has it


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    command: tuple[str, ...]


@dataclass(slots=True)
class Totals:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)


STEPS = (
    Step("lint", (f"{BIN}/ruff", "check", ".")),
    Step("format", (f"{BIN}/ruff", "format", "--check", ".")),
    Step("types", (f"{BIN}/basedpyright",)),
    Step("unit", (f"{BIN}/pytest", "-p", "no:cacheprovider")),
    Step("safety", ("env", "PYTHONPATH=tests", f"{BIN}/python", "-m", "safety")),
    Step("ptf softnic", (f"{BIN}/python", "ptf-tests/run.py", "--target", "softnic")),
    Step("ptf softnic-reference", (f"{BIN}/python", "ptf-tests/run.py", "--target", "softnic-reference")),
    Step("ptf bmv2", (f"{BIN}/python", "ptf-tests/run.py", "--target", "bmv2")),
)


def run(step: Step) -> tuple[int, str]:
    """The step's exit status and its output, which is shown as it comes."""
    print(f"\n==== {step.name}: {' '.join(step.command).replace(str(BIN) + '/', '')}", flush=True)
    started = time.monotonic()
    with subprocess.Popen(
        step.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    print(f"---- {step.name}: exit {process.returncode}, {time.monotonic() - started:.0f} s", flush=True)
    return process.returncode, "".join(lines)


def count(step: Step, status: int, output: str, totals: Totals) -> None:
    """Add a step to the totals: a runner's own counts where it has them, else one check passed or failed."""
    if status == EXIT_TARGET_ABSENT:
        totals.skipped += 1
        totals.reasons.append(f"{step.name}: {output.strip().splitlines()[-1]}")
        return
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", output)}
    totals.passed += counts.get("passed", int(status == 0))
    totals.skipped += counts.get("skipped", 0)
    totals.failed += max(counts.get("failed", 0) + counts.get("error", 0), int(status != 0))
    totals.reasons += [f"{step.name}: {line}" for line in re.findall(r"^SKIPPED (.*)$", output, re.MULTILINE)]


def main() -> int:
    totals = Totals()
    for step in STEPS:
        count(step, *run(step), totals)
    print("\n==== skipped")
    print("\n".join(totals.reasons) or "nothing")
    print(f"\n{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    return int(totals.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
