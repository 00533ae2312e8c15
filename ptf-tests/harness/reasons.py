# SPDX-License-Identifier: Apache-2.0
"""Which reasons a program may drop a packet for: those that its sources name, wherever its includes lead."""

from __future__ import annotations

import re
from pathlib import Path

P4SRC = Path(__file__).parents[2] / "p4src"
_ARCHITECTURE = P4SRC / "arch" / "v1model"


def drop_reasons(program: str) -> set[str]:
    """Names of `drop_reason_t`, as `drop_reason_t.NAME` stands somewhere in the sources of `program`."""
    texts = (path.read_text() for path in _sources(P4SRC / "programs" / f"{program}.p4", set()))
    code = (re.sub(r"//.*", "", text) for text in texts)
    return {name for text in code for name in re.findall(r"\bdrop_reason_t\.(\w+)", text)} - {"NONE"}


def _sources(path: Path, seen: set[Path]) -> set[Path]:
    """`path` and what it includes; of what is in angle brackets, the architecture's files that are ours."""
    if path not in seen and path.is_file():
        seen.add(path)
        for bracket, name in re.findall(r'^#include ([<"])([^>"]+)', path.read_text(), re.MULTILINE):
            _sources((path.parent if bracket == '"' else _ARCHITECTURE) / name, seen)
    return seen
