# SPDX-License-Identifier: Apache-2.0
"""``python -m safety.recorder FOLDER run --nn ...``: a target for packet tests that keeps the frames they send.

Of those that take the same way through the program, one. It understands what ``ptf-tests/run.py`` tells ``softnic
run``, and writes each program's frames to ``FOLDER/PROGRAM`` when it is stopped.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Sequence
from pathlib import Path

from diff.scenario import Frame
from softnic import ir
from softnic.engine import Output
from softnic.ports import NnPort
from softnic.reference import ReferenceEngine, trace
from softnic.reference.machine import Machine
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

from .corpus import write_frames

STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


Way = tuple[object, ...]
"""Parser states, tables, actions and branches of one packet, in order: what is equal where the same code runs."""


class Recorder:
    """Engines whose frames are kept, by the stem of the program they run."""

    def __init__(self) -> None:
        self.frames: dict[str, dict[Way, Frame]] = {}

    def engine(self, program: ir.Program) -> ReferenceEngine:
        return _RecordingEngine(program, self.frames.setdefault(Path(program.name).stem, {}))


class _RecordingEngine(ReferenceEngine):
    def __init__(self, program: ir.Program, frames: dict[Way, Frame]) -> None:
        super().__init__(program)
        self._frames = frames
        self._tracer = trace.Tracer()
        self._traced = Machine(program, self.state, self._tracer)

    def process(self, port: int, data: bytes) -> Sequence[Output]:
        self._tracer.events.clear()
        outputs = self._traced.process(port, data)
        way = tuple(filter(None, map(_step, self._tracer.events)))
        # The shortest, and of those the first: which one it is does not depend on the order of tests.
        self._frames[way] = min((port, data), self._frames.get(way, (port, data)), key=_length_first)
        return outputs


def _step(event: trace.Event) -> object:
    match event:
        case trace.StateEntered(state):
            return state
        case trace.ParserErrorRaised(error):
            return error
        case trace.ChecksumVerified(target, correct):
            return target, correct
        case trace.TableApplied(table, _, entry, _, action):
            return table, entry is not None, action
        case trace.BranchTaken(condition, taken):
            return condition, taken
        case trace.PassStarted() | trace.Dropped():
            return event.pipeline
    return None


def _length_first(frame: Frame) -> tuple[int, Frame]:
    return len(frame[1]), frame


def main() -> None:
    arguments = parse_arguments()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    recorder = Recorder()
    switch = Switch(cpu_port=arguments.cpu_port, engine_factory=recorder.engine)
    server = P4RuntimeServer(switch, address=arguments.grpc_addr, device_id=arguments.device_id)
    switch.add_port(NnPort(arguments.nn))
    server.start()
    switch.start()
    signal.sigwait(STOP_SIGNALS)
    server.stop()
    switch.stop()
    for name, frames in recorder.frames.items():
        write_frames(arguments.folder / name, frames.values())


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("command", choices=["run"])
    parser.add_argument("--nn", required=True)
    parser.add_argument("--grpc-addr", required=True)
    parser.add_argument("--device-id", type=int, required=True)
    parser.add_argument("--cpu-port", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
