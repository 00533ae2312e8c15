# SPDX-License-Identifier: Apache-2.0
"""Folders of P4 programs, each with its ``.stf`` beside it, all run and judged against what is known to differ."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from softnic.engines import EngineFactory
from softnic.frontend import ProgramError, load_program
from softnic.inputs import InputError

from .compiler import CompileError, Compiler, includes, is_p4_14, source_files
from .errors import StfError
from .parser import parse_stf
from .runner import run_test


class Verdict(StrEnum):
    PASSED = "passed"
    EXPECTED = "expected"
    """Failed, as it is known to."""
    FAILED = "failed"
    """Also a test that is known to fail and passed: it has to leave the list."""


@dataclass(frozen=True, slots=True)
class Case:
    """`name` is the last folder and the program's stem: ``p4_16_samples/issue1000-bmv2``."""

    name: str
    source: Path
    test: Path


@dataclass(frozen=True, slots=True)
class Judged:
    """`reason` says why a test failed, or why it is expected to; empty if it passed."""

    name: str
    verdict: Verdict
    reason: str = ""


def find_cases(folder: Path) -> list[Case]:
    """The v1model programs of `folder` (not of folders within) that have a test, by name.

    With an ``empty.stf`` in the folder, it is the test of those that have none of their own and should at least load:
    for p4c, all of P4_14, and the P4_16 whose name ends in ``-bmv2``. What another program includes is none itself.

    Raises: InputError (no such folder), OSError.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    sources = sorted(folder.glob("*.p4"))
    included = {each for source in sources for each in source_files(source) if each != source}
    cases = []
    for source in sources:
        test = source.with_suffix(".stf")
        if not test.exists() and (is_p4_14(source) or source.stem.endswith("-bmv2")):
            test = folder / "empty.stf"
        if test.exists() and source not in included and is_v1model(source):
            cases.append(Case(f"{folder.resolve().name}/{source.stem}", source, test))
    return cases


def is_v1model(source: Path) -> bool:
    """P4_14 always is; P4_16 if it includes the architecture's file, itself or through a file of its own."""
    return is_p4_14(source) or any("v1model.p4" in includes(path) for path in source_files(source))


def read_known(path: Path) -> dict[str, str]:
    """Tests that are known to fail, with the reason: TOML, ``"folder/test" = "reason"``.

    Raises: InputError, OSError.
    """
    try:
        known = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not TOML: {error}") from error
    for name, reason in known.items():
        if not isinstance(reason, str) or not reason:
            raise InputError(f'{path}: {name} needs a reason: "{name}" = "why it fails"')
    return known


def run_corpus(
    cases: Sequence[Case],
    compiler: Compiler,
    make_engine: EngineFactory,
    *,
    known: Mapping[str, str],
    jobs: int,
    on_judged: Callable[[Judged], None],
) -> list[Judged]:
    """Run all cases, `jobs` at a time; `on_judged` is told each verdict, in the order of `cases`. Raises: OSError."""

    def judge_one(case: Case) -> Judged:
        return judge(case.name, failure(case, compiler, make_engine), known)

    judged = []
    with ThreadPoolExecutor(jobs) as pool:
        for each in pool.map(judge_one, cases):
            on_judged(each)
            judged.append(each)
    return [*judged, *_not_there(cases, known)]


def judge(name: str, failed_because: str | None, known: Mapping[str, str]) -> Judged:
    """`failed_because` None: it passed."""
    if failed_because is None:
        if name in known:
            return Judged(name, Verdict.FAILED, f"passed, but is listed as known to fail: {known[name]}")
        return Judged(name, Verdict.PASSED)
    if name in known:
        return Judged(name, Verdict.EXPECTED, known[name])
    return Judged(name, Verdict.FAILED, failed_because)


def failure(case: Case, compiler: Compiler, make_engine: EngineFactory) -> str | None:
    """Why a test fails or can't be run; None: it passes. Raises: OSError."""
    try:
        statements = parse_stf(case.test.read_text())
        program = load_program(compiler.compile(case.source))
        result = run_test(program, make_engine(program), statements)
    except (CompileError, InputError, ProgramError, StfError) as error:
        return str(error)
    difference = result.difference
    return f"line {difference.line}: {difference.message}" if difference else None


def _not_there(cases: Iterable[Case], known: Mapping[str, str]) -> Iterator[Judged]:
    """What is listed for a folder that was run, and is not in it."""
    names = {case.name for case in cases}
    folders = {name.partition("/")[0] for name in names}
    for name in known:
        if name not in names and name.partition("/")[0] in folders:
            yield Judged(name, Verdict.FAILED, "is listed as known to fail, but is not in its folder")
