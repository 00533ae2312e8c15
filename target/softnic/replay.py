# SPDX-License-Identifier: Apache-2.0
"""Captures through a program, offline: no threads, no wall clock, the same result every time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from .engine import Engine
from .pcap import PcapError, PcapWriter, Record, read_pcap


class ReplayClock:
    """Nanoseconds since the first packet of the replay; the engine's clock."""

    def __init__(self) -> None:
        self._now_ns = 0
        self._start_ns: int | None = None

    def __call__(self) -> int:
        return self._now_ns

    def advance_to(self, timestamp_ns: int) -> None:
        """Follow a packet's timestamp (since the epoch); a capture out of order does not turn time back."""
        if self._start_ns is None:
            self._start_ns = timestamp_ns
        self._now_ns = max(self._now_ns, timestamp_ns - self._start_ns)


@dataclass(frozen=True, slots=True)
class Captures:
    """The files of one port: what comes in, and where to write what goes out. None: nothing, and nowhere."""

    in_path: Path | None
    out_path: Path | None


@dataclass(slots=True)
class ReplayCounts:
    """Packets of one port. `cut` were captured only in part, and so not replayed."""

    received: int = 0
    cut: int = 0
    sent: int = 0


@dataclass(slots=True)
class ReplayResult:
    """Counts by port number, for every port that has captures or was sent to; and the digests of all packets."""

    ports: dict[int, ReplayCounts] = field(default_factory=dict)
    digests: int = 0

    def port(self, number: int) -> ReplayCounts:
        return self.ports.setdefault(number, ReplayCounts())


def replay(engine: Engine, clock: ReplayClock, captures: Mapping[int, Captures]) -> ReplayResult:
    """Send the packets of every input through `engine` in the order of their timestamps.

    At equal timestamps the lower port goes first. An output bears the timestamp of the packet that caused it. What
    leaves on a port without an output file is counted only.

    Args:
        clock: the clock `engine` was made with.

    Raises:
        PcapError: an input is no pcap, or is damaged; the message names the file.
        OSError: a file can't be opened or written.
    """
    result = ReplayResult({number: ReplayCounts() for number in captures})

    def count_digest(_: object) -> None:
        result.digests += 1

    engine.on_digest = count_digest
    with ExitStack() as files:
        records = heapq.merge(*_open_inputs(captures, files), key=lambda arrival: (arrival[1].timestamp_ns, arrival[0]))
        writers = _open_outputs(captures, files)
        for number, record in records:
            if record.is_cut:
                result.port(number).cut += 1
                continue
            result.port(number).received += 1
            clock.advance_to(record.timestamp_ns)
            for output in engine.process(number, record.data):
                result.port(output.port).sent += 1
                if writer := writers.get(output.port):
                    writer.write(record.timestamp_ns, output.data)
    return result


def _open_inputs(captures: Mapping[int, Captures], files: ExitStack) -> list[Iterator[tuple[int, Record]]]:
    inputs = []
    for number, capture in captures.items():
        if capture.in_path:
            stream = files.enter_context(capture.in_path.open("rb"))
            inputs.append(_arrivals(number, capture.in_path, stream))
    return inputs


def _arrivals(number: int, path: Path, stream: BinaryIO) -> Iterator[tuple[int, Record]]:
    try:
        for record in read_pcap(stream):
            yield number, record
    except PcapError as error:
        raise PcapError(f"{path}: {error}") from error


def _open_outputs(captures: Mapping[int, Captures], files: ExitStack) -> Mapping[int, PcapWriter]:
    return {
        number: PcapWriter(files.enter_context(capture.out_path.open("wb")))
        for number, capture in captures.items()
        if capture.out_path
    }
