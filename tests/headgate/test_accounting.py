# SPDX-License-Identifier: Apache-2.0
"""The law of accounting, by rows of counters as a device gives them."""

from __future__ import annotations

import asyncio

import pytest
from finsy import P4CounterData

from headgate.device import DeviceView
from headgate.reports import Accounting, Count, accounting_of
from headgate.vocabulary import DropReason, Outcome

BALANCED = {Outcome.RECEIVED: 15, Outcome.SENT: 1, Outcome.DELIVERED: 2, Outcome.PUNTED: 3, Outcome.DROPPED: 4}
BALANCED |= {Outcome.REPLICATED: 5, Outcome.COPY_POLICED: 6}
REASONS = {DropReason.NO_RING: 3, DropReason.IPV4_MARTIAN: 1}


class Counters(DeviceView):
    """A device that is nothing but its counters."""

    def __init__(self, **rows: dict[int, int]) -> None:
        super().__init__("nowhere")
        self._rows = rows

    async def counter(self, name: str, *rows: int) -> dict[int, P4CounterData]:
        return {row: P4CounterData(packet_count=n, byte_count=100 * n) for row, n in self._rows[name].items()}


def account(outcome: dict, reasons: dict) -> Accounting:
    device = Counters(outcome=outcome, copy_outcome={Outcome.COPY_SENT: 7}, drop_reason=reasons)
    return asyncio.run(accounting_of(device))


def test_packets_that_are_all_accounted_for_balance() -> None:
    report = account(BALANCED, REASONS)
    assert report.holds
    assert report.drops == {"IPV4_MARTIAN": Count(1, 100), "NO_RING": Count(3, 300)}


def test_copies_are_counted_apart_from_what_was_received() -> None:
    report = account(BALANCED, REASONS)
    assert report.copies["COPY_SENT"] == Count(7, 700)  # counted in egress
    assert report.copies["COPY_POLICED"] == Count(6, 600)  # counted in ingress


@pytest.mark.parametrize(
    ("outcome", "reasons", "balance", "drop_balance"),
    [
        ({**BALANCED, Outcome.RECEIVED: 17}, REASONS, 2, 0),
        ({**BALANCED, Outcome.SENT: 2}, REASONS, -1, 0),
        (BALANCED, {DropReason.NO_RING: 3}, 0, 1),
    ],
    ids=["a packet without an outcome", "a packet with two outcomes", "a drop without a reason"],
)
def test_what_does_not_add_up_is_told_by_how_much(
    outcome: dict, reasons: dict, balance: int, drop_balance: int
) -> None:
    report = account(outcome, reasons)
    assert not report.holds
    assert (report.balance, report.drop_balance) == (balance, drop_balance)


def test_a_reason_that_this_version_does_not_know_is_named_by_its_row() -> None:
    assert account(BALANCED, {200: 4}).drops == {"row 200": Count(4, 400)}
