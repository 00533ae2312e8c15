# SPDX-License-Identifier: Apache-2.0
"""How long the C compiler takes for the program."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from softnic.inputs import read_program
from softnic.native import Build
from softnic.native.cache import ObjectCache
from softnic.native.source import source_of

from ..from_memory import Say
from ..result import Result
from .rig import PROGRAM

GOAL_S = 10.0
LEVELS = (1, 3)


def measure(say: Say) -> Iterator[Result]:
    """From C to machine code, at the level of a first start and at that of one in service."""
    say("gateway: compiling")
    source = source_of(read_program(PROGRAM))
    for level in LEVELS:
        with TemporaryDirectory(prefix="headgate-bench-") as folder:
            fresh = replace(source, compiler=replace(source.compiler, objects=ObjectCache(Path(folder))))
            began_s, began_cpu_s = time.perf_counter(), _compilers_s()
            fresh.compiled(Build(optimization=level))
            wall_s, cpu_s = time.perf_counter() - began_s, _compilers_s() - began_cpu_s
        note = f"processor time; {wall_s:.1f} s on the clock, {source.text.count(chr(10)):,} lines of C"
        yield Result(f"gateway compiled, -O{level}", cpu_s, "s", GOAL_S, False, note)


def _compilers_s() -> float:
    """Processor time of the processes that this one has started and seen end."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
