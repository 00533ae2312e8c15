# SPDX-License-Identifier: Apache-2.0
"""P4 sources through ``p4c-bm2-ss``, once: results are kept by the hash of what they were made from."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from softnic.inputs import InputError

COMPILE_TIMEOUT_S = 300
_INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.MULTILINE)


class CompileError(Exception):
    """The compiler refused a program. The message is its first error."""


@dataclass(slots=True)
class Compiler:
    """`command` is p4c-bm2-ss, with options if wanted; `cache` a folder that need not exist yet."""

    command: Sequence[str]
    cache: Path
    version: str = field(init=False)

    def __post_init__(self) -> None:
        """Raises: InputError (there is no such compiler)."""
        try:
            ran = subprocess.run([self.command[0], "--version"], capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"--version ends with {error.returncode}"
            raise InputError(f"{self.command[0]} does not run: {reason}; install p4c, or name it with --p4c") from error
        self.version = ran.stdout + ran.stderr

    def compile(self, source: Path) -> bytes:
        """The BMv2 JSON of a program. Raises: CompileError, OSError."""
        arguments = [*self.command, *(["--std", "p4-14"] if is_p4_14(source) else [])]
        made_from = [self.version, *arguments, *(path.read_text(errors="replace") for path in source_files(source))]
        result = self.cache / (hashlib.sha256("\0".join(made_from).encode()).hexdigest() + ".json")
        if result.exists():
            return result.read_bytes()
        self.cache.mkdir(parents=True, exist_ok=True)
        # Under another name first: a compilation that is interrupted leaves nothing that looks like a result.
        partial = result.with_suffix(f".{os.getpid()}.{hash(source):x}.json")
        try:
            _run([*arguments, "-o", str(partial), str(source)])
            partial.replace(result)
        finally:
            partial.unlink(missing_ok=True)
        return result.read_bytes()


def default_cache() -> Path:
    """The user's cache folder (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "softnic/p4c"


def is_p4_14(source: Path) -> bool:
    """Whether a folder on the way says ``p4_14``: p4c's own test driver decides so."""
    return "p4_14" in str(source.parent)


def source_files(source: Path) -> tuple[Path, ...]:
    """A program and the files beside it that it includes, directly or not. Raises: OSError."""
    found: dict[Path, None] = {}
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = None
            waiting += [path.parent / name for name in includes(path) if (path.parent / name).is_file()]
    return tuple(found)


def includes(path: Path) -> list[str]:
    """The names that a file includes, as written. Raises: OSError."""
    return _INCLUDE.findall(path.read_text(errors="replace"))


def _run(arguments: Sequence[str]) -> None:
    try:
        ran = subprocess.run(arguments, capture_output=True, text=True, timeout=COMPILE_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise CompileError(f"p4c did not finish within {COMPILE_TIMEOUT_S} s") from error
    if ran.returncode:
        lines = ran.stderr.splitlines() or [f"p4c ended with {ran.returncode} and no message"]
        raise CompileError(next((line for line in lines if "error:" in line), lines[-1]))
