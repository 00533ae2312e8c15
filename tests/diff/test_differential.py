# SPDX-License-Identifier: Apache-2.0
"""The native engine does what the reference executor does, packets one by one and in vectors: a short search, and all
that longer ones have found."""

from __future__ import annotations

import shutil
from itertools import takewhile
from pathlib import Path

import pytest

from softnic.frontend import load_program
from softnic.native.compiler import Build
from softnic.native.source import source_of

from .base import bases
from .compare import first_difference
from .executors import native, native_vectors, reference
from .generate import Generator
from .irwalk import predictable
from .programs import ours
from .scenario import Burst, Scenario, load

PROGRAMS = {path.stem: path for path in ours()}
REGRESSIONS = sorted((Path(__file__).parent / "regressions").glob("*.yaml"))
SEEDS = range(8)
CUT_FRAMES = 10
QUICK = Build(optimization=1)
"""Here compiling takes most of the time; `make diff` has programs as they serve."""

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the native engine needs a C compiler, cc")


def check(name: str, *scenarios: Scenario) -> None:
    program = predictable(load_program(PROGRAMS[name]))
    source = source_of(program)
    starts = reference, native(source, QUICK), native_vectors(source, QUICK)
    for scenario in scenarios:
        difference = first_difference(program, scenario, starts)
        assert difference is None, f"{name}, {scenario.origin}: {difference}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_random_scenarios_end_alike_on_both_engines(name: str) -> None:
    program = predictable(load_program(PROGRAMS[name]))
    generator = Generator(program, bases=bases(PROGRAMS[name], program))
    check(name, *map(generator.scenario, SEEDS))


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_prefix_of_a_packet_ends_alike_on_both_engines(name: str) -> None:
    program = predictable(load_program(PROGRAMS[name]))
    check(name, cut_everywhere(Generator(program, bases=bases(PROGRAMS[name], program)).scenario(0)))


def cut_everywhere(scenario: Scenario) -> Scenario:
    """The state that `scenario` begins with, then all prefixes of its first frames."""
    state = tuple(takewhile(lambda step: not isinstance(step, Burst), scenario.steps))
    frames = [frame for step in scenario.steps if isinstance(step, Burst) for frame in step.frames][:CUT_FRAMES]
    prefixes = tuple((port, data[:length]) for port, data in frames for length in range(len(data)))
    return Scenario(f"prefixes of {scenario.origin}", (*state, Burst(prefixes)))


@pytest.mark.parametrize("path", REGRESSIONS, ids=lambda path: path.stem)
def test_what_once_differed_does_not_any_more(path: Path) -> None:
    check(*load(path))
