# SPDX-License-Identifier: Apache-2.0
"""``make diff``: random scenarios by the reference executor and the native engine, one by one and in vectors."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from softnic.frontend import ProgramError, load_program
from softnic.native import CompilerError, UnsupportedError
from softnic.native.source import source_of

from .base import bases
from .executors import native, native_vectors, reference
from .fuzz import Finding, Result, fuzz
from .generate import Generator
from .irwalk import predictable
from .programs import of_folder, ours
from .reach import KINDS
from .scenario import save

FOUND = Path(__file__).parent / "found"
"""What is found; moved to ``regressions`` when it is fixed, it is run by ``make test`` for good."""


def main(
    packets: Annotated[int, typer.Option("--packets", "-n", min=1, help="in all, shared by the programs")] = 100_000,
    program: Annotated[str, typer.Option(metavar="WORD", help="only programs with WORD in their name")] = "",
    seed: Annotated[int | None, typer.Option(help="of the first scenario; drawn if it is not given")] = None,
    folder: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="of .json or .p4 files, instead of ours")
    ] = None,
    missed: Annotated[bool, typer.Option("--missed", help="list what no packet has reached")] = False,
) -> None:
    """Look for a packet that two executors treat differently. Exit status 1: one was found."""
    out, seed = Console(highlight=False, width=140), random.randrange(1 << 32) if seed is None else seed
    with tempfile.TemporaryDirectory() as scratch:
        paths = of_folder(folder, Path(scratch)) if folder else ours()
        chosen = [path for path in paths if program in path.stem]
        if not chosen:
            out.print(f"no program has {program!r} in its name")
            raise typer.Exit(2)
        out.print(f"seed {seed}; {len(chosen)} programs")
        results = _fuzz_all(chosen, packets, seed, out)
    out.print(_table(results))
    if missed:
        for name, result in results:
            out.print("\n".join(f"{name}: {kind} {what}" for kind, what in result.reach.missed), markup=False)
    raise typer.Exit(any(result.finding for _, result in results))


def _fuzz_all(paths: Sequence[Path], packets: int, seed: int, out: Console) -> list[tuple[str, Result]]:
    results: list[tuple[str, Result]] = []
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    each = -(-packets // len(paths))
    with Progress(*columns, console=out, transient=True, disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("", total=each * len(paths))
        for number, path in enumerate(paths):
            progress.update(task, description=path.stem, completed=each * number)
            try:
                program = predictable(load_program(path))
                source = source_of(program)
                starts = reference, native(source), native_vectors(source)
                result = fuzz(
                    Generator(program, bases=bases(path, program)),
                    starts,
                    each,
                    seed,
                    lambda done: progress.advance(task, done),
                )
            except (ProgramError, CompilerError, UnsupportedError) as error:
                out.print(f"{path.stem} is left out: {error}", markup=False)
                continue
            results.append((path.stem, result))
            if result.finding:
                _report(path, result.finding, out)
    return results


def _report(path: Path, finding: Finding, out: Console) -> None:
    FOUND.mkdir(exist_ok=True)
    reproducer = FOUND / f"{path.stem}-{finding.found.origin.removeprefix('seed ')}.yaml"
    save(reproducer, path.stem, finding.smallest)
    out.print(f"\n{path.stem}, {finding.found.origin}: {finding.difference}\nminimised: {reproducer}", markup=False)
    for number, step in enumerate(finding.smallest.steps):
        out.print(f"  {number}: {step}", markup=False)


def _table(results: Sequence[tuple[str, Result]]) -> Table:
    table = Table("program", "scenarios", "packets", *KINDS, "difference", box=None)
    for name, result in results:
        found = result.finding.difference.what if result.finding else "none"
        shares = [result.reach.share(kind) for kind in KINDS]
        table.add_row(name, str(result.scenarios), str(result.packets), *shares, found)
    return table


if __name__ == "__main__":
    typer.run(main)
