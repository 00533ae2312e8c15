# SPDX-License-Identifier: Apache-2.0
"""The search: scenario after scenario until there were enough packets, or one on which executors differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from softnic import ir

from .compare import Difference, first_difference
from .executors import Start, frames_of
from .generate import Generator
from .isolation import Died, isolated
from .minimise import minimise
from .reach import Reach
from .scenario import Scenario

_TRACED = 8
"""One scenario in so many is traced too: tracing is slow, and what is reached is soon reached again."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The first scenario that was found to differ, and the smallest one made of it."""

    found: Scenario
    smallest: Scenario
    difference: Difference


@dataclass(frozen=True, slots=True)
class Result:
    scenarios: int
    packets: int
    reach: Reach
    finding: Finding | None


def fuzz(
    generator: Generator,
    starts: Sequence[Start],
    packets: int,
    first_seed: int,
    progressed: Callable[[int], object] = lambda packets: None,
) -> Result:
    """Run scenarios of `generator`, the first from `first_seed`, by all of `starts` until `packets` were run.

    `progressed` is told after each scenario how many packets it had.
    """
    program = generator.program
    reach = Reach(program)
    done = 0
    for seed in count(first_seed):
        scenario = generator.scenario(seed)
        difference = _safe_difference(program, starts, scenario)
        if (seed - first_seed) % _TRACED == 0:
            reach.run(scenario)
        done += frames_of(scenario)
        progressed(frames_of(scenario))
        if difference or done >= packets:
            finding = difference and _finding(program, starts, scenario, difference)
            return Result(seed - first_seed + 1, done, reach, finding)
    raise AssertionError("count() does not end")


def _finding(program: ir.Program, starts: Sequence[Start], scenario: Scenario, found: Difference) -> Finding:
    def fails(smaller: Scenario) -> bool:
        difference = _safe_difference(program, starts, smaller)
        return difference is not None and difference.what == found.what

    smallest = minimise(scenario, fails)
    return Finding(scenario, smallest, _safe_difference(program, starts, smallest) or found)


def _safe_difference(program: ir.Program, starts: Sequence[Start], scenario: Scenario) -> Difference | None:
    try:
        return isolated(partial(first_difference, program, scenario, starts))
    except Died as death:
        return Difference("end of the process", "one of the executors", None, "none", str(death))
