# SPDX-License-Identifier: Apache-2.0
"""The device under test: frames in, and all that became of them out, without waiting for a clock."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast

import ptf
from finsy import P4PacketIn
from ptf import testutils
from ptf.dataplane import DataPlane

from harness import sentinel
from harness.controller import Controller, Counts
from harness.observed import Observed
from harness.ports import CPU
from headgate.systems import Entity
from headgate.vocabulary import DropReason, Outcome, PacketOutMode

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

    def __init__(self, controller: Controller, reached: Path | None) -> None:
        self.controller = controller
        self._reached = reached
        self.foreign: list[tuple[int, bytes]] = []

    def program(self, config: Mapping[str, Any], extra: Sequence[Entity] = ()) -> None:
        """Brings the device to exactly what `config` says, and `extra`, and the sentinel's entries."""
        self.controller.program(config, [*sentinel.entities(), *extra])

    def steps(self, config: Mapping[str, Any], extra: Sequence[Entity] = ()) -> Iterator[int]:
        """As `program`, one write at a time: yields after each how many are still to come."""
        return self.controller.steps(config, [*sentinel.entities(), *extra])

    def send(self, port: int, *frames: bytes) -> Observed:
        """`frames` into `port`, one behind the other."""
        return self.exchange([(port, frame) for frame in frames])

    def packet_out(self, frame: bytes, mode: PacketOutMode, **fields: int) -> Observed:
        """One packet-out."""
        return self.exchange([PacketOut(frame, mode, fields)])

    def exchange(self, sent: Sequence[Sent]) -> Observed:
        """Everything in `sent`, in its order, and everything that follows from it. Raises: AssertionError (the law)."""
        before = self.controller.counts()
        collected = _Collected()
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
                _data_plane().send(0, port, frame)

    def _flush(self, collected: _Collected) -> None:
        """Sends a sentinel and collects what comes out, until it has come out of every port."""
        frame, mark = sentinel.frame()
        self._send([(sentinel.SENTINEL, frame)])
        collected.sentinels += 1
        waiting = set(sentinel.OUTPUTS) - {CPU}
        deadline = time.monotonic() + DEADLINE_S
        while waiting:
            arrival = _data_plane().poll(timeout=max(0.0, deadline - time.monotonic()))
            if arrival.port is None:
                raise AssertionError(f"no sentinel came out of {sorted(waiting)} within {DEADLINE_S} s")
            if mark in arrival.packet:
                waiting.discard(arrival.port)
            elif not sentinel.is_sentinel(arrival.packet):
                collected.frames[arrival.port].append(bytes(arrival.packet))
        while True:
            punt = self.controller.packet_in(timeout_s=max(0.0, deadline - time.monotonic()))
            if punt is None:
                raise AssertionError(f"no sentinel came to the controller within {DEADLINE_S} s")
            if mark in punt.payload:
                return
            if not sentinel.is_sentinel(punt.payload):
                collected.punts.append(punt)

    def _await_packet_outs(self, before: Counts, sent: int, collected: _Collected) -> None:
        """A packet-out takes a way in of its own: sentinels are sent until one went in behind it."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            counts = self.controller.counts()
            self._flush(collected)
            received = counts.outcomes[Outcome.RECEIVED] - before.outcomes[Outcome.RECEIVED]
            if received >= sent + collected.sentinels - 1:
                return
        raise AssertionError(f"the device did not take {sent} packets within {DEADLINE_S} s")

    def _record(self, drops: Counter[DropReason]) -> None:
        if self._reached:
            with self._reached.open("a") as file:
                file.writelines(f"{reason.name}\n" for reason in drops)


class _Collected:
    """What has come out so far, and how many sentinels went in for it."""

    def __init__(self) -> None:
        self.frames: defaultdict[int, list[bytes]] = defaultdict(list)
        self.punts: list[P4PacketIn] = []
        self.sentinels = 0

    def since(self, before: Counts, after: Counts) -> Observed:
        outcomes = after.outcomes - before.outcomes
        outcomes[Outcome.RECEIVED] -= self.sentinels
        outcomes[Outcome.REPLICATED] -= self.sentinels
        outcomes[Outcome.COPY_SENT] -= self.sentinels * len(sentinel.OUTPUTS)
        return Observed(
            frames=dict(self.frames), punts=tuple(self.punts), drops=after.drops - before.drops, outcomes=+outcomes
        )


def _data_plane() -> DataPlane:
    """PTF's, which its runner has set up before any test begins."""
    return cast(DataPlane, ptf.dataplane_instance)


@cache
def device_under_test() -> Dut:
    """The one device of a run, at the address the runner passes on; connected to when first asked for."""
    parameters = testutils.test_params_get()
    reached = parameters.get("reached")
    return Dut(Controller(parameters["grpc_addr"]), Path(reached) if reached else None)
