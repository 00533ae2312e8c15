# SPDX-License-Identifier: Apache-2.0
"""Where every packet went. Each is counted as received and under one outcome; each drop has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.device import DeviceView
from headgate.vocabulary import DropReason, Outcome

_ENDS = (Outcome.SENT, Outcome.DELIVERED, Outcome.PUNTED, Outcome.DROPPED, Outcome.REPLICATED)
_COPIES = tuple(outcome for outcome in Outcome if outcome.name.startswith("COPY_"))


@dataclass(frozen=True, slots=True)
class Count:
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Accounting:
    """The counters `outcome`, `copy_outcome` and `drop_reason`, by the names of their rows."""

    drops: Mapping[str, Count]
    """Reasons that occurred."""
    outcomes: Mapping[str, Count]
    """Received, and what became of it."""
    copies: Mapping[str, Count]
    """What replication and cloning made on top of it; empty with a program that copies nothing."""

    @property
    def balance(self) -> int:
        """Packets received that no outcome accounts for. Other than 0 on an idle device is a defect of the program."""
        return self.outcomes[Outcome.RECEIVED.name].packets - sum(self.outcomes[end.name].packets for end in _ENDS)

    @property
    def drop_balance(self) -> int:
        """Packets dropped that no reason accounts for."""
        return self.outcomes[Outcome.DROPPED.name].packets - sum(count.packets for count in self.drops.values())

    @property
    def holds(self) -> bool:
        """received = sent + delivered + punted + dropped + replicated, and dropped = the sum over all reasons."""
        return self.balance == 0 and self.drop_balance == 0


async def accounting_of(device: DeviceView) -> Accounting:
    """Read the three counters. While packets arrive they are read at slightly different times.

    Raises: DeviceUnreachable, DeviceRefused, PipelineMismatch.
    """
    reasons = await device.counter("drop_reason")
    ingress = await device.counter("outcome")
    has_copies = device.schema.counters.get("copy_outcome") is not None
    egress = await device.counter("copy_outcome") if has_copies else {}
    names = {reason.value: reason.name for reason in DropReason}
    return Accounting(
        drops={
            names.get(row, f"row {row}"): Count(data.packet_count, data.byte_count)
            for row, data in sorted(reasons.items())
            if data.packet_count
        },
        outcomes={row.name: _count(ingress, row) for row in (Outcome.RECEIVED, *_ENDS)},
        copies={row.name: _sum(_count(ingress, row), _count(egress, row)) for row in _COPIES} if has_copies else {},
    )


def _count(rows: Mapping, row: int) -> Count:
    return Count(rows[row].packet_count, rows[row].byte_count) if row in rows else Count(0, 0)


def _sum(one: Count, other: Count) -> Count:
    return Count(one.packets + other.packets, one.bytes + other.bytes)
