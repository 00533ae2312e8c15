# SPDX-License-Identifier: Apache-2.0
"""Replay: all inputs in the order of their timestamps, one clock that follows them, outputs that bear their times."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest
from fake_engine import FakeEngine

from softnic.engine import Digest, Engine, Output
from softnic.pcap import PcapError, PcapWriter, Record, read_pcap
from softnic.replay import Captures, ReplayClock, ReplayCounts, ReplayResult, replay

START_NS = 1_700_000_000_000_000_000


def write_capture(path: Path, *frames: tuple[int, bytes]) -> Path:
    with path.open("wb") as stream:
        writer = PcapWriter(stream)
        for offset_ns, frame in frames:
            writer.write(START_NS + offset_ns, frame)
    return path


def read_capture(path: Path) -> list[Record]:
    with path.open("rb") as stream:
        return list(read_pcap(stream))


def run(behave, captures: dict[int, Captures], clock: ReplayClock | None = None) -> ReplayResult:
    return replay(cast(Engine, FakeEngine(behave)), clock or ReplayClock(), captures)


def test_packets_of_all_inputs_pass_in_the_order_of_their_timestamps(tmp_path):
    seen = []
    run(
        lambda port, data: seen.append((port, data)) or [],
        {
            0: Captures(write_capture(tmp_path / "0", (0, b"a"), (20, b"d"), (30, b"e")), None),
            1: Captures(write_capture(tmp_path / "1", (10, b"b"), (20, b"c")), None),
        },
    )
    assert seen == [(0, b"a"), (1, b"b"), (0, b"d"), (1, b"c"), (0, b"e")]


def test_an_output_bears_the_time_of_the_packet_that_caused_it(tmp_path):
    out = tmp_path / "out"
    run(
        lambda port, data: [Output(1, data)],
        {0: Captures(write_capture(tmp_path / "in", (7, b"x")), None), 1: Captures(None, out)},
    )
    assert read_capture(out) == [Record(START_NS + 7, b"x", 1)]


def test_the_same_replay_twice_writes_the_same_bytes(tmp_path):
    capture = write_capture(tmp_path / "in", (0, b"a"), (5, b"b"))
    for name in ("first", "second"):
        run(lambda port, data: [Output(0, data)], {0: Captures(capture, tmp_path / name)})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_the_clock_starts_at_0_follows_the_packets_and_never_goes_back(tmp_path):
    clock, times_ns = ReplayClock(), []
    capture = write_capture(tmp_path / "in", (100, b"a"), (350, b"b"), (200, b"late"))
    run(lambda port, data: times_ns.append(clock()) or [], {0: Captures(capture, None)}, clock)
    assert times_ns == [0, 250, 250]


def test_counts_are_by_port_also_of_ports_without_files(tmp_path):
    engine = FakeEngine(lambda port, data: [])

    def behave(port, data):
        engine.learn(Digest("learn", ()))
        return [Output(0, data), Output(510, data)]

    engine.behave = behave
    capture = write_capture(tmp_path / "in", (0, b"a"), (1, b"b"))
    result = replay(cast(Engine, engine), ReplayClock(), {0: Captures(capture, None)})
    assert result == ReplayResult({0: ReplayCounts(received=2, sent=2), 510: ReplayCounts(sent=2)}, digests=2)


def test_a_packet_the_capture_cut_short_is_counted_and_left_out(tmp_path):
    path = write_capture(tmp_path / "in", (0, b"cut"), (1, b"whole"))
    data = bytearray(path.read_bytes())
    data[24 + 12] = 60  # the first record's original length
    path.write_bytes(data)
    seen = []
    result = run(lambda port, data: seen.append(data) or [], {0: Captures(path, None)})
    assert seen == [b"whole"]
    assert result.ports[0] == ReplayCounts(received=1, cut=1)


def test_a_damaged_capture_is_refused_with_its_name(tmp_path):
    path = write_capture(tmp_path / "in.pcap", (0, b"a"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PcapError, match=r"in\.pcap: record 0 is cut off"):
        run(lambda port, data: [], {0: Captures(path, None)})
