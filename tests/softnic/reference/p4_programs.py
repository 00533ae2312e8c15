# SPDX-License-Identifier: Apache-2.0
"""The compiled programs of tests/p4, as they are and with something of theirs replaced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from softnic.engine import Engine

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"

EngineOf = Callable[[Path | bytes], Engine]
"""Makes an engine that runs a program: a file, or what it says."""


def edited(program: str, *replacements: tuple[str, str]) -> bytes:
    """A program's JSON; each of the texts occurs in it, and once."""
    text = (COMPILED / f"{program}.json").read_text()
    for old, new in replacements:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text.encode()
