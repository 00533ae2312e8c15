# SPDX-License-Identifier: Apache-2.0
"""When a TCP connection is over."""

from __future__ import annotations

import pytest

from headgate.handlers.gateway.closing import LAST_ACK_NS, Closing

SECOND_NS = 1_000_000_000
QUARANTINE_NS = 240 * SECOND_NS
FIN, RST, ACK = 0x01, 0x04, 0x10
A, B = b"connection a", b"connection b"


@pytest.fixture
def closing() -> Closing:
    return Closing(QUARANTINE_NS)


def close(closing: Closing, connection: bytes = A, now_ns: int = 0) -> None:
    assert closing.saw(connection, RST, by_originator=True, now_ns=now_ns)


def test_a_connection_is_over_once_both_ends_have_sent_a_fin(closing: Closing) -> None:
    assert not closing.saw(A, FIN | ACK, by_originator=True, now_ns=0)
    assert not closing.is_over(A, 1)
    assert closing.saw(A, FIN | ACK, by_originator=False, now_ns=2)
    assert closing.is_over(A, 3)


def test_a_fin_sent_twice_closes_nothing(closing: Closing) -> None:
    assert not closing.saw(A, FIN, by_originator=True, now_ns=0)
    assert not closing.saw(A, FIN, by_originator=True, now_ns=1)


@pytest.mark.parametrize("by_originator", [True, False])
def test_one_rst_closes_a_connection(closing: Closing, by_originator: bool) -> None:
    assert closing.saw(A, RST, by_originator=by_originator, now_ns=0)


def test_a_connection_closes_once(closing: Closing) -> None:
    close(closing)
    assert not closing.saw(A, RST, by_originator=False, now_ns=1)


def test_a_half_closed_connection_is_not_over_by_what_the_other_end_still_sends(closing: Closing) -> None:
    closing.saw(A, FIN, by_originator=True, now_ns=0)
    assert not closing.is_over(A, 100 * SECOND_NS)
    assert closing.saw(A, FIN, by_originator=False, now_ns=101 * SECOND_NS)


def test_connections_are_forgotten_when_their_quarantine_ends_in_the_order_in_which_they_closed(
    closing: Closing,
) -> None:
    close(closing, A, 0)
    close(closing, B, SECOND_NS)
    assert closing.expired(QUARANTINE_NS - 1) == []
    assert closing.expired(QUARANTINE_NS) == [A]
    assert closing.expired(QUARANTINE_NS + SECOND_NS) == [B]
    assert len(closing) == 0


def test_the_acknowledgement_of_the_last_fin_revives_nothing(closing: Closing) -> None:
    close(closing)
    assert closing.is_over(A, LAST_ACK_NS - 1)
    assert closing.expired(QUARANTINE_NS) == [A]


def test_traffic_after_a_forged_rst_keeps_the_connection(closing: Closing) -> None:
    close(closing)
    assert not closing.is_over(A, LAST_ACK_NS)
    assert closing.expired(QUARANTINE_NS) == []


def test_a_connection_that_lived_again_is_quarantined_from_its_second_end_on(closing: Closing) -> None:
    close(closing, A, 0)
    closing.is_over(A, 100 * SECOND_NS)
    close(closing, A, 200 * SECOND_NS)
    assert closing.expired(QUARANTINE_NS) == []
    assert closing.expired(QUARANTINE_NS + 200 * SECOND_NS) == [A]
