# SPDX-License-Identifier: Apache-2.0
"""From the JSON that ``p4c-bm2-ss`` writes to the IR: `load_program`."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from softnic import ir

from .errors import ProgramError
from .lower import lower
from .mirror import decode

__all__ = ["ProgramError", "load_program"]


def load_program(program: Path | str | bytes) -> ir.Program:
    """Read a BMv2 JSON (format 2.x, v1model), given as a path or as its bytes.

    Raises: ProgramError, whose path and P4 line say where; OSError when the file cannot be read.
    """
    text = program if isinstance(program, bytes) else Path(program).read_bytes()
    document: Any = None
    try:
        document = msgspec.json.decode(text)
        return replace(lower(decode(document)), json_sha256=hashlib.sha256(text).hexdigest())
    except msgspec.DecodeError as error:
        raise ProgramError("$", f"this is not JSON: {error}") from None
    except RecursionError:
        raise ProgramError("$", "an expression is nested too deeply") from None
    except ProgramError as error:
        raise ProgramError(error.path, error.reason, _source_on_the_way(document, error.path)) from None


def _source_on_the_way(document: Any, path: str) -> ir.Source | None:
    """The innermost source_info that an object between the root and `path` carries."""
    found = None
    for key, position in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        try:
            document = document[key] if key else document[int(position)]
        except (KeyError, IndexError, TypeError):
            break
        match document:
            case {"source_info": {"filename": str(file), "line": int(line)}}:
                found = ir.Source(file, line, fragment=str(document["source_info"].get("source_fragment", "")))
    return found
