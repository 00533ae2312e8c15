# SPDX-License-Identifier: Apache-2.0
"""The device under test: frames in, and all that became of them out, without waiting for a clock."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

import ptf
from finsy import P4PacketIn
from ptf import testutils
from ptf.dataplane import DataPlane

from harness.controller import Controller, Counts, Learned
from harness.observed import Observed
from harness.program import CPU_PORT, Program, Volley
from headgate.systems import Entity
from headgate.vocabulary import DropReason, Outcome, PacketOutMode

T = TypeVar("T")

DEADLINE_S = 15
"""For what a device has been given to come out. Reached only when something is broken."""

BURST = 24
"""Frames in flight at once: simple_switch holds 64 a port in egress and loses what is beyond, uncounted."""


@dataclass(frozen=True, slots=True)
class PacketOut:
    """A frame that the controller hands to the device."""

    frame: bytes
    mode: PacketOutMode
    fields: Mapping[str, int] = field(default_factory=dict)


Sent = tuple[int, bytes] | PacketOut
"""A frame with the port it goes in by, or a packet-out."""


class Dut:
    """One device, programmed and read by a controller and wired to PTF's data plane."""

    def __init__(self, controller: Controller, program: Program, reached: Path | None) -> None:
        self.controller = controller
        self._program = program
        self._reached = reached
        self.foreign: list[tuple[int, bytes]] = []

    def program(self, rack: Any, extra: Sequence[Entity] = ()) -> None:
        """Brings the device to exactly what `rack` asks for, and `extra`, and the sentinels' entries."""
        self.controller.program(rack, extra)

    def steps(self, rack: Any, extra: Sequence[Entity] = ()) -> Iterator[int]:
        """As `program`, one write at a time: yields after each how many are still to come."""
        return self.controller.steps(rack, extra)

    def send(self, port: int, *frames: bytes) -> Observed:
        """`frames` into `port`, one behind the other."""
        return self.exchange([(port, frame) for frame in frames])

    def packet_out(self, frame: bytes, mode: PacketOutMode, **fields: int) -> Observed:
        """One packet-out."""
        return self.exchange([PacketOut(frame, mode, fields)])

    def exchange(self, sent: Sequence[Sent], *, reported: bool = True) -> Observed:
        """Everything in `sent`, in its order, and everything that follows from it.

        Args:
            reported: whether to wait for digests; not where their rate is used up, for sentinels' are lost then too

        Raises: AssertionError (the law).
        """
        before = self.controller.counts()
        collected = _Collected(reported)
        for start in range(0, len(sent), BURST):
            self._send(sent[start : start + BURST])
            self._flush(collected)
        if any(isinstance(each, PacketOut) for each in sent):
            self._await_packet_outs(before, len(sent), collected)
        observed = collected.since(before, self.controller.counts())
        observed.assert_law(len(sent))
        own = {each.frame if isinstance(each, PacketOut) else each[1] for each in sent}
        self.foreign += [(port, frame) for port, frame in observed.foreign() if frame not in own]
        self._record(observed.drops)
        return observed

    def _send(self, sent: Sequence[Sent]) -> None:
        for each in sent:
            if isinstance(each, PacketOut):
                self.controller.packet_out(each.frame, each.mode, **each.fields)
            else:
                port, frame = each
                data_plane().send(0, port, frame)

    # ---- until sentinels have come out of everything

    def _flush(self, collected: _Collected) -> None:
        volley = self._program.volley()
        self._send(volley.frames)
        collected.volleys += volley.outcomes
        deadline = time.monotonic() + DEADLINE_S
        self._collect_frames(volley, collected, deadline)
        if CPU_PORT in volley.outputs:
            self._collect_punts(volley, collected, deadline)
        if collected.reported:
            self._collect_digests(volley, collected, deadline)

    def _collect_frames(self, volley: Volley, collected: _Collected, deadline: float) -> None:
        waiting = set(volley.outputs) - {CPU_PORT}
        while waiting:
            arrival = data_plane().poll(timeout=max(0.0, deadline - time.monotonic()))
            if arrival.port is None:
                raise AssertionError(f"no sentinel came out of {sorted(waiting)} within {DEADLINE_S} s")
            if volley.mark in arrival.packet:
                waiting.discard(arrival.port)
            elif not self._program.is_sentinel(arrival.packet):
                collected.frames[arrival.port].append(bytes(arrival.packet))

    def _collect_punts(self, volley: Volley, collected: _Collected, deadline: float) -> None:
        while punt := self._awaited(self.controller.packet_in, deadline):
            if volley.mark in punt.payload:
                return
            if not self._program.is_sentinel(punt.payload):
                collected.punts.append(punt)

    def _collect_digests(self, volley: Volley, collected: _Collected, deadline: float) -> None:
        waiting = dict(volley.digests)
        while waiting:
            digest = self._awaited(self.controller.digest, deadline)
            if not self._program.is_learned_from_sentinel(digest.fields):
                collected.digests.append(digest)
            elif (own := waiting.get(digest.name)) is not None and own.items() <= digest.fields.items():
                del waiting[digest.name]

    def _awaited(self, take: Callable[[float], T | None], deadline: float) -> T:
        item = take(max(0.0, deadline - time.monotonic()))
        if item is None:
            raise AssertionError(f"nothing of the sentinels came to the controller within {DEADLINE_S} s")
        return item

    def _await_packet_outs(self, before: Counts, sent: int, collected: _Collected) -> None:
        """A packet-out takes a way in of its own: sentinels are sent until one went in behind it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            counts = self.controller.counts()
            flushed = collected.volleys[Outcome.RECEIVED]
            self._flush(collected)
            received = counts.outcomes[Outcome.RECEIVED] - before.outcomes[Outcome.RECEIVED]
            if received >= sent + flushed:
                return
        raise AssertionError(f"the device did not take {sent} packets within {DEADLINE_S} s")

    def _record(self, drops: Counter[DropReason]) -> None:
        if self._reached:
            with self._reached.open("a") as file:
                file.writelines(f"{reason.name}\n" for reason in drops)


class _Collected:
    """What has come out so far, and what the device will have counted of the sentinels."""

    def __init__(self, reported: bool) -> None:
        self.reported = reported
        self.frames: defaultdict[int, list[bytes]] = defaultdict(list)
        self.punts: list[P4PacketIn] = []
        self.digests: list[Learned] = []
        self.volleys: Counter[Outcome] = Counter()

    def since(self, before: Counts, after: Counts) -> Observed:
        return Observed(
            frames=dict(self.frames),
            punts=tuple(self.punts),
            digests=tuple(self.digests),
            drops=after.drops - before.drops,
            outcomes=after.outcomes - before.outcomes - self.volleys,
            cells=after.cells - before.cells,
        )


def data_plane() -> DataPlane:
    """PTF's, which its runner has set up before any test begins."""
    return cast(DataPlane, ptf.dataplane_instance)


_devices: dict[Program, Dut] = {}


def device_under_test(program: Program) -> Dut:
    """The one device of a run, at the address the runner passes on; connected to when first asked for."""
    if program not in _devices:
        parameters = testutils.test_params_get()
        reached = parameters.get("reached")
        controller = Controller(parameters["grpc_addr"], program)
        _devices[program] = Dut(controller, program, Path(reached) if reached else None)
    return _devices[program]


def leave_device(program: Program) -> str:
    """Makes room for another controller until the device is asked for again. Returns: the device's address."""
    if program in _devices:
        _devices.pop(program).controller.close()
    return testutils.test_params_get()["grpc_addr"]
