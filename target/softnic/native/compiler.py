# SPDX-License-Identifier: Apache-2.0
"""The system's C compiler: finds it, and turns C text and the runtime's sources into shared objects, once each.

An object's name is the hash of its text, the runtime's sources, the command, the compiler and the processor: whatever
could make it another object makes it another name.

The runtime's sources are read once, when this module is: a program has to fit the runtime that is loaded already,
even if the files have changed since (by an upgrade of softnic, or an editor).
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from softnic.engine import EngineError

from .cache import ObjectCache, user_cache

RUNTIME = Path(__file__).parents[1] / "runtime"
RUNTIME_TEXT = {path.name: path.read_text() for path in sorted(RUNTIME.glob("*.[ch]"))}

LIMIT_S = 300.0
"""For one run of the compiler: many times what the largest program takes, so that one that hangs is not waited for."""

_COMPILERS = ("cc", "gcc", "clang")
_SHOWN_LINES = 20


class CompilerError(EngineError):
    """There is no C compiler, it refused, or it did not end. The message has the command and its last words."""


@dataclass(frozen=True, slots=True)
class Build:
    """How programs are compiled.

    `sanitize` is a list for ``-fsanitize``: the process must have the sanitizer's library loaded already. `strict`
    makes warnings errors, for our own tests: a user's compiler may know warnings that ours does not.
    """

    optimization: int = 3
    sanitize: str = ""
    strict: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        # Interposition of symbols is no feature here, and to allow for it costs a jump at every call.
        flags = ["-std=gnu11", f"-O{self.optimization}", "-march=native", "-fPIC", "-fno-semantic-interposition"]
        if self.sanitize:
            flags += [f"-fsanitize={self.sanitize}", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g"]
        if self.strict:
            flags += ["-Wall", "-Wextra", "-Werror"]
        return tuple(flags)


@dataclass(frozen=True)
class Compiler:
    """One C compiler, as a command with options of its own, and where it leaves its objects."""

    command: tuple[str, ...]
    objects: ObjectCache

    @cached_property
    def version(self) -> str:
        """What it says of itself, and the processor it compiles for. Raises: CompilerError."""
        return f"{_run([*self.command, '--version'])}\n{_processor()}"

    def runtime(self, build: Build) -> Path:
        """The runtime as a shared object. All levels of optimization share one: it is compiled once and for all.

        Raises: CompilerError, OSError (nowhere to write).
        """
        build = replace(build, optimization=2)

        def compile_to(path: Path) -> None:
            sources = [name for name in RUNTIME_TEXT if name.endswith(".c")]
            self._compile(build, RUNTIME_TEXT, sources, ["-pthread", "-ldl"], path)

        return self.objects.get(self._name("libsnic-", build, RUNTIME_TEXT.values()), compile_to)

    def program(self, text: str, build: Build) -> Path:
        """A program's C text as a shared object.

        Raises: CompilerError, OSError (nowhere to write).
        """

        def compile_to(path: Path) -> None:
            source = path.with_suffix(".c").name
            self._compile(build, {**RUNTIME_TEXT, source: text}, [source], [], path)

        return self.objects.get(self._name("", build, [text, *RUNTIME_TEXT.values()]), compile_to)

    def has_program(self, text: str, build: Build) -> bool:
        """True if `program` would not have to compile. Raises: CompilerError."""
        return self.objects.has(self._name("", build, [text, *RUNTIME_TEXT.values()]))

    def _compile(
        self, build: Build, texts: Mapping[str, str], sources: Sequence[str], libraries: Sequence[str], path: Path
    ) -> None:
        """`texts` are files by their names, which are written beside `path`; `sources` those of them to compile."""
        folder = path.parent
        for name, text in texts.items():
            (folder / name).write_text(text)
        files = [str(folder / name) for name in sources]
        _run([*self.command, *build.flags, f"-I{folder}", "-shared", "-o", str(path), *files, *libraries])

    def _name(self, prefix: str, build: Build, texts: Iterable[str]) -> str:
        digest = hashlib.sha256()
        for part in (*self.command, *build.flags, self.version, *texts):
            digest.update(part.encode() + b"\0")
        return f"{prefix}{digest.hexdigest()[:24]}.so"


def find_compiler() -> Compiler:
    """``$CC`` if it is set, else the first of cc, gcc and clang. Raises: CompilerError if there is none."""
    wanted = shlex.split(os.environ.get("CC", ""))
    commands = [wanted] if wanted else [[name] for name in _COMPILERS]
    for command in commands:
        if shutil.which(command[0]):
            return Compiler(tuple(command), _shared_cache())
    names = ", ".join(command[0] for command in commands)
    raise CompilerError(f"no C compiler: looked for {names}; install gcc or clang, or set CC")


@cache
def _shared_cache() -> ObjectCache:
    return user_cache()


def _processor() -> str:
    """The instructions that ``-march=native`` may use: a home folder may be shared by machines that differ in them."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line for line in lines if line.startswith(("flags", "Features"))), " ".join(os.uname()))


def _run(command: Sequence[str]) -> str:
    """What `command` says. Whatever ends this call ends all that `command` has started. Raises: CompilerError."""
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", process_group=0
        )
    except OSError as error:
        raise CompilerError(f"{shlex.join(command)}: {error.strerror}") from error
    with process:
        try:
            said, _ = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired as error:
            raise CompilerError(
                f"{shlex.join(command)} did not end within {LIMIT_S:g} s; set CC to another compiler"
            ) from error
        finally:
            # A compiler is a driver of others: they are of its group, and end with it.
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        last = "\n".join(said.splitlines()[-_SHOWN_LINES:])
        raise CompilerError(f"{shlex.join(command)} failed with status {process.returncode}:\n{last}")
    return said
