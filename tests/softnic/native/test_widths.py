# SPDX-License-Identifier: Apache-2.0
"""Intervals contain what expressions can be, and name the smallest type that holds it."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic import ir
from softnic.native.emit.errors import UnsupportedError
from softnic.native.emit.widths import Given, Interval, Type, interval
from softnic.reference.expressions import Expressions
from softnic.reference.packet import Layout, Packet

_OPERATORS: tuple[ir.BinaryOp, ...] = ("+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^")
_CASTS: tuple[ir.BinaryOp, ...] = ("two_comp_mod", "sat_cast", "usat_cast")
numbers = st.integers(-(1 << 70), 1 << 70) | st.integers(-4, 4)


class _NoHeaders:
    headers = stacks = unions = union_stacks = ()


EMPTY = Layout(_NoHeaders())  # type: ignore[arg-type]


def evaluate(expr: ir.Expr) -> int:
    return Expressions(EMPTY, {}, Counter()).value(expr)(Packet(EMPTY, b"", 0))


@st.composite
def within(draw: st.DrawFn, low: st.SearchStrategy[int]) -> tuple[int, Given]:
    """A number and an operand of which no more is known than an interval around that number."""
    number = draw(low)
    below, above = draw(st.integers(0, 1 << 66)), draw(st.integers(0, 300))
    return number, Given("x", Interval(number - below, number + above))


@pytest.mark.parametrize("op", _OPERATORS)
@given(within(numbers), within(numbers))
def test_interval_contains_the_result(op: ir.BinaryOp, left: tuple[int, Given], right: tuple[int, Given]) -> None:
    result = evaluate(ir.Binary(op, ir.Const(left[0]), ir.Const(right[0])))
    bounds = interval(ir.Binary(op, left[1], right[1]))  # type: ignore[arg-type]
    assert bounds.low <= result <= bounds.high


@pytest.mark.parametrize("op", _CASTS)
@given(within(numbers), st.integers(0, 140))
def test_interval_contains_what_a_cast_yields(op: ir.BinaryOp, left: tuple[int, Given], width: int) -> None:
    result = evaluate(ir.Binary(op, ir.Const(left[0]), ir.Const(width)))
    bounds = interval(ir.Binary(op, left[1], ir.Const(width)))  # type: ignore[arg-type]
    assert bounds.low <= result <= bounds.high


@given(within(numbers))
def test_interval_contains_the_complement(operand: tuple[int, Given]) -> None:
    bounds = interval(ir.Unary("~", operand[1]))  # type: ignore[arg-type]
    assert bounds.low <= ~operand[0] <= bounds.high


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, (1 << 64) - 1, Type.WORD),
        (0, 1 << 64, Type.DOUBLE),
        (-1, (1 << 63) - 1, Type.WORD),
        (-1, 1 << 63, Type.DOUBLE),
        (-(1 << 127), 0, Type.DOUBLE),
        (-(1 << 127) - 1, 0, Type.WIDE),
        (0, (1 << 4096) - 1, Type.WIDE),
    ],
)
def test_type_is_the_smallest_that_holds_the_interval(low: int, high: int, expected: Type) -> None:
    assert Interval(low, high).type is expected


def test_number_of_more_than_4096_bits_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="4097 bits"):
        _ = Interval(0, 1 << 4096).type
