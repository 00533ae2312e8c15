# SPDX-License-Identifier: Apache-2.0
"""A program as C text, and the objects it is compiled to.

To print a large program takes longer than to load its object: the text is kept too, under the name of the JSON it was
made from and of the code that made it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from softnic import ir

from .compiler import Build, Compiler, find_compiler
from .emit.program import emit

_PACKAGE = Path(__file__).parents[1]
_PRINTERS = ("frontend", "ir", "native/emit")


@dataclass(frozen=True, slots=True)
class ProgramSource:
    """`text` is what `program` is in C, `compiler` what makes machine code of it."""

    program: ir.Program
    text: str
    compiler: Compiler

    def compiled(self, build: Build) -> Path:
        """The program's object, compiled now unless it was before. Raises: CompilerError, OSError."""
        return self.compiler.program(self.text, build)

    def is_compiled(self, build: Build) -> bool:
        """Raises: CompilerError."""
        return self.compiler.has_program(self.text, build)


def source_of(program: ir.Program) -> ProgramSource:
    """`program` in C, for the system's compiler.

    Raises:
        UnsupportedError: it needs what only the reference executor has.
        CompilerError: there is no compiler.
        OSError: there is nowhere to write to.
    """
    compiler = find_compiler()

    def write(path: Path) -> None:
        path.write_text(emit(program, program.json_sha256))

    if not program.json_sha256:
        return ProgramSource(program, emit(program, ""), compiler)
    name = f"{program.json_sha256[:24]}-{_PRINTERS_HASH[:8]}.c"
    return ProgramSource(program, compiler.objects.get(name, write).read_text(), compiler)


def _printers_hash() -> str:
    """Of all code between the JSON and the C text."""
    digest = hashlib.sha256()
    for folder in _PRINTERS:
        for path in sorted((_PACKAGE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


_PRINTERS_HASH = _printers_hash()
"""Of the code that was imported just now: later its files may have changed under this process."""
