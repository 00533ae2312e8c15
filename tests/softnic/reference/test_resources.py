# SPDX-License-Identifier: Apache-2.0
"""What packets leave on entries, on default entries and in meters of every type (tests/p4/resources.p4)."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from clocks import ManualClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softnic.engine import ActionCall, ColourCounts, CounterValue, Engine, EntryNotFound, Exact, MeterRates, TableEntry

PROGRAM = "resources"

ENTRIES, ALL_PACKETS, CELLS = "IngressPipe.entries", "IngressPipe.all_packets", "IngressPipe.three_colors"
GREEN, YELLOW, RED, UNMETERED = range(4)
HEADER_BYTES = 5
KEY = (Exact(1),)

ONE_PACKET = MeterRates(committed_rate=0, committed_burst=1, peak_rate=0, peak_burst=1)


@dataclass(frozen=True)
class Colours:
    """What the packet's three meters said."""

    entry: int
    cell: int
    total: int


def send(engine: Engine, kind: int = 0, cell: int = 0, length: int = HEADER_BYTES) -> Colours:
    [output] = engine.process(0, bytes([kind, cell]) + bytes(length - 2))
    return Colours(*output.data[2:5])


@pytest.fixture
def with_entry(engine: Engine) -> Engine:
    engine.insert(ENTRIES, TableEntry(KEY, ActionCall("IngressPipe.forward", (2,))))
    return engine


# ---- default entries ------------------------------------------------------------------------------------------------


def test_a_default_entry_counts_misses(with_entry: Engine) -> None:
    for kind, length in ((1, 60), (2, 70), (3, 80)):
        send(with_entry, kind, length=length)
    assert with_entry.read_direct_counter(ENTRIES, KEY) == CounterValue(1, 60)
    assert with_entry.read_direct_counter(ENTRIES, None) == CounterValue(2, 150)


def test_a_table_without_a_key_counts_every_packet_on_its_constant_default(engine: Engine) -> None:
    for length in (60, 70):
        send(engine, length=length)
    assert engine.read_direct_counter(ALL_PACKETS, None) == CounterValue(2, 130)


def test_a_default_entry_counts_on_from_what_is_written(engine: Engine) -> None:
    send(engine, length=60)
    for table in (ENTRIES, ALL_PACKETS):
        engine.write_direct_counter(table, None, 0, CounterValue(10, 1000))
    send(engine, length=60)
    assert engine.read_direct_counter(ENTRIES, None) == CounterValue(11, 1060)
    assert engine.read_direct_counter(ALL_PACKETS, None) == CounterValue(11, 1060)


def test_another_default_action_counts_on(engine: Engine) -> None:
    send(engine)
    engine.set_default(ENTRIES, ActionCall("IngressPipe.forward", (3,)))
    send(engine)
    assert engine.read_direct_counter(ENTRIES, None).packets == 2


def test_the_meter_of_a_default_entry_marks_misses_only_while_it_is_configured(engine: Engine) -> None:
    assert send(engine) == Colours(UNMETERED, GREEN, GREEN)
    for table in (ENTRIES, ALL_PACKETS):
        engine.write_direct_meter(table, None, 0, MeterRates(0, HEADER_BYTES, 0, HEADER_BYTES))
        assert engine.read_direct_meter(table, None) == MeterRates(0, HEADER_BYTES, 0, HEADER_BYTES)
    assert send(engine) == Colours(GREEN, GREEN, GREEN)
    assert send(engine) == Colours(RED, GREEN, GREEN)  # bytes here, packets there
    for table in (ENTRIES, ALL_PACKETS):
        engine.write_direct_meter(table, None, 0, None)
    assert send(engine).entry == UNMETERED
    assert engine.read_direct_meter_counts(ALL_PACKETS, None).green.packets == 2


def test_the_meter_of_a_default_entry_leaves_hits_alone(with_entry: Engine) -> None:
    with_entry.write_direct_meter(ENTRIES, None, 0, ONE_PACKET)
    assert send(with_entry, kind=1).entry == GREEN
    assert with_entry.read_direct_meter_counts(ENTRIES, None) == ColourCounts()


def test_what_is_no_entry_has_neither_counter_nor_meter(engine: Engine) -> None:
    with pytest.raises(EntryNotFound):
        engine.read_direct_counter(ENTRIES, KEY)
    with pytest.raises(EntryNotFound):
        engine.read_direct_meter_counts(ENTRIES, KEY)
    with pytest.raises(EntryNotFound):
        engine.write_direct_meter_counts(ALL_PACKETS, (), 0, ColourCounts())


# ---- counts of colours ----------------------------------------------------------------------------------------------


