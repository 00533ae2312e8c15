# SPDX-License-Identifier: Apache-2.0
"""``make safety``: every program of this repository, and some that are not, under sanitizers for a given time.

Each search is a process of its own, which a sanitizer ends where it finds something; what it was given last is in its
journal, from which the reproducer is made.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from diff.irwalk import predictable
from diff.programs import ours
from diff.scenario import save
from softnic.frontend import load_program

from .coverage import build_map, instrumented
from .packets import replayed, source_of
from .sanitizer import SANITIZED, SanitizerError, missing, run_python

FOUND = Path(__file__).parent / "found"
_PARALLEL = 2
_EXIT_ABSENT = 77
_REST_S = 240
"""For what a search does besides mutants: compiling, scenarios, prefixes."""


@dataclass(frozen=True, slots=True)
class Search:
    """One process: what is searched, how, and what to do with its journal if it found something."""

    name: str
    run: Callable[[Path], str]
    keep: Callable[[Path], Path]


def main(
    seconds: Annotated[float, typer.Option(min=1, help="to mutate for, in all")] = 60,
    seed: Annotated[int | None, typer.Option(help="drawn if it is not given")] = None,
) -> None:
    """Look for what must not happen. Exit status 1: something did; 77: there is no sanitizer to see it."""
    if reason := missing():
        print(reason)
        raise typer.Exit(_EXIT_ABSENT)
    seed = random.randrange(1 << 32) if seed is None else seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_PARALLEL) as pool:
        coverage_map = build_map(Path(scratch))
        searches = _searches(seed, seconds, coverage_map)
        failed = sum(pool.map(lambda search: _failed(search, Path(scratch) / search.name), searches))
    print(f"{len(searches) - failed} passed, {failed} failed")
    raise typer.Exit(failed > 0)


def _searches(seed: int, seconds: float, coverage_map: Path) -> list[Search]:
    """One for each program, and one for programs, which takes a third of the time."""
    instrumented().runtime(SANITIZED)
    paths = ours()
    share = seconds * 2 / 3 / len(paths)
    return [
        _of_programs(seed, seconds / 3, coverage_map),
        *(_of_packets(path, seed, share, coverage_map) for path in paths),
    ]


def _of_packets(path: Path, seed: int, seconds: float, coverage_map: Path) -> Search:
    def run(journal: Path) -> str:
        program = predictable(load_program(path))
        source_of(program).compiled(SANITIZED)
        options = "--seed", seed, "--seconds", seconds
        return run_python(
            "-m", "safety.packets", path, journal, *options, timeout_s=seconds + _REST_S, preload=[coverage_map]
        )

    def keep(journal: Path) -> Path:
        kept = FOUND / f"{path.stem}-safety-{seed}.yaml"
        save(kept, path.stem, replayed(path, seed, journal))
        return kept

    return Search(path.stem, run, keep)


def _of_programs(seed: int, seconds: float, coverage_map: Path) -> Search:
    def run(journal: Path) -> str:
        options = "--seed", seed, "--seconds", seconds
        return run_python(
            "-m", "safety.programs", journal, *options, timeout_s=seconds + _REST_S, preload=[coverage_map]
        )

    def keep(journal: Path) -> Path:
        kept = FOUND / f"program-safety-{seed}.json"
        shutil.copyfile(journal, kept)
        return kept

    return Search("programs", run, keep)


def _failed(search: Search, journal: Path) -> bool:
    try:
        said = search.run(journal)
    except SanitizerError as error:
        FOUND.mkdir(exist_ok=True)
        print(f"{search.name}: {error}\nto be found again with {search.keep(journal)}", flush=True)
        return True
    print(f"{search.name}: {said.strip()}", flush=True)
    return False


if __name__ == "__main__":
    typer.run(main)
