# SPDX-License-Identifier: Apache-2.0
"""Arithmetic: unlimited until stored, then cut, wrapped or clamped to the field."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic import ir
from softnic.reference.expressions import Expressions, fit, two_complement
from softnic.reference.packet import Layout, Packet

widths = st.integers(2, 130)
numbers = st.integers(-(1 << 140), 1 << 140)


def evaluate(op: ir.BinaryOp, left: int, right: int) -> tuple[int, Counter[str]]:
    anomalies: Counter[str] = Counter()
    expressions = Expressions(EMPTY, {}, anomalies)
    return expressions.value(ir.Binary(op, ir.Const(left), ir.Const(right)))(BLANK), anomalies


class _NoHeaders:
    headers = stacks = unions = union_stacks = ()


EMPTY = Layout(_NoHeaders())  # type: ignore[arg-type]
BLANK = Packet(EMPTY, b"", 0)


@given(widths, numbers)
def test_unsigned_field_keeps_the_low_bits(width: int, value: int) -> None:
    assert fit(ir.Field(0, "f", 0, width))(value) == value % (1 << width)


@given(widths, numbers)
def test_signed_field_keeps_the_low_bits_in_twos_complement(width: int, value: int) -> None:
    stored = fit(ir.Field(0, "f", 0, width, signed=True))(value)
    assert -(1 << (width - 1)) <= stored < 1 << (width - 1)
    assert (stored - value) % (1 << width) == 0


@given(widths, numbers, st.booleans())
def test_saturating_field_stops_at_its_ends(width: int, value: int, signed: bool) -> None:
    low, high = (-(1 << (width - 1)), (1 << (width - 1)) - 1) if signed else (0, (1 << width) - 1)
    stored = fit(ir.Field(0, "f", 0, width, signed=signed, saturating=True))(value)
    assert stored == sorted([low, value, high])[1]


@pytest.mark.parametrize(("value", "width", "expected"), [(257, 8, 1), (-129, 8, 127), (128, 8, -128), (5, 0, 0)])
def test_two_comp_mod_matches_the_examples_of_the_format(value: int, width: int, expected: int) -> None:
    assert two_complement(value, width) == expected


@given(numbers, numbers)
def test_sums_and_products_are_exact(left: int, right: int) -> None:
    assert [evaluate(op, left, right)[0] for op in ("+", "-", "*")] == [left + right, left - right, left * right]


@pytest.mark.parametrize(("op", "left", "right"), [("/", 5, 0), ("%", 5, 0), ("/", -5, 2), ("%", 5, -2)])
def test_undefined_division_is_zero_and_counted(op: ir.BinaryOp, left: int, right: int) -> None:
    assert evaluate(op, left, right) == (0, Counter({"division-undefined": 1}))


@pytest.mark.parametrize("op", ["<<", ">>"])
def test_shift_by_a_negative_number_is_zero_and_counted(op: ir.BinaryOp) -> None:
    assert evaluate(op, 5, -1) == (0, Counter({"shift-negative": 1}))


@pytest.mark.parametrize("by", [1 << 20, 1 << 40, 1 << 100])
def test_shift_beyond_any_field_leaves_nothing_and_costs_nothing(by: int) -> None:
    assert [evaluate(op, 5, by)[0] for op in ("<<", ">>")] == [0, 0]


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [("sat_cast", 200, 127), ("sat_cast", -200, -128), ("usat_cast", 300, 255), ("usat_cast", -1, 0)],
)
def test_saturating_cast_clamps(op: ir.BinaryOp, value: int, expected: int) -> None:
    assert evaluate(op, value, 8)[0] == expected
