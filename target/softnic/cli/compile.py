# SPDX-License-Identifier: Apache-2.0
"""``softnic compile``: what a program becomes, step by step, and how long that takes."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..engines import native_or_input_error
from ..inputs import read_program
from ..ir.dump import dump
from ..native import Build
from ..native.emit.program import emit
from ..native.source import source_of
from .console import bad_input_exits, print_counts, stdout
from .options import AsJson

INSTEAD = "softnic run takes the reference executor then"


class Step(StrEnum):
    IR = "ir"
    C = "c"


@dataclass(frozen=True, slots=True)
class Compilation:
    """What the steps took and left. `was_cached`: nothing had to be compiled."""

    object: str
    was_cached: bool
    load_seconds: float
    emit_seconds: float
    compile_seconds: float
    c_lines: int
    object_bytes: int


def compile_command(
    program: Annotated[Path, typer.Argument(metavar="PROGRAM.json", help="what p4c-bm2-ss wrote")],
    dump_step: Annotated[Step | None, typer.Option("--dump", help="print the IR or the C, and compile nothing")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="where to write the object, or the dump")
    ] = None,
    optimization: Annotated[int, typer.Option("-O", min=0, max=3, help="the C compiler's level")] = 3,
    as_json: AsJson = False,
) -> None:
    """Compile a program for the native engine, ahead of its first run.

    \b
    softnic compile nic.json
    softnic compile nic.json --dump c -o nic.c
    softnic compile nic.json -O 1 --json
    """
    with bad_input_exits():
        if dump_step:
            write_text(output, dumped(program, dump_step))
            return
        compilation = compile_program(program, Build(optimization=optimization))
        if output:
            shutil.copy(compilation.object, output)
    if as_json:
        typer.echo(json.dumps(asdict(compilation), indent=2))
    else:
        print_compilation(program, compilation)


def dumped(path: Path, step: Step) -> str:
    """Raises: InputError, OSError."""
    program = read_program(path)
    if step is Step.IR:
        return dump(program)
    with native_or_input_error(INSTEAD):
        return emit(program, program.json_sha256)


def compile_program(path: Path, build: Build) -> Compilation:
    """Raises: InputError, OSError."""
    start = time.perf_counter()
    program = read_program(path)
    loaded = time.perf_counter()
    with native_or_input_error(INSTEAD):
        source = source_of(program)
        was_cached = source.is_compiled(build)
        emitted = time.perf_counter()
        made = source.compiled(build)
    return Compilation(
        object=str(made),
        was_cached=was_cached,
        load_seconds=round(loaded - start, 3),
        emit_seconds=round(emitted - loaded, 3),
        compile_seconds=round(time.perf_counter() - emitted, 3),
        c_lines=source.text.count("\n"),
        object_bytes=made.stat().st_size,
    )


def print_compilation(program: Path, compilation: Compilation) -> None:
    rows = [
        ("program read", f"{compilation.load_seconds:.2f} s"),
        ("C printed", f"{compilation.emit_seconds:.2f} s, {compilation.c_lines:,} lines"),
        ("C compiled", "before" if compilation.was_cached else f"{compilation.compile_seconds:.2f} s"),
        ("machine code", f"{compilation.object_bytes / 1e6:.2f} MB"),
    ]
    print_counts(program.name, ["step", "result"], rows)
    stdout.print(compilation.object, markup=False)


def write_text(output: Path | None, text: str) -> None:
    if output:
        output.write_text(text)
    else:
        typer.echo(text, nl=False)