def test_a_meter_counts_the_packets_and_bytes_of_each_colour(engine: Engine) -> None:
    send(engine, cell=1, length=200)
    engine.write_meter(CELLS, 1, MeterRates(0, 100, 0, 160))
    for length in (100, 60, 50):
        send(engine, cell=1, length=length)
    wanted = ColourCounts(CounterValue(2, 300), CounterValue(1, 60), CounterValue(1, 50))
    assert engine.read_meter_counts(CELLS, 1) == wanted
    assert engine.read_meter_counts(CELLS, 0) == ColourCounts()


def test_a_meter_of_packets_counts_their_bytes_too(engine: Engine) -> None:
    engine.write_direct_meter(ALL_PACKETS, None, 0, ONE_PACKET)
    for length in (100, 60, 50):
        send(engine, length=length)
    wanted = ColourCounts(CounterValue(1, 100), CounterValue(), CounterValue(2, 110))
    assert engine.read_direct_meter_counts(ALL_PACKETS, None) == wanted


def test_counts_of_colours_outlive_another_configuration_and_are_written(with_entry: Engine) -> None:
    send(with_entry, kind=1, length=60)
    with_entry.write_direct_meter(ENTRIES, KEY, 0, ONE_PACKET)
    send(with_entry, kind=1, length=60)
    counts = ColourCounts(green=CounterValue(1, 60), red=CounterValue(1, 60))
    assert with_entry.read_direct_meter_counts(ENTRIES, KEY) == counts
    written = ColourCounts(CounterValue(1, 2), CounterValue(3, 4), CounterValue(5, 6))
    with_entry.write_direct_meter_counts(ENTRIES, KEY, 0, written)
    assert with_entry.read_direct_meter_counts(ENTRIES, KEY) == written
    with_entry.write_meter_counts(CELLS, 2, written)
    assert with_entry.read_meter_counts(CELLS, 2) == written


def test_an_entry_that_is_inserted_again_has_counted_nothing(with_entry: Engine) -> None:
    entry = with_entry.get(ENTRIES, KEY)
    for _ in range(3000):  # beyond what the native engine keeps back for readers
        send(with_entry, kind=1)
        with_entry.delete(ENTRIES, KEY)
        with_entry.insert(ENTRIES, entry)
        assert with_entry.read_direct_meter_counts(ENTRIES, KEY) == ColourCounts()


# ---- single-rate meters ---------------------------------------------------------------------------------------------


class Rfc2697:
    """The marker as its RFC describes it: one token after the other, each to the first bucket with room for it."""

    def __init__(self, committed_rate: int, committed_burst: int, excess_burst: int) -> None:
        self._rate = committed_rate
        self._bursts = committed_burst, excess_burst
        self._tokens = [committed_burst, excess_burst]
        self._now_us = 0
        self._received = 0

    def wait(self, microseconds: int) -> None:
        self._now_us += microseconds
        while (self._received + 1) * 1_000_000 <= self._now_us * self._rate:
            self._received += 1
            for bucket in (0, 1):
                if self._tokens[bucket] < self._bursts[bucket]:
                    self._tokens[bucket] += 1
                    break

    def mark(self, length: int) -> int:
        for bucket, colour in ((0, GREEN), (1, YELLOW)):
            if self._tokens[bucket] >= length:
                self._tokens[bucket] -= length
                return colour
        return RED


BURSTS = st.integers(0, 60)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rate=st.sampled_from([0, 1, 999, 20_000]),
    committed_burst=BURSTS,
    excess_burst=st.integers(1, 60),
    packets=st.lists(st.tuples(st.integers(0, 20_000), st.integers(HEADER_BYTES, 40)), max_size=20),
)
def test_a_single_rate_meter_marks_as_rfc_2697_says(
    engine: Engine,
    clock: ManualClock,
    rate: int,
    committed_burst: int,
    excess_burst: int,
    packets: list[tuple[int, int]],
) -> None:
    clock.now_ns += 1000
    engine.write_meter(CELLS, 0, MeterRates(rate, committed_burst, rate, committed_burst, excess_burst))
    marker = Rfc2697(rate, committed_burst, excess_burst)
    for wait_us, length in packets:
        clock.now_ns += wait_us * 1000
        marker.wait(wait_us)
        assert send(engine, length=length).cell == marker.mark(length)


def test_a_single_rate_meter_of_the_largest_bursts_is_full_after_any_pause(engine: Engine, clock: ManualClock) -> None:
    most = (1 << 63) - 1
    rates = MeterRates(most, most, most, most, most)
    engine.write_meter(CELLS, 0, rates)
    assert engine.read_meter(CELLS, 0) == rates
    for seconds in (1, 10, 1000):
        clock.now_ns += seconds * 1_000_000_000
        assert send(engine, length=1500).cell == GREEN
