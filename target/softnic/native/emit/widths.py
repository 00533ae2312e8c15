# SPDX-License-Identifier: Apache-2.0
"""How large a number an expression can be: the least and the greatest, and the C type that holds both.

Numbers of a P4 program have no limit until they are stored. The proof that C computes the same rests on two facts:

- ``+ - * & | ^ ~ <<`` give the right low n bits whenever their operands' low n bits are right. So they may be computed
  modulo 2^n whenever nobody asks for more than n bits of the result.
- Everything else needs its operands whole: in a type that holds all that they can be, which `interval` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from softnic import ir

from .errors import UnsupportedError

MAX_SHIFT = 1 << 16
"""A shift to the left by more yields 0, as in the reference executor."""


class Type(IntEnum):
    """A C type, by its bits: ``uint64_t``, ``snic_u128``, ``struct snic_wide``."""

    WORD = 64
    DOUBLE = 128
    WIDE = 65 * 64

    @classmethod
    def of_bits(cls, bits: int) -> Type:
        """The smallest that has `bits` bits. Raises: UnsupportedError."""
        for candidate in cls:
            if bits <= candidate - (candidate is cls.WIDE) * 64:
                return candidate
        raise UnsupportedError(f"a number of {bits} bits; at most 4096 can be computed with")


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from `low` to `high`."""

    low: int
    high: int

    @classmethod
    def unsigned(cls, width: int) -> Interval:
        return cls(0, (1 << width) - 1)

    @classmethod
    def signed(cls, width: int) -> Interval:
        """Of two's complement in `width` bits; 0 in none."""
        return cls(-(1 << (width - 1)), (1 << (width - 1)) - 1) if width > 0 else cls(0, 0)

    @property
    def negative_possible(self) -> bool:
        return self.low < 0

    @property
    def bits(self) -> int:
        """What all of it fits in: unsigned, or two's complement where it reaches below 0."""
        if self.low >= 0:
            return self.high.bit_length()
        return max((~self.low).bit_length(), max(self.high, 0).bit_length()) + 1

    @property
    def type(self) -> Type:
        """The smallest type that holds it. Raises: UnsupportedError."""
        return Type.of_bits(self.bits)

    def __or__(self, other: Interval) -> Interval:
        """The smallest interval that contains both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def contains(self, other: Interval) -> bool:
        return self.low <= other.low and other.high <= self.high


@dataclass(frozen=True, slots=True)
class Given:
    """A number that C already holds, as an operand of expressions: text of type ``uint64_t`` or ``snic_u128``."""

    text: str
    interval: Interval


BOOL = Interval(0, 1)


def field_interval(field: ir.Field) -> Interval:
    return Interval.signed(field.width) if field.signed else Interval.unsigned(field.width)


def interval(expr: ir.Expr | Given, params: Sequence[ir.ActionParam] = ()) -> Interval:
    """What `expr`, of kind data or bool, can be in an action with `params`."""
    match expr:
        case Given(interval=bounds):
            return bounds
        case ir.Const(value=value):
            return Interval(int(value), int(value))
        case ir.ParamRef(index=index):
            return Interval.unsigned(params[index].width)
        case ir.FieldRef(field=field) | ir.FieldOf(field=field):
            return field_interval(field)
        case ir.RegisterCell(register=register):
            return Interval.unsigned(register.width)
        case ir.Lookahead(width=width):
            return Interval.unsigned(width)
        case ir.StackSize(stack=stack):
            return Interval(0, len(stack.elements))
        case ir.LastIndex(stack=stack):
            return Interval(-1, len(stack.elements) - 1)
        case ir.Unary(op="~", operand=operand):
            inner = interval(operand, params)
            return Interval(~inner.high, ~inner.low)
        case ir.Conditional(then=then, otherwise=otherwise):
            return interval(then, params) | interval(otherwise, params)
        case ir.Binary(op=op, left=left, right=right) if ir.kind_of(expr) is ir.Kind.DATA:
            return _BINARY[op](interval(left, params), interval(right, params))
        case _:
            return BOOL


def _add(a: Interval, b: Interval) -> Interval:
    return Interval(a.low + b.low, a.high + b.high)


def _subtract(a: Interval, b: Interval) -> Interval:
    return Interval(a.low - b.high, a.high - b.low)


def _multiply(a: Interval, b: Interval) -> Interval:
    corners = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return Interval(min(corners), max(corners))


def _divide(a: Interval, b: Interval) -> Interval:
    """0 where undefined: below 0 neither is divided."""
    return Interval(0, max(a.high, 0) // max(b.low, 1))


def _remainder(a: Interval, b: Interval) -> Interval:
    return Interval(0, max(0, min(a.high, b.high - 1)))


def _shift_left(a: Interval, by: Interval) -> Interval:
    most = min(max(by.high, 0), MAX_SHIFT)
    least = max(by.low, 0)
    if by.low == by.high and 0 <= by.low <= MAX_SHIFT:
        return Interval(a.low << least, a.high << least)
    return Interval(min(a.low << most, 0), max(a.high << most, 0))


def _shift_right(a: Interval, by: Interval) -> Interval:
    if by.low == by.high and by.low >= 0:
        return Interval(a.low >> by.low, a.high >> by.low)
    return Interval(min(a.low, 0), max(a.high >> max(by.low, 0), 0))


def _and(a: Interval, b: Interval) -> Interval:
    limits = [x.high for x in (a, b) if x.low >= 0]
    return Interval(0, min(limits)) if limits else _any_bits(a, b)


def _any_bits(a: Interval, b: Interval) -> Interval:
    """What any combination of two numbers' bits can be."""
    if a.low >= 0 and b.low >= 0:
        return Interval.unsigned(max(a.bits, b.bits))
    signed = [x if x.low < 0 else Interval(-1, x.high) for x in (a, b)]
    return Interval.signed(max(x.bits for x in signed))


def _two_comp(a: Interval, width: Interval) -> Interval:
    whole = Interval.signed(min(max(width.high, 0), MAX_SHIFT))
    return a if width.low == width.high and whole.contains(a) else whole


def _saturate_signed(a: Interval, width: Interval) -> Interval:
    half = 1 << max(min(width.high, MAX_SHIFT) - 1, 0)
    return Interval(max(-half, min(a.low, half - 1)), max(-half, min(a.high, half - 1)))


def _saturate_unsigned(a: Interval, width: Interval) -> Interval:
    most = (1 << max(min(width.high, MAX_SHIFT), 0)) - 1
    return Interval(max(0, min(a.low, most)), max(0, min(a.high, most)))


_BINARY = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _remainder,
    "<<": _shift_left,
    ">>": _shift_right,
    "&": _and,
    "|": _any_bits,
    "^": _any_bits,
    "two_comp_mod": _two_comp,
    "sat_cast": _saturate_signed,
    "usat_cast": _saturate_unsigned,
}
