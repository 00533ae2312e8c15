# SPDX-License-Identifier: Apache-2.0
"""Python processes in which code built with AddressSanitizer and UndefinedBehaviorSanitizer can be loaded.

The sanitizer's library has to come first in a process, before Python itself. Leaks are not looked for: what Python
keeps until its end would all be reported.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from softnic.native import Build, CompilerError, find_compiler

ROOT = Path(__file__).parents[2]


class SanitizerError(Exception):
    """A process under sanitizers failed; the message is all it said."""


SANITIZED = Build(optimization=1, sanitize="address,undefined")


def environment(preload: Sequence[Path] = ()) -> Mapping[str, str]:
    """That of this process, with the sanitizer and `preload` loaded first. Raises: CompilerError."""
    libraries = [_library("libasan.so"), *preload]
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "tests"),
        "_TYPER_STANDARD_TRACEBACK": "1",
        "LD_PRELOAD": " ".join(map(str, libraries)),
        "ASAN_OPTIONS": "detect_leaks=0:handle_abort=1",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def run_python(*arguments: object, timeout_s: float, preload: Sequence[Path] = ()) -> str:
    """What ``python arguments`` prints. Raises: SanitizerError if it fails or does not end."""
    command = [sys.executable, *map(str, arguments)]
    try:
        ran = subprocess.run(
            command, cwd=ROOT, env=environment(preload), capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SanitizerError(f"{shlex.join(command)} did not end within {timeout_s:.0f} s") from error
    if ran.returncode:
        raise SanitizerError(f"{shlex.join(command)}: status {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def spare_children() -> None:
    """Let what this process starts run without the sanitizer: a compiler under it takes several times as long."""
    os.environ.pop("LD_PRELOAD", None)


def missing() -> str | None:
    """Why there are no sanitizers; None: there are."""
    try:
        return None if _library("libasan.so").is_absolute() else "the compiler has no libasan"
    except CompilerError as error:
        return str(error)


def _library(name: str) -> Path:
    """The compiler's own, which it names by its path; one it does not have stays a bare name. Raises: CompilerError."""
    command = [*find_compiler().command, f"-print-file-name={name}"]
    return Path(subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip())
