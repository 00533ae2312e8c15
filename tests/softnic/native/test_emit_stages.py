# SPDX-License-Identifier: Apache-2.0
"""Where packets of a vector wait, so that shared state is met in order of arrival."""

from __future__ import annotations

import pytest

from softnic import ir
from softnic.native.emit.stages import Cut, TableStage, plan

PLAIN = ir.Action(0, "plain", (), ())
SEQUENCE, OTHER = ir.Register("sequence", 16, 32), ir.Register("other", 16, 32)


def writes(register: ir.Register) -> ir.Action:
    return ir.Action(1, "writes", (), (ir.WriteRegister(register, ir.Const(0), ir.Const(1)),))


def table(following: int | None, action: ir.Action = PLAIN) -> ir.Table:
    key = (ir.KeyField("f", ir.MatchKind.EXACT, ir.Const(0), 8, 0xFF),)
    actions = (ir.TableAction(action, following, following),)
    return ir.Table("t", ir.MatchKind.EXACT, key, 16, actions, None, False, (), False, following)


def call(following: int | None, action: ir.Action) -> ir.DirectCall:
    return ir.DirectCall("call", action, following)


def branch(if_true: int | None, if_false: int | None) -> ir.Branch:
    return ir.Branch("if", ir.BoolConst(True), if_true, if_false)


def planned(*nodes: ir.Node):
    pipeline = ir.Pipeline("ingress", nodes, 0)
    return plan(pipeline, frozenset(at for at, node in enumerate(nodes) if isinstance(node, ir.Table)))


def test_every_table_parks_where_nothing_is_shared():
    assert planned(table(1), table(None)).stages == (TableStage(0, always=False), TableStage(1, always=False))


def test_stages_follow_the_graph_and_not_the_numbers_of_nodes():
    assert planned(branch(2, 1), table(None), table(1)).order == (0, 2, 1)


def test_the_only_table_that_touches_a_register_always_parks():
    assert planned(table(1), table(None, writes(SEQUENCE))).stages == (
        TableStage(0, always=False),
        TableStage(1, always=True),
    )


def test_nobody_parks_between_two_nodes_that_touch_the_same_register():
    stages = planned(table(1), table(2, writes(SEQUENCE)), table(3), table(None, writes(SEQUENCE))).stages
    assert stages == (TableStage(0, always=False), Cut(1, 3))


def test_spans_of_two_registers_that_overlap_are_one():
    writers = [writes(SEQUENCE), writes(OTHER), writes(SEQUENCE), writes(OTHER)]
    stages = planned(table(1), *(call(at + 2, action) for at, action in enumerate(writers)), table(None)).stages
    assert stages == (TableStage(0, always=False), Cut(1, 4), TableStage(5, always=False))


def test_no_cut_stands_where_nobody_has_parked_yet():
    assert planned(call(1, writes(SEQUENCE)), table(None)).stages == (TableStage(1, always=False),)


def test_a_packet_that_goes_round_the_parking_table_waits_at_the_cut():
    """0 branches to the table 1 or straight to 2, which writes a register."""
    way = planned(branch(1, 2), table(2), call(3, writes(SEQUENCE)), table(None))
    assert [way.cut_between(0, 2), way.cut_between(1, 2), way.cut_between(0, 1), way.cut_between(2, 3)] == [
        2,
        2,
        None,
        None,
    ]


def test_a_packet_that_passes_by_the_shared_state_does_not_wait():
    way = planned(table(1), branch(2, 3), call(3, writes(SEQUENCE)), call(None, PLAIN))
    assert way.cut_between(1, 3) is None


def test_a_loop_has_no_stages():
    assert planned(table(1), branch(0, None)).stages == ()


@pytest.mark.parametrize("unreachable", [table(None), call(None, PLAIN)])
def test_what_cannot_be_reached_is_left_out(unreachable: ir.Node):
    assert planned(table(None), unreachable).order == (0,)
