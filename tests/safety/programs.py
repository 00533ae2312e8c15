# SPDX-License-Identifier: Apache-2.0
"""``python -m safety.programs``: programs that nobody would write, under sanitizers.

Each is refused by the loader or the emitter with a reason, or compiles, and then does what the reference executor does.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from diff.compare import first_difference
from diff.executors import reference
from diff.generate import Generator
from diff.irwalk import predictable
from diff.programs import ours
from softnic.frontend import ProgramError, load_program
from softnic.native import Build, Compiler, UnsupportedError
from softnic.native.cache import ObjectCache
from softnic.native.emit.program import emit
from softnic.native.source import ProgramSource

from .coverage import instrumented
from .documents import Mutator
from .frames import exact_frames
from .sanitizer import SANITIZED, spare_children

_QUICK = replace(SANITIZED, optimization=0)

_SEED_OF_PACKETS = 1


class Mismatch(Exception):
    """The executors do not agree on a program."""


def outcome(document: bytes, compiler: Compiler, build: Build) -> str:
    """What became of a program: refused, unsupported or equal. Raises: Mismatch; CompilerError."""
    try:
        program = predictable(load_program(document))
        text = emit(program, "")
    except ProgramError:
        return "refused"
    except UnsupportedError:
        return "unsupported"
    source = ProgramSource(program, text, compiler)
    scenario = Generator(program).scenario(_SEED_OF_PACKETS)
    if found := first_difference(program, scenario, [reference, exact_frames(source, build)]):
        raise Mismatch(str(found))
    return "equal"


def passing_compiler(folder: Path) -> Compiler:
    """One that keeps programs in `folder`, which nobody will want again, and has the runtime there already."""
    compiler = instrumented()
    runtime = compiler.runtime(_QUICK)
    (folder / runtime.name).symlink_to(runtime)
    return replace(compiler, objects=ObjectCache(folder))


def main(
    journal: Path,
    seed: Annotated[int, typer.Option()],
    seconds: Annotated[float, typer.Option()],
) -> None:
    """Make programs and try them; JOURNAL is the one that is being tried."""
    spare_children()
    rng, outcomes = random.Random(seed), Counter[str]()
    mutators = [Mutator(json.loads(path.read_text()), rng) for path in ours()]
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        compiler = passing_compiler(Path(folder))
        while time.monotonic() < end:
            document = rng.choice(mutators).mutant()
            journal.write_bytes(document)
            outcomes[outcome(document, compiler, _QUICK)] += 1
    print(", ".join(f"{count} {what}" for what, count in outcomes.most_common()))


if __name__ == "__main__":
    typer.run(main)
