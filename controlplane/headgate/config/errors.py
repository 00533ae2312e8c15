# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a configuration: where, what stands there, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Keys and indices from the root of the document: ``("vnics", 2, "macs", 0)``."""


def format_path(path: Path) -> str:
    """`path` as people write it: ``vnics[2].macs[0]``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "the document"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `message` says what is wrong and how to put it right; `line` counts from 1."""

    path: Path
    value: object
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line is not None else ""
        shown = "" if self.value is None else f"{_shorten(self.value)} "
        return f"{place}{format_path(self.path)}: {shown}{self.message}"


class ConfigError(Exception):
    """A configuration that can't be used. `problems` has every one that was found, in document order where known."""

    def __init__(self, problems: tuple[Problem, ...], source: str | None = None) -> None:
        super().__init__(problems, source)
        self.problems = problems
        self.source = source
        """The file, where there is one."""

    def __str__(self) -> str:
        source = f"{self.source}: " if self.source else ""
        return "\n".join(f"{source}{problem}" for problem in self.problems)


def _shorten(value: object, limit: int = 60) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."
