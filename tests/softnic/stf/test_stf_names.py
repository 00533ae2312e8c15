# SPDX-License-Identifier: Apache-2.0
"""Short names: which object they stand for, and how validity is spelled in a key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softnic import ir
from softnic.engine import Exact
from softnic.frontend import load_program
from softnic.stf.names import Names, ResolveError, entry
from softnic.stf.statements import Call, Match, Number

COMPILED = Path(__file__).parents[2] / "p4/compiled"


@pytest.fixture
def program() -> ir.Program:
    return load_program(COMPILED / "tables.json")


def names_of_registers(program: ir.Program, *names: str) -> Names:
    return Names(replace(program, registers=tuple(ir.Register(name, 1, 8) for name in names)))


@pytest.mark.parametrize(("name", "found"), [("a.b.r", "a.b.r"), ("b.r", "a.b.r"), ("r", "r"), ("z.r", "z.r")])
def test_a_name_stands_for_the_object_called_so_or_for_the_one_whose_name_ends_so(program, name, found):
    assert names_of_registers(program, "a.b.r", "z.r", "r", "other").register(name).name == found


def test_a_name_that_may_stand_for_two_objects_is_refused_with_both(program):
    with pytest.raises(ResolveError, match=r"r may be any register of a\.r, b\.r; write more"):
        names_of_registers(program, "a.r", "b.r").register("r")


def test_a_name_ends_where_a_part_of_the_qualified_name_does(program):
    with pytest.raises(ResolveError, match="there is no register r; there are bar"):
        names_of_registers(program, "bar").register("r")


@pytest.mark.parametrize("spelled", ["hdr.data.$valid$", "data.$valid$", "data.$valid", "data.valid", "data", "valid"])
def test_the_validity_of_a_header_has_many_spellings(program, spelled):
    table = Names(program).table("branching_table")
    validity = replace(table.key[0], name="hdr.data.$valid$", kind=ir.MatchKind.VALID, width=1)
    matches = [Match(spelled, Number(1))]
    assert entry(replace(table, key=(validity,)), 0, matches, Call("NoAction", ())).key == (Exact(1),)
