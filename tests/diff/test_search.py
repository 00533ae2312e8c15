# SPDX-License-Identifier: Apache-2.0
"""The search finds what is wrong, makes it small, and comes everywhere."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from softnic import ir
from softnic.engine import ActionCall, Exact, Output, TableEntry
from softnic.frontend import load_program
from softnic.reference import ReferenceEngine

from .executors import Clock, Executor, Start, reference
from .fuzz import fuzz
from .generate import Generator
from .irwalk import predictable, walk
from .isolation import Died, isolated
from .minimise import minimise, shrink
from .programs import ROOT, ours
from .reach import Reach
from .scenario import Burst, Scenario, Step, Wait, Write, load, save

COMPILED = ROOT / "tests/p4/compiled"
LEARNING = {"gateway", "nic", "p4runtime"}
"""Programs with more ways than a few scenarios find."""


def program_of(name: str) -> ir.Program:
    return predictable(load_program(COMPILED / f"{name}.json"))


class Broken(ReferenceEngine):
    """Gets packets wrong that an entry sends to port 3."""

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        return [Output(o.port, o.data[:-1] if o.port == 3 else o.data) for o in super().process(port, data)]


class Dying(ReferenceEngine):
    """Does not survive packets from port 5."""

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        if port == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().process(port, data)


def executor_with(kind: type[ReferenceEngine]) -> Start:
    def start(program: ir.Program) -> Executor:
        clock = Clock()
        engine = kind(program, clock_ns=clock)
        return Executor(
            "suspect", engine, clock, lambda frames: [out for each in frames for out in engine.process(*each)]
        )

    return start


def test_a_wrong_executor_is_found_and_the_scenario_made_small() -> None:
    result = fuzz(Generator(program_of("router")), (reference, executor_with(Broken)), packets=20_000, first_seed=1)
    assert result.finding
    assert result.finding.difference.what == "outputs"
    *writes, burst = result.finding.smallest.steps
    assert {write.method for write in writes if isinstance(write, Write)} <= {"insert", "modify", "set_default"}
    assert len(writes) <= 3 < len(result.finding.found.steps)
    assert isinstance(burst, Burst)
    assert len(burst.frames) == 1


def test_an_executor_that_crashes_is_found_and_does_not_end_the_search() -> None:
    result = fuzz(Generator(program_of("externs")), (reference, executor_with(Dying)), packets=20_000, first_seed=1)
    assert result.finding
    assert "SIGKILL" in result.finding.difference.got
    [burst] = result.finding.smallest.steps
    assert burst == Burst(((5, b""),))


def test_executors_that_agree_have_no_finding() -> None:
    result = fuzz(Generator(program_of("externs")), (reference, reference), packets=300, first_seed=1)
    assert result.finding is None
    assert result.packets >= 300


def test_a_seed_gives_the_same_scenario_each_time() -> None:
    assert Generator(program_of("matching")).scenario(3) == Generator(program_of("matching")).scenario(3)


@pytest.mark.parametrize("name", [path.stem for path in ours() if path.stem not in LEARNING])
def test_scenarios_come_to_every_parser_state_and_both_sides_of_most_tables_and_branches(name: str) -> None:
    program = program_of(name)
    generator, reach = Generator(program), Reach(program)
    for seed in range(20):
        reach.run(generator.scenario(seed))
    assert not [point for point in reach.missed if point[0] == "state"]
    assert len(reach.reached) >= 0.9 * len(reach.all), reach.missed


def test_a_scenario_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    scenario = Generator(program_of("balancing")).scenario(5)
    save(tmp_path / "file.yaml", "balancing", scenario)
    assert load(tmp_path / "file.yaml") == ("balancing", scenario)


def test_a_file_with_a_value_that_no_engine_takes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text("{program: x, origin: y, steps: [{insert: [{Exakt: {value: 1}}]}]}")
    with pytest.raises(ValueError, match="Exakt"):
        load(tmp_path / "file.yaml")


def test_shrinking_leaves_only_what_is_needed() -> None:
    assert shrink(range(100), lambda items: {3, 50, 99} <= set(items)) == [3, 50, 99]


def test_shrinking_may_leave_nothing() -> None:
    assert shrink(range(10), lambda items: True) == []


def test_minimising_keeps_the_bytes_that_matter_and_clears_the_others() -> None:
    entry = Write("insert", ("table", TableEntry((Exact(1),), ActionCall("drop"))))
    frames = tuple((4, bytes([number, 7, 7, 7, 7])) for number in range(20))
    steps: tuple[Step, ...] = (Wait(5), entry, Burst(frames), Wait(7), Burst(frames[:3]))

    def fails(scenario: Scenario) -> bool:
        sent = [data for step in scenario.steps if isinstance(step, Burst) for _, data in step.frames]
        return entry in scenario.steps and any(data[:1] == b"\x11" and data[2:3] == b"\7" for data in sent)

    smallest = minimise(Scenario("seed 1", steps), fails)
    assert smallest.steps == (entry, Burst(((0, b"\x11\0\7"),)))


def test_a_function_that_crashes_is_told_by_its_signal() -> None:
    with pytest.raises(Died, match="SIGKILL"):
        isolated(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_a_function_that_raises_is_told_by_its_exception() -> None:
    with pytest.raises(Died, match="ZeroDivisionError: division by zero"):
        isolated(lambda: 1 / 0)


def test_an_isolated_function_returns_its_result() -> None:
    assert isolated(lambda: [1, "two"]) == [1, "two"]


def test_no_random_number_is_left_in_a_predictable_program() -> None:
    assert not [node for node in walk(program_of("externs")) if isinstance(node, ir.Random)]
