# SPDX-License-Identifier: Apache-2.0
"""``python -m safety.packets``: one program under sanitizers, fed all that may come in by a wire.

What the differential test once found, scenarios as it makes them, every prefix of their frames and of those that packet
tests send, and for a given time frames mutated from those that led somewhere new. Whatever comes, the reference
executor has to agree.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

import diff
from diff.base import bases
from diff.compare import first_difference
from diff.executors import reference
from diff.generate import Generator
from diff.irwalk import predictable
from diff.scenario import Burst, Frame, Scenario, load
from softnic import ir
from softnic.frontend import load_program
from softnic.native.emit.program import emit
from softnic.native.source import ProgramSource

from .corpus import frames_for
from .coverage import instrumented, newness
from .frames import exact_frames
from .mutations import mutated
from .sanitizer import SANITIZED

REGRESSIONS = sorted((Path(diff.__file__).parent / "regressions").glob("*.yaml"))

_SCENARIOS = 4
_VECTOR = 32
_POOL = 64


class Difference(Exception):
    """The executors do not agree."""


class Hunt:
    """Engines in one state, and a journal of the frames they were given since, written before they run."""

    def __init__(self, program: ir.Program, scenario: Scenario, corpus: Sequence[Frame], journal: TextIO) -> None:
        self._starts = reference, exact_frames(source_of(program), SANITIZED)
        self._program = program
        self._journal = journal
        self._executors = [start(program) for start in self._starts]
        for step in scenario.steps:
            for executor in self._executors:
                executor.do(step)
        frames = dict.fromkeys(frame for step in scenario.steps if isinstance(step, Burst) for frame in step.frames)
        self.pool = [*corpus, *list(frames)[:_POOL]]

    def scenarios(self, scenarios: Iterable[Scenario]) -> None:
        """Run whole scenarios, each on fresh engines. Raises: Difference."""
        for scenario in scenarios:
            if found := first_difference(self._program, scenario, self._starts):
                raise Difference(f"scenario {scenario.origin}: {found}")

    def prefixes(self) -> int:
        """Run every prefix of every frame; yields how many there were. Raises: Difference."""
        prefixes = [(port, data[:length]) for port, data in self.pool for length in range(len(data) + 1)]
        for start in range(0, len(prefixes), _VECTOR):
            self._run(prefixes[start : start + _VECTOR])
        return len(prefixes)

    def mutants(self, rng: random.Random, seconds: float) -> tuple[int, int]:
        """Run frames made from those that led somewhere new; yields how many, and how many did. Raises: Difference."""
        is_new, done, known = newness(), 0, len(self.pool)
        is_new()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            frame = mutated(self.pool, rng)
            self._run([frame])
            if is_new():
                self.pool.append(frame)
            done += 1
        return done, len(self.pool) - known

    def _run(self, frames: Sequence[Frame]) -> None:
        self._journal.write(" ".join(f"{port}:{data.hex()}" for port, data in frames) + "\n")
        self._journal.flush()
        wanted, got = (executor.do(Burst(tuple(frames))) for executor in self._executors)
        if wanted != got:
            raise Difference(f"{frames}\n  reference: {wanted}\n  native: {got}")


def source_of(program: ir.Program) -> ProgramSource:
    """`program` in C, to be compiled with what tells where it runs."""
    return ProgramSource(program, emit(program, program.json_sha256), instrumented())


def generator(path: Path, program: ir.Program) -> Generator:
    """Of scenarios for `program`, which was read from `path`."""
    return Generator(program, bases=bases(path, program))


def replayed(path: Path, seed: int, journal: Path) -> Scenario:
    """The scenario of a hunt in the program at `path` that ended badly: its state, then the frames of its journal."""
    state = generator(path, predictable(load_program(path))).scenario(seed)
    return Scenario(f"safety, seed {seed}", (*state.steps, *_bursts(journal)))


def _bursts(journal: Path) -> Iterator[Burst]:
    for line in journal.read_text().splitlines():
        frames = (item.partition(":") for item in line.split())
        yield Burst(tuple((int(port), bytes.fromhex(data)) for port, _, data in frames))


def main(
    program: Path,
    journal: Path,
    seed: Annotated[int, typer.Option()],
    seconds: Annotated[float, typer.Option(help="for mutated frames")],
) -> None:
    """Feed PROGRAM. Exit status 1 where executors differ; what a sanitizer finds ends the process."""
    loaded = predictable(load_program(program))
    scenario_of = generator(program, loaded).scenario
    with journal.open("w") as stream:
        hunt = Hunt(loaded, scenario_of(seed), frames_for(program.stem), stream)
        hunt.scenarios(scenario for name, scenario in map(load, REGRESSIONS) if name == program.stem)
        hunt.scenarios(map(scenario_of, range(seed, seed + _SCENARIOS)))
        prefixes = hunt.prefixes()
        mutants, leading = hunt.mutants(random.Random(seed), seconds)
    print(f"{prefixes} prefixes, {mutants} mutated frames, {leading} of them led somewhere new")


if __name__ == "__main__":
    typer.run(main)
