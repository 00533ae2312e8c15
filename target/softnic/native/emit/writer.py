# SPDX-License-Identifier: Apache-2.0
"""C text, indented."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import zip_longest

_INDENT = "    "
_GOTO = re.compile(r"\bgoto (\w+);")
_LABEL = re.compile(r"^(\w+):$")


class Writer:
    """Collects lines; `block` nests them."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def line(self, text: str = "") -> None:
        self._lines.append(_INDENT * self._depth + text if text else "")

    def lines(self, texts: Iterable[str]) -> None:
        for text in texts:
            self.line(text)

    def label(self, name: str) -> None:
        """Stands one level further out than the statements."""
        self._lines.append(_INDENT * (self._depth - 1) + f"{name}:")

    def jumps_to(self, label: str) -> bool:
        """Whether a line so far does."""
        return jumps_to(self._lines, label)

    def section(self, title: str) -> None:
        self.line(f"/* ---- {title} ---- */")
        self.line()

    @contextmanager
    def block(self, head: str = "", end: str = "}", comment: str = "") -> Iterator[None]:
        """``head { comment`` ... ``}``."""
        self.line(" ".join(part for part in (head, "{", comment) if part))
        self._depth += 1
        yield
        self._depth -= 1
        self.line(end)

    @contextmanager
    def function(self, signature: str) -> Iterator[None]:
        """A function, its brace on a line of its own, an empty line behind it.

        Left out are labels without a jump to them and jumps to the next line; parameters without use are marked.
        """
        self.line(signature)
        self.line("{")
        start = len(self._lines)
        self._depth += 1
        yield
        body = _without_idle_jumps(self._lines[start:])
        unused = [name for name in _parameters(signature) if not any(re.search(rf"\b{name}\b", line) for line in body)]
        self._lines[start:] = [f"{_INDENT * self._depth}(void){name};" for name in unused] + body
        self._depth -= 1
        self.line("}")
        self.line()

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)


def jumps_to(lines: Iterable[str], label: str) -> bool:
    """Whether any of `lines` holds ``goto label;``."""
    return any(label in _GOTO.findall(line) for line in lines)


def _parameters(signature: str) -> list[str]:
    """The names of a function's parameters, in order."""
    return re.findall(r"(\w+)\s*[,)]", signature)


def _without_idle_jumps(lines: list[str]) -> list[str]:
    """Also drops the empty statement behind a label that is dropped."""
    jumps = [line for line, following in zip_longest(lines, lines[1:], fillvalue="") if not _leads_to(line, following)]
    targets = {target for line in jumps for target in _GOTO.findall(line)}
    kept: list[str] = []
    dropped = False
    for line in jumps:
        if dropped and line.strip() == ";":
            dropped = False
            continue
        label = _LABEL.match(line.strip())
        dropped = label is not None and label[1] not in targets
        if not dropped:
            kept.append(line)
    return kept


def _leads_to(line: str, following: str) -> bool:
    jump, label = _GOTO.fullmatch(line.strip()), _LABEL.match(following.strip())
    return jump is not None and label is not None and jump[1] == label[1]


def c_bytes(value: int, size: int) -> str:
    """`value` as the big-endian initialiser of `size` bytes: ``{0x0a, 0x00}``."""
    return "{" + ", ".join(f"0x{byte:02x}" for byte in value.to_bytes(size, "big")) + "}"


def c_string(text: str) -> str:
    """A C string literal."""
    escaped = "".join(
        char if " " <= char <= "~" and char not in '\\"?' else "".join(f"\\{byte:03o}" for byte in char.encode())
        for char in text
    )
    return f'"{escaped}"'
