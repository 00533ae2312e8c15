# SPDX-License-Identifier: Apache-2.0
"""The runtime, called from Python: declarations taken from its own headers, functions from its shared object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import cffi
from cffi.recompiler import make_py_source

from .compiler import RUNTIME_TEXT, CompilerError, find_compiler

HEADERS = (
    "snic_program.h",
    "snic_worker.h",
    "snic_engine.h",
    "snic_record.h",
    "snic_collect.h",
    "snic_bench.h",
    "snic_link.h",
    "snic_dataplane.h",
)
"""What Python uses, each after what it includes."""

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"^#define (\w+) (\d+)u?$", re.MULTILINE)
_DIRECTIVE = re.compile(r"^#(?:.*\\\n)*.*$", re.MULTILINE)
_INLINE = re.compile(r"^static inline .*?^\}", re.MULTILINE | re.DOTALL)


class Runtime:
    """The runtime's functions and constants (`lib`), and what makes and reads C values (`ffi`)."""

    def __init__(self, path: Path) -> None:
        # A module of compiled code has no static types: what cffi makes of the headers is known when they are read.
        self.ffi: Any = load_ffi()
        # Global: programs are linked against nothing and find the runtime's functions when they are loaded.
        self.lib: Any = self.ffi.dlopen(str(path), self.ffi.RTLD_NOW | self.ffi.RTLD_GLOBAL)


@cache
def load_runtime(path: Path) -> Runtime:
    """Once for each path: a process has one runtime, whose engines share nothing. Raises: OSError."""
    return Runtime(path)


def declarations(header: str) -> str:
    """What cffi can read of a header: numbers, types and functions, without directives, comments and inline code."""
    text = _COMMENT.sub("", header)
    numbers = "".join(f"#define {name} {value}\n" for name, value in _NUMBER.findall(text))
    return numbers + _INLINE.sub("", _DIRECTIVE.sub("", text))


@cache
def load_ffi() -> Any:
    """What the headers declare, as cffi sees it.

    To parse them is a good part of a target's start: what comes of it is kept, as Python, beside the compiled runtime.

    Raises: CompilerError (there is no compiler, or what was kept is damaged), OSError (nowhere to write).
    """
    texts = [declarations(RUNTIME_TEXT[name]) for name in HEADERS]
    name = hashlib.sha256("\0".join([cffi.__version__, *texts]).encode()).hexdigest()[:24]
    path = find_compiler().objects.get(f"{name}.py", lambda path: _write_parsed(texts, path))
    parsed: dict[str, Any] = {}
    try:
        exec(path.read_text(), parsed)
        return parsed["ffi"]
    except Exception as error:
        raise CompilerError(f"{path} is damaged, remove it: {error!r}") from error


def _write_parsed(texts: Iterable[str], path: Path) -> None:
    parser = cffi.FFI()
    for text in texts:
        parser.cdef(text)
    parser.set_source(path.stem, None)
    make_py_source(parser, path.stem, str(path))
