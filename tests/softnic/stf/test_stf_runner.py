# SPDX-License-Identifier: Apache-2.0
"""Tests run on an engine: what each statement does to it, and which difference is shown when a test fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from softnic.frontend import load_program
from softnic.reference import ReferenceEngine
from softnic.stf import Difference, Result, StfError, parse_stf, run_test

COMPILED = Path(__file__).parents[2] / "p4/compiled"


def run(program_name: str, *lines: str) -> Result:
    program = load_program(COMPILED / f"{program_name}.json")
    return run_test(program, ReferenceEngine(program), parse_stf("\n".join(lines)))


def query(verb: int, *, small: int = 0, address: int = 0, port: int = 0, answer: int = 0) -> str:
    """A packet of tables.p4."""
    return f"{verb:02x} {small:02x} {address:08x} {port:04x} {answer:04x}"


EXACT, PREFIX, TERNARY, RANGE, OPTIONAL = range(5)
CONSTANT = 5


# ---- tables ---------------------------------------------------------------------------------------------------------


def test_an_entry_is_found_by_exact_key_and_counted_under_its_label():
    result = run(
        "tables",
        "add exact_table query.address:0x0a000001 small:7 answer_counted(value:0x1234) = A",
        "check_counter exact_hits($A)",
        f"packet 0 {query(EXACT, small=7, address=0x0A000001)}",
        f"expect 1 {query(EXACT, small=7, address=0x0A000001, answer=0x1234)} $",
        "wait",
        "check_counter exact_hits($A) packets == 1",
        "check_counter exact_hits($A) bytes >= 10",
    )
    assert result == Result(None)


@pytest.mark.parametrize(
    ("value", "prefix_len"), [("0x0a01****", 16), ("0x0a010000/16", 16), ("167837696/16", 16), ("0x0a010203", 32)]
)
def test_a_prefix_is_as_long_as_it_is_written(value, prefix_len):
    inside, outside = 0x0A010203, 0x0A010203 ^ 1 << (32 - prefix_len)
    result = run(
        "tables",
        f"add prefix_table query.address:{value} small:0 answer(value:1)",
        f"packet 0 {query(PREFIX, address=inside)}",
        f"expect 1 {query(PREFIX, address=inside, answer=1)}",
        f"packet 0 {query(PREFIX, address=outside)}",
        "no_packet",
    )
    assert result == Result(None)


def test_the_larger_priority_wins_and_digits_under_a_star_match_anything():
    result = run(
        "tables",
        "add ternary_table 1 query.address:0x0a****** answer(value:1)",
        "add ternary_table 2 query.address:0x0a0b**** answer(value:2)",
        f"packet 0 {query(TERNARY, address=0x0A0B0C0D)}",
        f"expect 1 {query(TERNARY, address=0x0A0B0C0D, answer=2)}",
        f"packet 0 {query(TERNARY, address=0x0AFF0000)}",
        f"expect 1 {query(TERNARY, address=0x0AFF0000, answer=1)}",
    )
    assert result == Result(None)


@pytest.mark.parametrize(("value", "matches_high_bits"), [("0x0d", True), ("13", False)])
def test_in_a_ternary_field_hex_digits_that_are_not_written_match_anything_but_a_decimal_number_is_whole(
    value, matches_high_bits
):
    result = run(
        "tables",
        f"add ternary_table 1 query.address:{value} answer(value:1)",
        f"packet 0 {query(TERNARY, address=0xFF00000D)}",
        f"expect 1 {query(TERNARY, address=0xFF00000D, answer=int(matches_high_bits))}",
    )
    assert result == Result(None)


def test_fields_that_are_not_named_match_anything():
    result = run(
        "tables",
        "add range_table 1 small:0x05 answer(value:1)",
        "add optional_table 1 answer(value:2)",
        f"packet 0 {query(RANGE, small=5, port=999)}",
        f"expect 1 {query(RANGE, small=5, port=999, answer=1)}",
        f"packet 0 {query(OPTIONAL, port=999)}",
        f"expect 1 {query(OPTIONAL, port=999, answer=2)}",
    )
    assert result == Result(None)


def test_setdefault_is_for_misses_and_remove_all_leaves_defaults_and_constant_entries():
    result = run(
        "tables",
        "setdefault ternary_table IngressPipe.answer(value:9)",
        "add ternary_table 1 answer(value:1)",
        f"packet 0 {query(TERNARY)}",
        f"expect 1 {query(TERNARY, answer=1)}",
        "remove all",
        f"packet 0 {query(TERNARY)}",
        f"expect 1 {query(TERNARY, answer=9)}",
        f"packet 0 {query(CONSTANT, port=0x10)}",
        f"expect 1 {query(CONSTANT, port=0x10, answer=1)}",
    )
    assert result == Result(None)


# ---- counters, registers, meters ------------------------------------------------------------------------------------


def test_counters_registers_and_meters_are_written_and_read():
    result = run(
        "externs",
        "counter_write received 1 10 1000",
        "packet 0 00 01 0000 00000000",
        "expect 1",
        "check_counter received(1) packets == 11",
        "check_counter received(1) bytes == 1008",
        "counter_read received 1",
        "register_write cells 2 0xabc",
        "register_read IngressPipe.cells 2",
        "packet 0 02 02 0000 00000000",
        "expect 1 02 02 0000 00000abc",
        "register_reset cells",
        "packet 0 02 02 0000 00000000",
        "expect 1 02 02 0000 00000000",
        "meter_get_rates policer 3",
        "meter_set_rates policer 3 0.000001:4 0.000002:5",
        "meter_get_rates policer 3",
        "packet 0 01 03 0000 00000000",
        "expect 1 01 03 0000 00000002",
        "meter_array_set_rates policer 1:400 2:500",
        "packet 0 01 00 0000 00000000",
        "expect 1 01 00 0000 00000000",
    )
    assert result == Result(
        None,
        notes=(
            "line 6: IngressPipe.received[1] = 11 packets, 1008 bytes",
            "line 8: IngressPipe.cells[2] = 2748",
            "line 14: IngressPipe.policer[3] = not configured",
            "line 16: IngressPipe.policer[3] = committed 1/s, burst 4; peak 2/s, burst 5",
        ),
    )


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("received(0) packets == 2", "received(0): expected packets == 2, counted 1"),
        ("received(0) bytes < 8", "received(0): expected bytes < 8, counted 8"),
        ("received(0)", "received(0): expected packets == 0, counted 1"),
    ],
)
def test_a_wrong_count_fails_at_its_line(check, message):
    result = run("externs", "packet 0 00 00 0000 00000000", "expect 1", f"check_counter {check}")
    assert result.difference == Difference(3, message)


# ---- replication ----------------------------------------------------------------------------------------------------


def test_a_group_sends_one_copy_for_each_port_of_its_nodes_and_follows_their_changes():
    result = run(
        "replication",
        "mc_mgrp_create 9",
        "mc_node_create 400 7 6 7",
        "mc_node_create 401 6",
        "mc_node_associate 9 0",
        "mc_node_associate 9 1",
        "packet 0 01 00 0009",
        "expect 6 01 00 0009 ** ** 0190",
        "expect 6 01 00 0009 ** ** 0191",
        "expect 7 01 00 0009 ** ** 0190",
        "mc_node_update 0 8",
        "packet 0 01 00 0009",
        "expect 8 01 00 0009 ** ** 0190",
        "expect 6 01 00 0009 ** ** 0191",
    )
    assert result == Result(None)


def test_a_mirroring_session_goes_to_a_port_or_to_a_group_that_is_filled_later():
    result = run(
        "replication",
        "mirroring_add 3 5",
        "mirroring_get 3",
        "packet 0 0a 00 0003",
        "expect 5 0a 00 0003",
        "mirroring_add_mc 3 9",
        "mirroring_get 3",
        "mc_mgrp_create 9",
        "mc_node_create 1 6",
        "mc_node_associate 9 0",
        "packet 0 0a 00 0003",
        "expect 6 0a 00 0003",
        "mirroring_delete 3",
        "packet 0 0a 00 0003",
        "no_packet",
    )
    assert result == Result(
        None,
        notes=("line 2: mirroring session 3 goes to port 5", "line 6: mirroring session 3 goes to multicast group 9"),
    )


# ---- what came out --------------------------------------------------------------------------------------------------

SENT = "packet 0 00 00 aaaa"
"""Comes out of port 2 of replication.p4 with a stamp of 6 bytes behind."""
STAMPED = bytes.fromhex("0000aaaa 00000000 0004")


@pytest.mark.parametrize("pattern", ["", "0000aaaa", "0*00 aa**", "0000aaaa 00000000 0004 $"])
def test_an_expectation_is_a_prefix_unless_it_ends_in_a_dollar(pattern):
    assert run("replication", f"expect 2 {pattern}", SENT) == Result(None)


@pytest.mark.parametrize("pattern", ["0000aaab", "0000aaaa$", "0000aaaa 00000000 0004 00"])
def test_a_packet_that_is_not_as_expected_is_shown_with_the_line_that_expected_it(pattern):
    result = run("replication", SENT, f"expect 2 {pattern}")
    assert result.difference == Difference(2, "the packet from port 2 differs", pattern.replace(" ", ""), STAMPED)


def test_packets_of_a_port_are_compared_in_their_order():
    lines = ["packet 0 00 01 0000", "packet 0 00 02 0000", "expect 2 0002", "expect 2 0001"]
    difference = run("replication", *lines).difference
    assert difference
    assert difference.line == 3


def test_a_packet_that_does_not_come_fails_the_line_that_expects_it():
    difference = Difference(3, "no packet came out of port 2", "0001")
    assert run("replication", SENT, "expect 2", "expect 2 0001").difference == difference


def test_a_packet_too_many_fails_the_line_that_caused_it():
    result = run("replication", SENT, SENT, "expect 2")
    message = "this packet made one come out of port 2 that is not expected"
    assert result.difference == Difference(2, message, None, STAMPED)


def test_packets_from_ports_that_no_line_names_are_counted_and_not_compared():
    assert run("replication", SENT, SENT) == Result(None, unseen={2: 2})


def test_no_packet_fails_when_the_last_packet_came_out_somewhere():
    result = run("replication", SENT, "no_packet")
    assert result.difference == Difference(2, "a packet came out of port 2", None, STAMPED)


# ---- what can't be run ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "line", "reason"),
    [
        ("tables", "add nat_table answer(value:1)", "there is no table nat_table"),
        ("tables", "setdefault table answer(value:1)", "there is no table table"),
        ("tables", "add prefix_table nat()", "there is no action of IngressPipe.prefix_table nat"),
        ("tables", "add prefix_table answer()", "takes (value), not ()"),
        ("tables", "add prefix_table answer(value:1, value:2)", "takes (value), not (value, value)"),
        ("tables", "add prefix_table answer(value:0x10000)", "argument value has 16 bits; 0x10000 does not fit"),
        ("tables", "add prefix_table port:1 answer(value:1)", "has no one key field port"),
        ("tables", "add prefix_table small:256 answer(value:1)", "the value of small has 8 bits"),
        ("tables", "add prefix_table small:0x1* answer(value:1)", "small is matched exactly"),
        ("tables", "add prefix_table small:1/4 answer(value:1)", "small is no lpm field"),
        ("tables", "add prefix_table address:1/33 answer(value:1)", "has at most 32 bits, not 33"),
        ("tables", "add range_table 1 port:1 answer(value:1)", "matched by range, which the format can't write"),
        ("tables", "add profile_table port:1 answer(value:1)", "has an action profile"),
        ("tables", "add constant_table 1 answer(value:1)", "entries of table IngressPipe.constant_table are constant"),
        ("tables", "check_counter exact_hits($A) packets == 1", "no entry was added as A"),
        ("externs", "check_counter received(4) packets == 1", "has no index 4"),
        ("externs", "check_counter sent(0) packets == 1", "there is no counter sent"),
        ("externs", "register_read counts 0", "there is no register counts"),
        ("externs", "register_write cells 0 0x1000", "a cell of IngressPipe.cells has 12 bits"),
        ("externs", "meter_get_rates police 0", "there is no meter police"),
        ("replication", "mc_node_associate 1 0", "there is no node 0"),
        ("replication", "mc_node_update 0 1", "there is no node 0"),
        ("replication", "mirroring_get 1", "there is no mirroring session 1"),
        ("replication", "mirroring_delete 1", "there is no mirroring session 1"),
        ("replication", "no_packet", "no packet was sent yet"),
    ],
)
def test_a_statement_that_the_program_has_no_place_for_stops_the_test_at_its_line(program, line, reason):
    with pytest.raises(StfError) as stopped:
        run(program, "wait", line)
    assert stopped.value.line == 2
    assert reason in stopped.value.reason


LABELLED = "add entries probe.kind:1 NoAction() = A"


@pytest.mark.parametrize(
    ("program", "lines", "reason"),
    [
        ("resources", [LABELLED, "check_counter hits($A) packets == 0"], "there is no direct counter hits"),
        (
            "resources",
            [LABELLED, "check_counter total_counter($A) packets == 0"],
            "total_counter counts IngressPipe.all_packets; A is in IngressPipe.entries",
        ),
        ("tables", ["add ternary_table 1 NoAction()"] * 2, "has that entry already"),
        ("replication", ["mc_mgrp_create 1", "mc_mgrp_create 1"], "multicast group 1 is there already"),
        ("replication", ["mc_node_create 0 1", "mc_node_associate 1 0"], "make it first: mc_mgrp_create 1"),
        (
            "replication",
            ["mc_node_create 0 1", "mc_mgrp_create 1", "mc_node_associate 1 0", "mc_node_associate 1 0"],
            "node 0 is in a group already",
        ),
    ],
)
def test_a_statement_that_the_state_does_not_allow_stops_the_test(program, lines, reason):
    with pytest.raises(StfError) as stopped:
        run(program, *lines)
    assert stopped.value.line == len(lines)
    assert reason in stopped.value.reason
