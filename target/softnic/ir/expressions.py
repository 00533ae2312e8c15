# SPDX-License-Identifier: Apache-2.0
"""What a program computes. Every expression is of one of the kinds of `Kind`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from .externs import Register
from .headers import AnyStack, Field, Header, HeaderStack, HeaderUnion, HeaderUnionStack

UnaryOp = Literal["not", "~", "d2b", "b2d"]
BinaryOp = Literal[
    "+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "two_comp_mod", "sat_cast", "usat_cast",
    "==", "!=", "<", "<=", ">", ">=", "and", "or",
]  # fmt: skip


class Kind(StrEnum):
    """What an expression yields."""

    DATA = "data"
    BOOL = "bool"
    HEADER = "header"
    UNION = "union"
    HEADER_STACK = "header stack"
    UNION_STACK = "union stack"


@dataclass(frozen=True, slots=True)
class Const:
    value: int


@dataclass(frozen=True, slots=True)
class BoolConst:
    value: bool


@dataclass(frozen=True, slots=True)
class ParamRef:
    """The running action's parameter number `index`."""

    index: int


@dataclass(frozen=True, slots=True)
class FieldRef:
    """A field of a header instance known at load. Reads as 0 while the header is invalid."""

    header: Header
    field: Field

    def __str__(self) -> str:
        return f"{self.header.name}.{self.field.name}"


@dataclass(frozen=True, slots=True)
class HeaderRef:
    header: Header


@dataclass(frozen=True, slots=True)
class UnionRef:
    union: HeaderUnion


@dataclass(frozen=True, slots=True)
class StackRef:
    stack: AnyStack


@dataclass(frozen=True, slots=True)
class StackElement:
    """``stack[index]``: a header."""

    stack: HeaderStack
    index: Expr


@dataclass(frozen=True, slots=True)
class UnionStackElement:
    """``stack[index]``: a union."""

    stack: HeaderUnionStack
    index: Expr


@dataclass(frozen=True, slots=True)
class LastElement:
    """``stack.last``: a header. What the parser extracted last."""

    stack: HeaderStack


@dataclass(frozen=True, slots=True)
class LastUnion:
    """``stack.last``: a union."""

    stack: HeaderUnionStack


@dataclass(frozen=True, slots=True)
class UnionMember:
    """Member number `member` of a union: a header."""

    union: UnionExpr
    member: int


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A field of a header that is chosen when the packet runs."""

    header: HeaderExpr
    field: Field


@dataclass(frozen=True, slots=True)
class RegisterCell:
    register: Register
    index: Expr


@dataclass(frozen=True, slots=True)
class Lookahead:
    """`width` bits of the packet, `offset` bits past the parser's position. Parser only."""

    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class IsValid:
    """Whether a header is valid: a bool."""

    header: HeaderExpr


@dataclass(frozen=True, slots=True)
class UnionIsValid:
    """Whether any member of a union is valid: a bool."""

    union: UnionExpr


@dataclass(frozen=True, slots=True)
class StackSize:
    """How many elements the stack holds (`nextIndex` of P4_16)."""

    stack: AnyStack


@dataclass(frozen=True, slots=True)
class LastIndex:
    """`lastIndex` of P4_16: size - 1."""

    stack: AnyStack


@dataclass(frozen=True, slots=True)
class Unary:
    op: UnaryOp
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """``==`` and ``!=`` also compare two bools, two headers or two unions; `kind` says what the operands are.

    ``and`` and ``or`` evaluate both sides. ``two_comp_mod`` takes the low `right` bits of `left` as a signed number;
    ``sat_cast`` and ``usat_cast`` clamp `left` into `right` bits, signed and unsigned.
    """

    op: BinaryOp
    left: Expr
    right: Expr
    kind: Kind = Kind.DATA


@dataclass(frozen=True, slots=True)
class Conditional:
    """``condition ? then : otherwise``."""

    condition: Expr
    then: Expr
    otherwise: Expr


HeaderExpr = HeaderRef | StackElement | LastElement | UnionMember
UnionExpr = UnionRef | UnionStackElement | LastUnion
LValue = FieldRef | FieldOf | RegisterCell
Expr = (
    Const | BoolConst | ParamRef | LValue | HeaderExpr | UnionExpr | StackRef | Lookahead | IsValid | UnionIsValid
    | StackSize | LastIndex | Unary | Binary | Conditional
)  # fmt: skip


_BOOL_OPS = frozenset({"==", "!=", "<", "<=", ">", ">=", "and", "or"})


def kind_of(expr: Expr) -> Kind:
    """What `expr` yields."""
    match expr:
        case BoolConst() | IsValid() | UnionIsValid() | Unary(op="not" | "d2b"):
            return Kind.BOOL
        case Binary(op=op) if op in _BOOL_OPS:
            return Kind.BOOL
        case Conditional(then=then):
            return kind_of(then)
        case HeaderRef() | StackElement() | LastElement() | UnionMember():
            return Kind.HEADER
        case UnionRef() | UnionStackElement() | LastUnion():
            return Kind.UNION
        case StackRef(stack=HeaderStack()):
            return Kind.HEADER_STACK
        case StackRef():
            return Kind.UNION_STACK
        case _:
            return Kind.DATA
