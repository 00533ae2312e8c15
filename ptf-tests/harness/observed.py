# SPDX-License-Identifier: Apache-2.0
"""What a device did with what it was sent: all that came out, all that was counted, and how a test judges it.

Frames are compared byte by byte over their whole length (PTF's own matcher ignores padding). A frame without a probe's
mark that no test asked for is somebody else's: it is reported, and fails nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finsy import P4PacketIn

from harness.controller import Learned
from harness.frames import PROBE_MARK
from harness.program import Cell
from headgate.vocabulary import DropReason, Outcome, PuntReason

Frames = bytes | Sequence[bytes]

_ENDS = (Outcome.SENT, Outcome.DELIVERED, Outcome.PUNTED, Outcome.DROPPED, Outcome.REPLICATED)
_ON_PORTS = (Outcome.SENT, Outcome.DELIVERED, Outcome.COPY_SENT, Outcome.COPY_DELIVERED)
_TO_CONTROLLER = (Outcome.PUNTED, Outcome.COPY_PUNTED)


@dataclass(frozen=True, slots=True)
class Observed:
    """Between one point in time and another, the sentinels' own share taken out."""

    frames: Mapping[int, Sequence[bytes]]
    """By port, in order of arrival; ports without any are left out."""
    punts: Sequence[P4PacketIn]
    drops: Counter[DropReason]
    outcomes: Counter[Outcome]
    """Rows of `outcome` and `copy_outcome` together."""
    digests: Sequence[Learned] = ()
    cells: Counter[Cell] = field(default_factory=Counter)
    """Of the counters that the program's tests watch, by name and row."""

    def assert_out(self, expected: Mapping[int, Frames], *, copies_punted: int = 0) -> None:
        """Exactly these frames came out, in this order on each port, and nothing was dropped."""
        wanted = {port: [f] if isinstance(f, bytes) else list(f) for port, f in expected.items()}
        wanted = {port: frames for port, frames in wanted.items() if frames}
        came = {
            port: [frame for frame in frames if not is_foreign(frame) or frame in wanted.get(port, ())]
            for port, frames in self.frames.items()
        }
        came = {port: frames for port, frames in came.items() if frames}
        self._check(came == wanted, "came out", _listing(wanted))
        self._check(not self.drops, "dropped", "nothing")
        self._check(len(self.punts) == copies_punted, "given to the controller", f"{copies_punted} packets")

    def assert_dropped(self, reason: DropReason, count: int = 1) -> None:
        """Nothing came out anywhere; `count` packets were dropped, all for this reason."""
        self._check(self.drops == {reason: count}, "dropped", f"{count} for {reason.name}")
        self._check(all(is_foreign(f) for frames in self.frames.values() for f in frames), "came out", "nothing")
        self._check(not self.punts, "given to the controller", "nothing")

    def assert_punted(self, reason: PuntReason, frame: bytes, **metadata: int) -> None:
        """The controller alone was given the frame, once, with this reason and at least these metadata fields."""
        self._check(not self.drops, "dropped", "nothing")
        self._check(all(is_foreign(f) for frames in self.frames.values() for f in frames), "came out", "nothing")
        self.assert_controller_was_given(reason, frame, **metadata)

    def assert_controller_was_given(self, reason: PuntReason, frame: bytes, **metadata: int) -> None:
        """As `assert_punted`, whatever became of the frame besides."""
        wanted = {"reason": reason, **metadata}
        came = [(p.payload, {name: p.metadata[name] for name in wanted}) for p in self.punts]
        self._check(came == [(frame, wanted)], "given to the controller", f"{frame.hex(' ')} with {wanted}")

    def assert_learned(self, *expected: Learned) -> None:
        """Exactly these were reported, in this order."""
        self._check(
            tuple(self.digests) == expected, "learned", "".join(f"\n  {each}" for each in expected) or "nothing"
        )

    def assert_law(self, sent: int) -> None:
        """Each packet that went in ended in one way; what came out was counted (core/types.p4, outcome_t)."""
        foreign = len(self.foreign())
        out = sum(len(frames) for frames in self.frames.values())
        counted_out = sum(self.outcomes[row] for row in _ON_PORTS)
        self._check(self.outcomes[Outcome.RECEIVED] == sent, "received", f"{sent} packets")
        self._check(sum(self.outcomes[row] for row in _ENDS) == sent, "ended", f"{sent} packets, each in one way")
        self._check(sum(self.drops.values()) == self.outcomes[Outcome.DROPPED], "dropped", "as many as have a reason")
        self._check(out - foreign <= counted_out <= out, "came out", f"as many as were counted: {counted_out}")
        punted = sum(self.outcomes[row] for row in _TO_CONTROLLER)
        self._check(len(self.punts) == punted, "given to the controller", f"as many as were counted: {punted}")

    def foreign(self) -> list[tuple[int, bytes]]:
        """Frames that carry no probe, with the port they came out of."""
        return [(port, frame) for port, frames in self.frames.items() for frame in frames if is_foreign(frame)]

    def _check(self, holds: bool, what: str, wanted: str) -> None:
        if not holds:
            raise AssertionError(f"what {what} is not as expected\nexpected: {wanted}\nobserved: {self}")

    def __str__(self) -> str:
        punts = "".join(f"\n  to the controller {punt.metadata}: {punt.payload.hex(' ')}" for punt in self.punts)
        digests = "".join(f"\n  learned {digest.name} {dict(digest.fields)}" for digest in self.digests)
        return (
            f"{_listing(self.frames)}{punts}{digests}\n  dropped {_names(self.drops)}, counted {_names(self.outcomes)}"
        )


def is_foreign(frame: bytes) -> bool:
    return PROBE_MARK not in frame


def _listing(frames: Mapping[int, Sequence[bytes]]) -> str:
    lines = [f"\n  port {port}: {len(f)} bytes: {f.hex(' ')}" for port in sorted(frames) for f in frames[port]]
    return "".join(lines) or "nothing"


def _names(counts: Counter[Any]) -> dict[str, int]:
    return {row.name: count for row, count in counts.items() if count}
