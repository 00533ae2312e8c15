# SPDX-License-Identifier: Apache-2.0
"""Counters, meters, registers, digests and the other externs (tests/p4/externs.p4)."""

from __future__ import annotations

import logging
import zlib

import pytest
from clocks import ManualClock

from softnic.engine import CounterValue, Digest, Engine, EntryNotFound, MeterRates

PROGRAM = "externs"

COUNT, METER, READ, WRITE, DIGEST, TWO_DIGESTS, HASH, RANDOM, ASSERT, LOG, ARITHMETIC, LOOP, EXIT = range(13)
OUT_OF_RANGE = 4
GREEN, YELLOW, RED = 0, 1, 2


def request(verb: int, index: int = 0, operand: int = 0, padding: int = 0) -> bytes:
    return bytes([verb, index]) + operand.to_bytes(2, "big") + bytes(4) + bytes(padding)


def result(engine: Engine, verb: int, index: int = 0, operand: int = 0, padding: int = 0) -> int:
    (output,) = engine.process(7, request(verb, index, operand, padding))
    return int.from_bytes(output.data[4:8], "big")


# ---- counters -------------------------------------------------------------------------------------------------------


def test_counter_counts_packets_and_bytes_at_its_index(engine: Engine) -> None:
    for padding in (0, 10):
        result(engine, COUNT, 2, padding=padding)
    assert engine.read_counter("IngressPipe.received", 2) == CounterValue(2, 8 + 18)
    assert engine.read_counter("IngressPipe.received", 1) == CounterValue(0, 0)


def test_written_counter_counts_on_from_there(engine: Engine) -> None:
    engine.write_counter("IngressPipe.received", 0, CounterValue(10, 100))
    result(engine, COUNT, 0)
    assert engine.read_counter("IngressPipe.received", 0) == CounterValue(11, 108)


@pytest.mark.parametrize("index", [-1, 4])
def test_reading_outside_of_an_array_is_refused(engine: Engine, index: int) -> None:
    with pytest.raises(EntryNotFound, match="it has 4"):
        engine.read_counter("IngressPipe.received", index)
    with pytest.raises(EntryNotFound):
        engine.write_register("IngressPipe.cells", index, 1)
    with pytest.raises(EntryNotFound):
        engine.read_meter("IngressPipe.policer", index)


@pytest.mark.parametrize(
    ("verb", "what"), [(COUNT, "counter"), (METER, "meter"), (READ, "register"), (WRITE, "register")]
)
def test_index_out_of_range_has_no_effect_but_is_counted(engine: Engine, verb: int, what: str) -> None:
    result(engine, verb, OUT_OF_RANGE)
    assert engine.anomalies == {f"{what}-index-out-of-range": 1}


# ---- meters ---------------------------------------------------------------------------------------------------------


def test_meter_without_rates_is_green(engine: Engine) -> None:
    assert [result(engine, METER, 1, padding=9000) for _ in range(5)] == [GREEN] * 5


def test_meter_colours_by_committed_and_peak_burst(engine: Engine) -> None:
    engine.write_meter("IngressPipe.policer", 1, MeterRates(1000, 200, 2000, 300))
    assert [result(engine, METER, 1, padding=92) for _ in range(4)] == [GREEN, GREEN, YELLOW, RED]


def test_red_packet_spends_no_tokens(engine: Engine) -> None:
    engine.write_meter("IngressPipe.policer", 1, MeterRates(1000, 200, 2000, 200))
    colours = [result(engine, METER, 1, padding=padding) for padding in (193, 193, 192)]
    assert colours == [RED, RED, GREEN]


def test_tokens_come_back_at_the_configured_rates(engine: Engine, clock: ManualClock) -> None:
    engine.write_meter("IngressPipe.policer", 1, MeterRates(1000, 100, 2000, 100))
    assert [result(engine, METER, 1, padding=92) for _ in range(2)] == [GREEN, RED]
    clock.now_ns += 50_000_000  # 50 ms: 100 peak tokens, 50 committed
    assert result(engine, METER, 1, padding=92) == YELLOW
    clock.now_ns += 50_000_000
    assert result(engine, METER, 1, padding=92) == GREEN


