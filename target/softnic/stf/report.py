# SPDX-License-Identifier: Apache-2.0
"""A difference as people read it: both packets in rows of 16 bytes, with marks under the bytes that differ."""

from __future__ import annotations

from itertools import zip_longest

from .comparison import Difference

BYTES_PER_ROW = 16


def render_difference(difference: Difference) -> list[str]:
    """The rows in which the packets differ; the packet alone where there is only one; nothing where there is none."""
    pattern = difference.expected or ""
    wanted = _pairs(pattern.removesuffix("$"))
    got = _pairs((difference.got or b"").hex())
    if difference.got is None or difference.expected is None:
        label, digits = ("expected", wanted) if difference.got is None else ("got", got)
        return [_row(label, offset, digits) for offset in range(0, len(digits), BYTES_PER_ROW)]
    marks = ["^^" if _differs(want, have, pattern.endswith("$")) else "  " for want, have in zip_longest(wanted, got)]
    lines = []
    for offset in range(0, len(marks), BYTES_PER_ROW):
        under = " ".join(marks[offset : offset + BYTES_PER_ROW]).rstrip()
        if under:
            lines += [_row("expected", offset, wanted), _row("got", offset, got), " " * 18 + under]
    return lines


def _differs(want: str | None, have: str | None, is_exact: bool) -> bool:
    if want is None:
        return is_exact
    return have is None or any(each not in ("*", digit) for each, digit in zip(want, have, strict=False))


def _row(label: str, offset: int, pairs: list[str]) -> str:
    return f"  {label:<8}  {offset:04x}  {' '.join(pairs[offset : offset + BYTES_PER_ROW])}".rstrip()


def _pairs(digits: str) -> list[str]:
    return [digits[index : index + 2] for index in range(0, len(digits), 2)]
