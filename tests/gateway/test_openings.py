# SPDX-License-Identifier: Apache-2.0
"""The firewall remembers for a second what it let begin, should the controller not have written the session by then."""

from __future__ import annotations

import shutil

import pytest
from finsy import P4TableEntry
from scapy.layers.inet import TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether

from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig
from headgate.reconcile import plan
from headgate.reconcile.gateway import GatewayTransition
from headgate.systems import desired
from headgate.vocabulary import DropReason

from .gateways import Frame, Gateway, compiled_program
from .packets import ORIGINS, WAN_A, WAN_A_MAC
from .policies import original

HOST, WORLD = "2001:db8:1:1::10", "2001:db8:f::9"
MS = 1_000_000
SHORT_MS, LONG_MS = 990, 1100
"""On either side of the second that the program counts in parts of 1,024 us."""

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the native engine needs a C compiler, cc")


@pytest.fixture
def gateway() -> Gateway:
    config = parse_config(original())
    assert isinstance(config, GatewayConfig)
    wanted = [entity for entity in desired(config) if isinstance(entity, P4TableEntry)]
    gateway = Gateway()
    _, schema, _ = compiled_program()
    gateway.write(change.update for change in plan((), wanted, schema, GatewayTransition(config)).changes)
    return gateway


def segment(flags: str) -> Frame:
    """Of red's host to a web server outside."""
    origin = next(origin for origin in ORIGINS if HOST in origin.sources)
    return origin.port, bytes(origin.around(IPv6(src=HOST, dst=WORLD) / TCP(sport=4000, dport=80, flags=flags)))


ANSWER: Frame = (
    WAN_A,
    bytes(
        Ether(src="02:00:00:00:fb:01", dst=WAN_A_MAC)
        / IPv6(src=WORLD, dst=HOST)
        / TCP(sport=80, dport=4000, flags="SA")
    ),
)


def test_answer_passes_within_a_second_of_the_originators_last_packet(gateway: Gateway) -> None:
    for flags in ("S", "A", "A"):
        assert gateway.process(segment(flags)).outputs
        gateway.now_ns += SHORT_MS * MS
        assert gateway.process(ANSWER).outputs


@pytest.mark.parametrize("late_ms", [LONG_MS, 2 * LONG_MS, 1 << 31])
def test_answer_that_comes_later_finds_nothing(gateway: Gateway, late_ms: int) -> None:
    assert gateway.process(segment("S")).outputs
    gateway.now_ns += late_ms * MS
    assert gateway.process(ANSWER).drop_reason is DropReason.FIREWALL_DENY


def test_originator_that_comes_later_begins_nothing(gateway: Gateway) -> None:
    assert gateway.process(segment("S")).outputs
    gateway.now_ns += LONG_MS * MS
    assert gateway.process(segment("A")).drop_reason is DropReason.NOT_A_NEW_CONNECTION
