# SPDX-License-Identifier: Apache-2.0
"""``softnic stf``: packet tests in the format of p4c, one at a time or by the folder."""

from __future__ import annotations

import json
import os
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress

from ..engines import EngineFactory, EngineName, engine_factory
from ..inputs import InputError, parse_program, read_program
from ..stf import Difference, Result, StfError, parse_stf, run_test
from ..stf.compiler import CompileError, Compiler, default_cache
from ..stf.corpus import Judged, Verdict, find_cases, read_known, run_corpus
from ..stf.report import render_difference
from .console import bad_input_exits, print_counts, stdout
from .options import AsJson, Executor

FAILED = 1


def stf_command(
    program: Annotated[
        Path | None, typer.Argument(metavar="PROGRAM", help="what p4c-bm2-ss wrote, or a .p4 for it to compile")
    ] = None,
    test: Annotated[Path | None, typer.Argument(metavar="TEST.stf", help="the test")] = None,
    folder: Annotated[
        list[Path],
        typer.Option(metavar="DIR", help="instead: every v1model program in here that has an .stf beside it"),
    ] = [],  # noqa: B006 - typer copies it
    engine: Executor = EngineName.REFERENCE,
    known: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help='tests of folders that are known to fail: TOML, "folder/test" = "reason"'),
    ] = None,
    p4c: Annotated[str, typer.Option(metavar="COMMAND", help="the compiler, with its options")] = "p4c-bm2-ss",
    jobs: Annotated[int, typer.Option(min=1, help="how many tests of folders at a time")] = os.cpu_count() or 1,
    as_json: AsJson = False,
) -> None:
    """Run packet tests: fill tables, send packets, compare what comes out.

    The exit status is 0 if all passed or failed as they are known to, 1 if one failed (the first difference is shown),
    2 if a test could not be run. In a folder, a test that can't be run is one that failed; so is one that passes
    although it is listed as known to fail.

    \b
    softnic stf router.json router.stf
    softnic stf router.p4 router.stf --engine native
    softnic stf --folder p4c/testdata/p4_16_samples --folder p4c/testdata/p4_14_samples --known known.toml
    softnic stf --folder p4c/testdata/p4_16_samples/parser-inline --p4c 'p4c-bm2-ss --parser-inline-opt'
    """
    with bad_input_exits():
        make_engine = engine_factory(engine)
        match program, test:
            case Path(), Path() if not folder:
                passed = one_test(program, test, make_engine, p4c, as_json)
            case None, None if folder:
                passed = folders(folder, make_engine, p4c, read_known(known) if known else {}, jobs, as_json)
            case _:
                raise InputError("name PROGRAM and TEST.stf, or folders with --folder")
    if not passed:
        raise typer.Exit(FAILED)


def one_test(program: Path, test: Path, make_engine: EngineFactory, p4c: str, as_json: bool) -> bool:
    """Run one test and print how it went; whether it passed. Raises: InputError, OSError."""
    if program.suffix == ".p4":
        try:
            runnable = parse_program(Compiler(shlex.split(p4c), default_cache()).compile(program), str(program))
        except CompileError as error:
            raise InputError(str(error)) from error
    else:
        runnable = read_program(program)
    try:
        result = run_test(runnable, make_engine(runnable), parse_stf(test.read_text()))
    except StfError as error:
        raise InputError(f"{test}:{error.line}: {error.reason}") from error
    if as_json:
        typer.echo(json.dumps(result_as_json(test, result), indent=2))
    else:
        print_result(test, result)
    return result.passed


def result_as_json(test: Path, result: Result) -> dict[str, object]:
    return {
        "test": str(test),
        "passed": result.passed,
        "difference": difference_as_json(result.difference) if result.difference else None,
        "notes": result.notes,
        "unseen": result.unseen,
    }


def difference_as_json(difference: Difference) -> dict[str, object]:
    got = None if difference.got is None else difference.got.hex()
    return {"line": difference.line, "message": difference.message, "expected": difference.expected, "got": got}


def print_result(test: Path, result: Result) -> None:
    for note in result.notes:
        typer.echo(note)
    for port, count in sorted(result.unseen.items()):
        typer.echo(f"not compared: {count} packets left by port {port}, which the test does not name")
    if result.difference:
        typer.echo(f"failed: {test}:{result.difference.line}: {result.difference.message}")
        for row in render_difference(result.difference):
            typer.echo(row)
    else:
        typer.echo(f"passed: {test}")


def folders(
    paths: Sequence[Path], make_engine: EngineFactory, p4c: str, known: dict[str, str], jobs: int, as_json: bool
) -> bool:
    """Run all tests of all folders and print how they went; whether none failed. Raises: InputError, OSError."""
    cases = [case for path in paths for case in find_cases(path)]
    if not cases:
        raise InputError(f"no v1model program with an .stf beside it in {', '.join(map(str, paths))}")
    compiler = Compiler(shlex.split(p4c), default_cache())
    with Progress(*Progress.get_default_columns(), MofNCompleteColumn(), console=Console(stderr=True)) as progress:
        task = progress.add_task("tests", total=len(cases))
        judged = run_corpus(
            cases, compiler, make_engine, known=known, jobs=jobs, on_judged=lambda _: progress.advance(task)
        )
    counts = Counter(each.verdict for each in judged)
    if as_json:
        typer.echo(json.dumps({verdict: counts[verdict] for verdict in Verdict} | {"tests": list(map(asdict, judged))}))
    else:
        print_judged(judged)
    return not counts[Verdict.FAILED]


def print_judged(judged: Sequence[Judged]) -> None:
    """Counts by folder; then each test that did not pass, with its reason; then all in one line."""
    by_folder = Counter((each.name.partition("/")[0], each.verdict) for each in judged)
    names = dict.fromkeys(folder for folder, _ in by_folder)
    print_counts(
        "tests", ["folder", *Verdict], [(name, *(by_folder[name, each] for each in Verdict)) for name in names]
    )
    for each in judged:
        if each.verdict is not Verdict.PASSED:
            stdout.print(f"{each.verdict}: {each.name}: {each.reason}", markup=False)
    counts = Counter(each.verdict for each in judged)
    stdout.print(", ".join(f"{verdict} {counts[verdict]}" for verdict in Verdict))
