# SPDX-License-Identifier: Apache-2.0
"""Parsing, header stacks, unions, varbits and checksums (tests/p4/headers.p4).

What comes out starts with a verdict: parser error, checksum error, whether a signed field was negative, and a depth.
"""

from __future__ import annotations

import pytest

from softnic.engine import Engine
from softnic.reference.hashes import internet_checksum

PROGRAM = "headers"

NO_ERROR, TOO_SHORT, STACK_FULL, HEADER_TOO_SHORT, INVALID_ARGUMENT, TIMEOUT, LABEL_TOO_GREAT = range(7)
LABELS, SHORT_NUMBER, LONG_NUMBER, OPTIONS, SUMMED, SKIP, PEEK = range(1, 8)
ENDLESS = 255
LEAVE, PUSH, POP, MAKE_LARGE, INDEX = range(5)


def label(value: int, bottom: bool = False, ttl: int = 0) -> bytes:
    return (value << 12 | bottom << 8 | ttl).to_bytes(4, "big")


def process(engine: Engine, kind: int, rest: bytes = b"", then: int = LEAVE) -> tuple[list[int], bytes]:
    """The verdict's four bytes, and what follows the kind header."""
    (output,) = engine.process(0, bytes([kind, then]) + rest)
    return list(output.data[:4]), output.data[6:]


# ---- parsing --------------------------------------------------------------------------------------------------------


def test_header_of_exactly_the_packets_length_is_extracted(engine: Engine) -> None:
    assert process(engine, SHORT_NUMBER, b"\x12\x34") == ([NO_ERROR, 0, 0, 0], b"\x12\x34")


def test_header_one_byte_short_is_an_error_and_stays_in_the_payload(engine: Engine) -> None:
    assert process(engine, LONG_NUMBER, b"abc") == ([TOO_SHORT, 0, 0, 0], b"abc")


@pytest.mark.parametrize("kind", [8, 9])
def test_select_takes_both_ends_of_a_range(engine: Engine, kind: int) -> None:
    assert process(engine, kind, b"a")[0][0] == TOO_SHORT


@pytest.mark.parametrize(("kind", "error"), [(0x20, TOO_SHORT), (0x2F, TOO_SHORT), (0x30, NO_ERROR)])
def test_select_with_a_mask_looks_at_the_masked_bits_only(engine: Engine, kind: int, error: int) -> None:
    assert process(engine, kind)[0][0] == error


def test_empty_value_set_matches_nothing(engine: Engine) -> None:
    assert process(engine, 0x77) == ([NO_ERROR, 0, 0, 0], b"")


def test_value_set_matches_its_members(engine: Engine) -> None:
    engine.set_value_set("Parse.strangers", [(0x77,)])
    assert process(engine, 0x77)[0][0] == TOO_SHORT
    assert process(engine, 0x78)[0][0] == NO_ERROR


def test_verify_raises_the_programs_error_and_keeps_what_was_extracted(engine: Engine) -> None:
    labels = label(0xF0000)
    assert process(engine, LABELS, labels) == ([LABEL_TOO_GREAT, 0, 0, 0], labels)


@pytest.mark.parametrize(("bits", "left"), [(0, b"abcd"), (8, b"bcd"), (32, b"")])
def test_advance_consumes_whole_bytes(engine: Engine, bits: int, left: bytes) -> None:
    (output,) = engine.process(0, bytes([SKIP, bits]) + b"abcd")
    assert (output.data[0], output.data[6:]) == (NO_ERROR, left)


@pytest.mark.parametrize(("bits", "error"), [(7, INVALID_ARGUMENT), (40, TOO_SHORT)])
def test_advance_by_part_of_a_byte_or_beyond_the_end_is_an_error(engine: Engine, bits: int, error: int) -> None:
    (output,) = engine.process(0, bytes([SKIP, bits]) + b"abcd")
    assert (output.data[0], output.data[6:]) == (error, b"abcd")


def test_lookahead_reads_without_consuming(engine: Engine) -> None:
    assert process(engine, PEEK, b"\x12\x34\x56") == ([NO_ERROR, 0, 0, 0x34], b"\x12\x34\x56")


def test_lookahead_beyond_the_end_is_an_error(engine: Engine) -> None:
    assert process(engine, PEEK, b"\x12")[0][0] == TOO_SHORT


def test_parser_that_loops_without_consuming_is_stopped(engine: Engine) -> None:
    assert process(engine, ENDLESS, b"abc") == ([TIMEOUT, 0, 0, 0], b"abc")
    assert engine.anomalies == {"parser-endless": 1}


# ---- stacks ---------------------------------------------------------------------------------------------------------


