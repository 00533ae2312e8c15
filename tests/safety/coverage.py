# SPDX-License-Identifier: Apache-2.0
"""Which ways packets take through compiled code, by ``coverage.c``, which has to be loaded before that code."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from softnic.native import Compiler, find_compiler

_SOURCE = Path(__file__).with_suffix(".c")


def instrumented() -> Compiler:
    """The system's compiler, whose objects tell where they run. Raises: CompilerError."""
    compiler = find_compiler()
    return replace(compiler, command=(*compiler.command, "-fsanitize-coverage=trace-pc"))


def build_map(folder: Path) -> Path:
    """What such objects tell it to, as a shared object in `folder`."""
    built = folder / "coverage.so"
    command = [*find_compiler().command, "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", built, _SOURCE]
    subprocess.run(command, check=True)
    return built


def newness() -> Callable[[], bool]:
    """A question: did code since it was last asked run as it never did before? ``coverage.c`` has to be loaded."""
    ask = ctypes.CDLL(None).coverage_is_new
    ask.restype = ctypes.c_bool
    return ask
