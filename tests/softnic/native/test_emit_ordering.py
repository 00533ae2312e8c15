# SPDX-License-Identifier: Apache-2.0
"""Where packets may overtake one another, and where some would meet shared state in another order."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from softnic import ir
from softnic.frontend import load_program
from softnic.native.emit.ordering import may_overtake

COMPILED = Path(__file__).parents[2] / "p4/compiled"
CELLS = ir.Register("cells", 16, 32)
FIELDS = ir.FieldList(1, "kept", ())
WRITE = ir.WriteRegister(CELLS, ir.Const(0), ir.Const(1))
RESUBMIT, RECIRCULATE, CLONE = ir.Resubmit(FIELDS), ir.Recirculate(FIELDS), ir.Clone(ir.Const(1), FIELDS)


def pipeline(*statements: ir.Statement) -> ir.Pipeline:
    return ir.Pipeline("pipeline", (ir.DirectCall("call", ir.Action(0, "act", (), statements), None),), 0)


def program(ingress: list[ir.Statement], egress: list[ir.Statement], parser: list[ir.Statement]) -> ir.Program:
    """labels.p4, which has no state, with pipelines and a parser of these statements."""
    base = load_program(COMPILED / "labels.json")
    states = (ir.ParserState("start", tuple(parser), (), (), None),)
    return replace(base, ingress=pipeline(*ingress), egress=pipeline(*egress), parser=ir.Parser(states, 0))


@pytest.mark.parametrize(
    ("ingress", "egress", "parser"),
    [
        ([], [], []),
        ([RESUBMIT, CLONE], [RECIRCULATE, CLONE], []),
        ([WRITE, CLONE], [], []),
        ([WRITE], [CLONE], []),
        ([RESUBMIT], [WRITE], []),
    ],
    ids=["stateless", "stateless, copied", "ingress clone", "egress clone of stateless egress", "resubmit"],
)
def test_packets_may_overtake_where_state_is_met_in_order(
    ingress: list[ir.Statement], egress: list[ir.Statement], parser: list[ir.Statement]
) -> None:
    assert may_overtake(program(ingress, egress, parser))


@pytest.mark.parametrize(
    ("ingress", "egress", "parser"),
    [
        ([WRITE], [WRITE], []),
        ([WRITE], [], [WRITE]),
        ([WRITE, RESUBMIT], [], []),
        ([WRITE], [RECIRCULATE], []),
        ([], [WRITE, RECIRCULATE], []),
        ([], [WRITE, CLONE], []),
        ([CLONE], [], [WRITE]),
    ],
    ids=[
        "shared by pipelines",
        "shared with the parser",
        "ingress twice by resubmission",
        "ingress twice by recirculation",
        "egress twice by recirculation",
        "egress of a clone",
        "parser twice for a clone",
    ],
)
def test_packets_stay_in_line_where_others_would_meet_state_out_of_order(
    ingress: list[ir.Statement], egress: list[ir.Statement], parser: list[ir.Statement]
) -> None:
    assert not may_overtake(program(ingress, egress, parser))
