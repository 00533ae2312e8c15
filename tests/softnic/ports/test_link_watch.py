# SPDX-License-Identifier: Apache-2.0
"""What the kernel says about links, decoded: whole messages only. The kernel itself speaks in test_linux_ports."""

from __future__ import annotations

import struct

import pytest

from softnic.ports.link_watch import links

NEWLINK, DELLINK, DONE = 16, 17, 3
UP, RUNNING = 0x1, 0x40


def message(kind: int, index: int, flags: int, attributes: bytes = b"") -> bytes:
    body = struct.pack("=BxHiII", 0, 1, index, flags, 0) + attributes
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


@pytest.mark.parametrize(
    ("kind", "flags", "has_link"),
    [
        (NEWLINK, UP | RUNNING, True),
        (NEWLINK, UP, False),
        (NEWLINK, RUNNING, False),
        (NEWLINK, 0, False),
        (DELLINK, UP | RUNNING, False),
    ],
)
def test_a_link_is_there_while_its_interface_is_up_and_running(kind: int, flags: int, has_link: bool) -> None:
    assert list(links(message(kind, 7, flags))) == [(7, has_link)]


def test_a_datagram_may_hold_several_messages_of_any_length() -> None:
    odd = message(NEWLINK, 1, UP | RUNNING, b"odd")
    datagram = odd + bytes(-len(odd) % 4) + message(DONE, 2, UP) + message(DELLINK, 3, 0)
    assert list(links(datagram)) == [(1, True), (3, False)]


@pytest.mark.parametrize("length", range(32))
def test_a_datagram_that_is_cut_short_tells_nothing(length: int) -> None:
    assert list(links(message(NEWLINK, 7, UP | RUNNING)[:length])) == []


def test_a_message_that_claims_no_length_ends_the_datagram() -> None:
    assert list(links(bytes(16) + message(NEWLINK, 7, UP | RUNNING))) == []
