# SPDX-License-Identifier: Apache-2.0
"""The corpus has one frame for each way through a program, and no frame that another one begins with."""

from __future__ import annotations

from pathlib import Path

from safety.corpus import frames_for, read_frames, write_frames
from safety.recorder import Recorder
from softnic.frontend import load_program

ROUTER = load_program(Path(__file__).parents[1] / "p4" / "compiled" / "router.json")


def test_frames_are_read_as_they_were_written_but_for_prefixes(tmp_path: Path) -> None:
    write_frames(tmp_path / "corpus", [(3, b"\1\2"), (0, b"\1"), (3, b"\1"), (3, b""), (3, b"\1\2"), (3, b"\3")])
    assert list(read_frames(tmp_path / "corpus")) == [(0, b"\1"), (3, b"\1\2"), (3, b"\3")]


def test_a_program_without_packet_tests_has_no_frames() -> None:
    assert frames_for("router") == []


def test_of_frames_that_take_the_same_way_the_shortest_is_kept() -> None:
    recorder = Recorder()
    engine = recorder.engine(ROUTER)
    cut, no_ip, longer = bytes(13), bytes(14), bytes(15)
    outputs = [engine.process(0, frame) for frame in (longer, no_ip, cut)]
    assert outputs == [recorder.engine(ROUTER).process(0, frame) for frame in (longer, no_ip, cut)]
    assert sorted(recorder.frames["router"].values()) == [(0, cut), (0, no_ip)]
