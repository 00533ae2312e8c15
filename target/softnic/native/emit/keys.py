# SPDX-License-Identifier: Apache-2.0
"""Keys of tables and of parser selects: each value big-endian in whole bytes, one behind the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from softnic import ir

from .expressions import Expressions


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """Offset and size in bytes of each field; `room` is `size` in whole words, the rest of it zero."""

    fields: tuple[tuple[int, int], ...]
    size: int
    room: int


def key_layout(widths: Sequence[int]) -> KeyLayout:
    """For values of `widths` bits."""
    fields: list[tuple[int, int]] = []
    offset = 0
    for width in widths:
        fields.append((offset, (width + 7) // 8))
        offset += (width + 7) // 8
    return KeyLayout(tuple(fields), offset, (offset + 7) // 8 * 8)


def table_key(table: ir.Table, expressions: Expressions) -> list[str]:
    """Statements that declare ``const uint8_t *key``, of `room` bytes. The masks of fields are applied.

    A key is hashed and compared as words as soon as it is made. So words are made, in registers: words loaded from
    bytes that have just been stored one by one would wait until all of these are in the cache.
    """
    layout = key_layout([field.width for field in table.key])
    pieces: list[list[str]] = [[] for _ in range(layout.room // 8)]
    for field, (offset, size) in zip(table.key, layout.fields, strict=True):
        for start, end in _word_pieces(offset, size):
            low, high = (offset + size - end) * 8, min(field.width, (offset + size - start) * 8)
            text = expressions.word(_shifted(_masked(field), low), high - low)
            pieces[start // 8].append(f"snic_key_bytes({text}, {end - start}, {start % 8})")
    words = ", ".join(" | ".join(parts) for parts in pieces)
    return [f"const uint64_t words[] = {{{words}}};", "const uint8_t *key = (const uint8_t *)words;"]


def _word_pieces(offset: int, size: int) -> Iterator[tuple[int, int]]:
    """The bytes offset .. offset + size, cut where a word ends."""
    start = offset
    while start < offset + size:
        end = min((start // 8 + 1) * 8, offset + size)
        yield start, end
        start = end


def _shifted(expr: ir.Expr, by: int) -> ir.Expr:
    return ir.Binary(">>", expr, ir.Const(by)) if by else expr


def select_key(parts: Sequence[ir.KeyPart], expressions: Expressions, destination: str) -> list[str]:
    """Statements that put a transition key at `destination`."""
    layout = key_layout([part.width for part in parts])
    return [
        line
        for part, (offset, _) in zip(parts, layout.fields, strict=True)
        for line in expressions.to_bytes(part.expr, part.width, _at(destination, offset))
    ]


def _masked(field: ir.KeyField) -> ir.Expr:
    if field.mask & ((1 << field.width) - 1) == (1 << field.width) - 1:
        return field.expr
    return ir.Binary("&", field.expr, ir.Const(field.mask))


def _at(base: str, offset: int) -> str:
    return f"{base} + {offset}" if offset else base
