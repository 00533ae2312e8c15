# SPDX-License-Identifier: Apache-2.0
"""How a difference is shown: rows of 16 bytes, marks under what differs."""

from __future__ import annotations

import pytest

from softnic.stf import Difference
from softnic.stf.report import render_difference


def shown(expected: str | None, got: bytes | None) -> str:
    return "\n".join(render_difference(Difference(1, "differs", expected, got)))


def test_marks_stand_under_the_bytes_that_differ():
    assert shown("0a**0c0d", bytes.fromhex("0aff0c0e")) == (
        "  expected  0000  0a ** 0c 0d\n"
        "  got       0000  0a ff 0c 0e\n"
        "                           ^^"
    )  # fmt: skip


def test_rows_that_do_not_differ_are_left_out():
    assert shown("00" * 16 + "01", bytes(17)) == (
        "  expected  0010  01\n"
        "  got       0010  00\n"
        "                  ^^"
    )  # fmt: skip


def test_bytes_that_are_missing_are_marked():
    assert shown("0a0b", b"\x0a") == (
        "  expected  0000  0a 0b\n"
        "  got       0000  0a\n"
        "                     ^^"
    )  # fmt: skip


def test_bytes_behind_the_pattern_are_marked_if_it_is_exact():
    assert shown("0a$", b"\x0a\x0b") == (
        "  expected  0000  0a\n"
        "  got       0000  0a 0b\n"
        "                     ^^"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "got", "rows"),
    [
        ("0a**", None, "  expected  0000  0a **"),
        (None, b"\x0a", "  got       0000  0a"),
        (None, None, ""),
    ],
)
def test_a_packet_without_another_is_shown_whole(expected, got, rows):
    assert shown(expected, got) == rows