def test_meter_reads_back_what_was_written_and_can_be_cleared(engine: Engine) -> None:
    rates = MeterRates(1, 1, 1, 1)
    engine.write_meter("IngressPipe.policer", 1, rates)
    assert engine.read_meter("IngressPipe.policer", 1) == rates
    engine.write_meter("IngressPipe.policer", 1, None)
    assert engine.read_meter("IngressPipe.policer", 1) is None
    assert result(engine, METER, 1, padding=9000) == GREEN


# ---- registers ------------------------------------------------------------------------------------------------------


def test_register_holds_what_the_data_plane_wrote(engine: Engine) -> None:
    result(engine, WRITE, 3, 0xFABC)
    assert result(engine, READ, 3) == 0xABC
    assert engine.read_register("IngressPipe.cells", 3) == 0xABC


def test_register_holds_what_the_control_plane_wrote(engine: Engine) -> None:
    engine.write_register("IngressPipe.cells", 0, 0x123)
    assert result(engine, READ, 0) == 0x123


def test_reading_a_register_out_of_range_leaves_the_target_alone(engine: Engine) -> None:
    for index in range(OUT_OF_RANGE):
        engine.write_register("IngressPipe.cells", index, 0xFFF)
    assert result(engine, READ, OUT_OF_RANGE) == 0


# ---- digests --------------------------------------------------------------------------------------------------------


@pytest.fixture
def digests(engine: Engine) -> list[Digest]:
    received: list[Digest] = []
    engine.on_digest = received.append
    return received


def test_digest_carries_the_values_of_its_call(engine: Engine, digests: list[Digest]) -> None:
    result(engine, DIGEST, operand=0x1234)
    assert digests == [Digest("learned_t", (7, 0x1234))]


def test_who_listens_to_digests_may_ask_the_engine_back(engine: Engine) -> None:
    seen: list[int] = []
    engine.on_digest = lambda _: seen.append(engine.read_register("IngressPipe.cells", 0))
    engine.write_register("IngressPipe.cells", 0, 5)
    result(engine, DIGEST)
    assert seen == [5]


def test_last_digest_of_a_packet_is_the_one_that_is_sent(engine: Engine, digests: list[Digest]) -> None:
    result(engine, TWO_DIGESTS, index=3)
    assert digests == [Digest("noticed_t", (3,))]


def test_digest_nobody_listens_to_is_no_error(engine: Engine) -> None:
    assert result(engine, DIGEST) == 0


# ---- the rest -------------------------------------------------------------------------------------------------------


def test_hash_is_over_the_fields_packed_in_order(engine: Engine) -> None:
    assert result(engine, HASH, index=0x56, operand=0x1234) == zlib.crc32(bytes.fromhex("123456"))


def test_random_numbers_lie_between_both_bounds(engine: Engine) -> None:
    assert {result(engine, RANDOM) for _ in range(100)} == {10, 11, 12}


def test_failed_assertion_drops_the_packet_and_is_counted(engine: Engine) -> None:
    assert engine.process(7, request(ASSERT, operand=0)) == []
    assert engine.anomalies == {"assert-failed": 1}
    assert result(engine, ASSERT, operand=1) == 0


def test_log_msg_goes_to_its_logger(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="softnic.log_msg"):
        result(engine, LOG, index=4, operand=500)
    assert [record.getMessage() for record in caplog.records] == ["operand 500 at 4"]


@pytest.mark.parametrize(("operand", "saturated", "wrapped"), [(0x00FF, 0xFFFF, 0xFFFF), (0x0100, 0xFFFF, 0x0000)])
def test_addition_saturates_or_wraps_as_the_program_says(
    engine: Engine, operand: int, saturated: int, wrapped: int
) -> None:
    assert result(engine, ARITHMETIC, operand=operand) == saturated << 16 | wrapped


@pytest.mark.parametrize("count", [0, 1, 200])
def test_loop_runs_as_often_as_it_says(engine: Engine, count: int) -> None:
    assert result(engine, LOOP, index=count) == sum(range(count))


def test_exit_ends_ingress_but_not_egress(engine: Engine) -> None:
    (output,) = engine.process(7, request(EXIT))
    assert output.data == bytes([EXIT, 0, 0xE6, 0xE6, 0, 0, 0, 1])


@pytest.mark.parametrize("verb", range(13))
def test_every_prefix_of_a_packet_is_processed(engine: Engine, verb: int) -> None:
    whole = request(verb, 1, 1)
    for length in range(len(whole)):
        (output,) = engine.process(7, whole[:length])
        assert output.data == whole[:length]