def test_stack_takes_as_many_headers_as_it_has_room_for(engine: Engine) -> None:
    labels = label(1) + label(2) + label(3, bottom=True)
    assert process(engine, LABELS, labels) == ([NO_ERROR, 0, 0, 3], labels)


def test_one_header_too_many_is_an_error_and_stays_in_the_payload(engine: Engine) -> None:
    labels = label(1) + label(2) + label(3) + label(4)
    assert process(engine, LABELS, labels) == ([STACK_FULL, 0, 0, 3], labels)


def test_push_shifts_the_stack_and_drops_what_falls_off_its_end(engine: Engine) -> None:
    labels = label(1) + label(2) + label(3, bottom=True)
    assert process(engine, LABELS, labels, PUSH)[1] == label(0xAAAAA) + label(1) + label(2)


def test_pop_shifts_the_stack_towards_the_front(engine: Engine) -> None:
    labels = label(1) + label(2) + label(3, bottom=True)
    assert process(engine, LABELS, labels, POP)[1] == label(2) + label(3, bottom=True)


def test_pop_from_an_empty_stack_changes_nothing(engine: Engine) -> None:
    assert process(engine, 0, b"rest", POP) == ([NO_ERROR, 0, 0, 0], b"rest")


def test_element_is_chosen_by_a_field_of_the_packet(engine: Engine) -> None:
    labels = label(1, ttl=1) + label(2, bottom=True)
    assert process(engine, LABELS, labels, INDEX)[1] == label(1, ttl=1) + label(0xBBBBB, bottom=True)


@pytest.mark.parametrize("index", [3, 255])
def test_index_beyond_the_stack_changes_nothing_but_is_counted(engine: Engine, index: int) -> None:
    labels = label(1, ttl=index, bottom=True)
    assert process(engine, LABELS, labels, INDEX)[1] == labels
    assert engine.anomalies["stack-index-out-of-range"] > 0


# ---- unions ---------------------------------------------------------------------------------------------------------


def test_making_a_member_valid_invalidates_the_other(engine: Engine) -> None:
    assert process(engine, SHORT_NUMBER, b"\x12\x34", MAKE_LARGE)[1] == bytes([1, 2, 3, 4])


# ---- varbits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 8])
def test_varbit_takes_the_length_the_program_says(engine: Engine, length: int) -> None:
    header = bytes([length]) + b"optional"[:length] + b"T"
    assert process(engine, OPTIONS, header + b"rest") == ([NO_ERROR, 0, 0, 0], header + b"rest")


def test_varbit_longer_than_its_maximum_is_an_error(engine: Engine) -> None:
    header = bytes([9]) + b"optionals" + b"T"
    assert process(engine, OPTIONS, header) == ([HEADER_TOO_SHORT, 0, 0, 0], header)


def test_varbit_longer_than_the_packet_is_an_error(engine: Engine) -> None:
    assert process(engine, OPTIONS, bytes([8]) + b"short")[0][0] == TOO_SHORT


# ---- checksums and signed fields ------------------------------------------------------------------------------------


def summed(signed: int, flag: int, payload: bytes, error: int = 0) -> bytes:
    covered = bytes([signed & 0xFF, flag])
    return ((internet_checksum(covered + payload) + error) & 0xFFFF).to_bytes(2, "big") + covered + payload


def test_right_checksum_is_no_error(engine: Engine) -> None:
    data = summed(1, 2, b"payload")
    assert process(engine, SUMMED, data) == ([NO_ERROR, 0, 0, 0], data)


def test_wrong_checksum_is_flagged_and_put_right(engine: Engine) -> None:
    right, wrong = summed(1, 2, b"payload"), summed(1, 2, b"payload", error=1)
    assert process(engine, SUMMED, wrong) == ([NO_ERROR, 1, 0, 0], right)


@pytest.mark.parametrize(("signed", "negative"), [(127, 0), (-1, 1), (-128, 1)])
def test_signed_field_is_read_in_twos_complement(engine: Engine, signed: int, negative: int) -> None:
    data = summed(signed, 0, b"")
    assert process(engine, SUMMED, data) == ([NO_ERROR, 0, negative, 0], data)


def test_packet_too_short_for_its_first_header_passes_through(engine: Engine) -> None:
    outputs = [engine.process(0, data)[0].data for data in (b"", b"x")]
    assert outputs == [bytes([TOO_SHORT, 0, 0, 0]), bytes([TOO_SHORT, 0, 0, 0]) + b"x"]


@pytest.mark.parametrize("kind", [*range(10), 0x20, ENDLESS])
def test_every_prefix_of_a_packet_is_processed(engine: Engine, kind: int) -> None:
    whole = bytes([kind, 0, 4]) + bytes(range(1, 30))
    for length in range(len(whole) + 1):
        (output,) = engine.process(0, whole[:length])
        assert len(output.data) <= 4 + length
