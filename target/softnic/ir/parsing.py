# SPDX-License-Identifier: Apache-2.0
"""Parser and deparser."""

from __future__ import annotations

from dataclasses import dataclass

from .expressions import Expr
from .externs import ValueSet
from .headers import Header, HeaderStack, HeaderUnionStack, Source
from .statements import Statement


@dataclass(frozen=True, slots=True)
class UnionStackSlot:
    """Where an extraction into the next free union of a stack goes: its member number `member`."""

    stack: HeaderUnionStack
    member: int


@dataclass(frozen=True, slots=True)
class Extract:
    """Into a header, or onto the end of a stack. `varbit_width` (bits) is given for a header with a varbit."""

    target: Header | HeaderStack | UnionStackSlot
    varbit_width: Expr | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Verify:
    """Ends parsing with the error code `error` unless `condition`."""

    condition: Expr
    error: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Advance:
    """Skips `width` bits, a multiple of 8."""

    width: Expr
    source: Source | None = None


ParserOp = Extract | Verify | Advance | Statement


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One element of a transition key; each is padded on the left to whole bytes."""

    expr: Expr
    width: int

    @property
    def padded_width(self) -> int:
        return (self.width + 7) // 8 * 8


@dataclass(frozen=True, slots=True)
class SelectCase:
    """Taken when ``key & mask == value``, over the byte-padded key."""

    value: int
    mask: int
    next: int | None


@dataclass(frozen=True, slots=True)
class ValueSetCase:
    """Taken when ``key & mask`` is, likewise masked, in the value set."""

    value_set: ValueSet
    mask: int
    next: int | None


@dataclass(frozen=True, slots=True)
class ParserState:
    """`next` of a case, and `default`, is the index of a state; None ends parsing."""

    name: str
    ops: tuple[ParserOp, ...]
    key: tuple[KeyPart, ...]
    cases: tuple[SelectCase | ValueSetCase, ...]
    default: int | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Parser:
    states: tuple[ParserState, ...]
    first: int | None


@dataclass(frozen=True, slots=True)
class Deparser:
    """`statements` run after the checksums are updated; then each valid header of `order` is emitted."""

    statements: tuple[Statement, ...]
    order: tuple[Header, ...]
