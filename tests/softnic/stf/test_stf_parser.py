# SPDX-License-Identifier: Apache-2.0
"""The STF format, statement by statement, and what is said about a line that is none."""

from __future__ import annotations

import pytest

from softnic.stf import StfError, parse_stf
from softnic.stf import statements as stf


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("packet 3 0a0B 0c", stf.Packet(1, 3, b"\x0a\x0b\x0c")),
        ("PACKET 3 0a", stf.Packet(1, 3, b"\x0a")),
        ("expect 3", stf.Expect(1, 3, None)),
        ("expect 3 0A ** *c", stf.Expect(1, 3, "0a***c")),
        ("expect 3 0a $", stf.Expect(1, 3, "0a", is_exact=True)),
        ("expect 3 0a$ # that is all", stf.Expect(1, 3, "0a", is_exact=True)),
        ("expect 3 $", stf.Expect(1, 3, "", is_exact=True)),
        ("no_packet", stf.NoPacket(1)),
        ("wait", stf.Wait(1)),
        ("remove all", stf.RemoveAll(1)),
        ("setdefault t act(port:2)", stf.SetDefault(1, "t", stf.Call("act", (("port", 2),)))),
        ("check_counter c(10)", stf.CheckCounter(1, "c", 10, None, "==", 0)),
        ("check_counter c($A) packets >= 0x10", stf.CheckCounter(1, "c", "A", "packets", ">=", 16)),
        ("check_counter a.c(A) bytes != 7", stf.CheckCounter(1, "a.c", "A", "bytes", "!=", 7)),
        ("counter_read c 1", stf.CounterRead(1, "c", 1)),
        ("counter_write c 1 2 3", stf.CounterWrite(1, "c", 1, 2, 3)),
        ("register_read a.r 1", stf.RegisterRead(1, "a.r", 1)),
        ("register_write r 1 0xff", stf.RegisterWrite(1, "r", 1, 255)),
        ("register_reset r", stf.RegisterReset(1, "r")),
        ("meter_get_rates m 1", stf.MeterGetRates(1, "m", 1)),
        ("meter_set_rates m 1 0.000005:4 2:5", stf.MeterSetRates(1, "m", 1, stf.Rate(5, 4), stf.Rate(2_000_000, 5))),
        (
            "meter_array_set_rates m 1:4 2:5",
            stf.MeterSetRates(1, "m", None, stf.Rate(10**6, 4), stf.Rate(2 * 10**6, 5)),
        ),
        ("mc_mgrp_create 7", stf.GroupCreate(1, 7)),
        ("mc_node_create 400 6 7", stf.NodeCreate(1, 400, (6, 7))),
        ("mc_node_update 0 8", stf.NodeUpdate(1, 0, (8,))),
        ("mc_node_associate 7 0", stf.NodeAssociate(1, 7, 0)),
        ("mirroring_add 1 5", stf.MirrorToPort(1, 1, 5)),
        ("mirroring_add_mc 1 7", stf.MirrorToGroup(1, 1, 7)),
        ("mirroring_delete 1", stf.MirrorDelete(1, 1)),
        ("mirroring_get 1", stf.MirrorGet(1, 1)),
    ],
)
def test_a_line_is_a_statement(text, statement):
    assert parse_stf(text) == (statement,)


def test_an_entry_has_a_priority_matches_arguments_and_a_label():
    (added,) = parse_stf("add tbl 10 h.f:0x0a**/8 stack$1.g:3 data.$valid$:0b1 act(x:1, y:0x2) = $A")
    assert added == stf.Add(
        line=1,
        table="tbl",
        priority=10,
        matches=(
            stf.Match("h.f", stf.Number(0x0A00, 0xFF00, 16), prefix_len=8),
            stf.Match("stack[1].g", stf.Number(3)),
            stf.Match("data.$valid$", stf.Number(1, 1, 1)),
        ),
        call=stf.Call("act", (("x", 1), ("y", 2))),
        label="A",
    )


def test_an_entry_needs_neither_priority_nor_matches():
    assert parse_stf('add "a table" act()') == (stf.Add(1, "a table", 0, (), stf.Call("act", ()), None),)


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("12", stf.Number(12)),
        ("0x1*2", stf.Number(0x102, 0xF0F, 12)),
        ("0b1*01", stf.Number(0b1001, 0b1011, 4)),
        ("0o7*", stf.Number(0o70, 0o70, 6)),
    ],
)
def test_a_star_hides_one_digit_of_any_base(digits, number):
    (added,) = parse_stf(f"add t f:{digits} act()")
    assert isinstance(added, stf.Add)
    assert added.matches[0].number == number


def test_comments_and_empty_lines_say_nothing_and_lines_keep_their_numbers():
    assert parse_stf("# packet 1 00\n\n\t wait# here\nexpect\t1\n") == (stf.Wait(3), stf.Expect(4, 1, None))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("pakcet 1 00", "'pakcet' begins no statement"),
        ("packet 1", "a packet is a port and hexadecimal digits"),
        ("packet 1 0a $", "a packet is a port and hexadecimal digits"),
        ("packet 1 0a0", "whole bytes"),
        ("packet 1 0*", "whole bytes"),
        ("packet one 00", "expected a port number"),
        ("expect 1 xyz", "expected a port number"),
        ("wait 3", "the statement should end before '3'"),
        ("remove some", "remove all"),
        ("add t f:1", "expected a name, found 'the end of the line'"),
        ("add t f: act()", "expected a number, found 'act'"),
        ("add t act(x:1", "expected ',', found 'the end of the line'"),
        ("add t act(x:0x1*)", "write all digits"),
        ("add t f:1.5 act()", "1.5 should be a whole number"),
        ("setdefault t ?", "can't read '?'"),
        ("check_counter c(1) packets 3", "packets or bytes, a comparison and a number"),
        ("register_read r", "expected a number"),
        ("meter_set_rates m 1 0x1:4 2:5", "a rate is a decimal number, not 0x1"),
    ],
)
def test_a_line_that_is_no_statement_is_refused_with_its_number(text, reason):
    with pytest.raises(StfError) as refused:
        parse_stf(f"wait\n{text}\n")
    assert refused.value.line == 2
    assert reason in refused.value.reason
