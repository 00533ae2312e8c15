# SPDX-License-Identifier: Apache-2.0
"""When a subscription sends what: on change, sampled, with heartbeats, and as the target likes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from finsy.proto import gnmi
from grpc import StatusCode

from softnic.gnmi.errors import GnmiError
from softnic.gnmi.paths import Element, Path, decode, describe, encode, selects
from softnic.gnmi.subscription import DEFAULT_COUNTER_INTERVAL_NS, MIN_INTERVAL_NS, Flow, flows
from softnic.gnmi.tree import Leaves, leaves
from softnic.ports.port import PortStats
from softnic.switch import PortState

INTERVAL_NS = 5 * MIN_INTERVAL_NS
ALL = (Element("interfaces"),)
STATUS = (Element("interfaces"), Element("interface"), Element("state"), Element("oper-status"))
COUNTERS = (Element("interfaces"), Element("interface"), Element("state"), Element("counters"))


def tree(has_link: bool = True, rx_packets: int = 0) -> Leaves:
    return leaves([PortState(1, "eth1", True, has_link, PortStats(rx_packets=rx_packets))])


def flow(pattern: Path = STATUS, **settings: Any) -> Flow:
    [only] = flows(gnmi.Subscription(**settings), pattern, tree())
    return only


def last_names(updates: Leaves) -> Mapping[str, object]:
    return {path[-1].name: value for path, value in updates.items()}


UP, DOWN = {"oper-status": "UP"}, {"oper-status": "DOWN"}


def test_everything_comes_first() -> None:
    assert last_names(flow(mode=gnmi.ON_CHANGE).start(tree(), 0)) == UP


def test_on_change_sends_what_has_changed_and_only_then() -> None:
    on_change = flow(mode=gnmi.ON_CHANGE)
    on_change.start(tree(), 0)
    assert on_change.due_ns() is None
    assert on_change.updates(tree(), 1) == {}
    assert last_names(on_change.updates(tree(has_link=False), 2)) == DOWN
    assert on_change.updates(tree(has_link=False), 3) == {}


def test_samples_come_at_their_interval_changed_or_not() -> None:
    sampled = flow(mode=gnmi.SAMPLE, sample_interval=INTERVAL_NS)
    sampled.start(tree(), 0)
    assert sampled.due_ns() == INTERVAL_NS
    assert sampled.updates(tree(has_link=False), INTERVAL_NS - 1) == {}
    assert last_names(sampled.updates(tree(), INTERVAL_NS)) == UP
    assert sampled.due_ns() == 2 * INTERVAL_NS


def test_redundant_samples_are_suppressed_on_request() -> None:
    sampled = flow(mode=gnmi.SAMPLE, sample_interval=INTERVAL_NS, suppress_redundant=True)
    sampled.start(tree(), 0)
    assert sampled.updates(tree(), INTERVAL_NS) == {}
    assert last_names(sampled.updates(tree(has_link=False), 2 * INTERVAL_NS)) == DOWN


@pytest.mark.parametrize(
    "settings",
    [{"mode": gnmi.ON_CHANGE}, {"mode": gnmi.SAMPLE, "sample_interval": 100 * INTERVAL_NS, "suppress_redundant": True}],
    ids=["on change", "sample"],
)
def test_a_heartbeat_sends_what_has_not_changed(settings) -> None:
    beating = flow(heartbeat_interval=INTERVAL_NS, **settings)
    beating.start(tree(), 0)
    assert beating.due_ns() == INTERVAL_NS
    assert last_names(beating.updates(tree(), INTERVAL_NS)) == UP
    assert beating.updates(tree(), INTERVAL_NS + 1) == {}


def test_an_interval_of_0_is_the_shortest_there_is() -> None:
    sampled = flow(mode=gnmi.SAMPLE)
    sampled.start(tree(), 0)
    assert sampled.due_ns() == MIN_INTERVAL_NS


def test_the_target_prefers_changes_of_states_and_samples_of_counters() -> None:
    states, counters = flows(gnmi.Subscription(mode=gnmi.TARGET_DEFINED), ALL, tree())
    assert len(states.start(tree(), 0)) + len(counters.start(tree(), 0)) == len(tree())
    assert last_names(states.updates(tree(rx_packets=5, has_link=False), 1)) == DOWN
    assert last_names(counters.updates(tree(rx_packets=5), DEFAULT_COUNTER_INTERVAL_NS))["in-pkts"] == 5


REFUSED = {
    "on change of counters": (COUNTERS, {"mode": gnmi.ON_CHANGE}, StatusCode.INVALID_ARGUMENT),
    "a short interval": (STATUS, {"mode": gnmi.SAMPLE, "sample_interval": 1}, StatusCode.INVALID_ARGUMENT),
    "a short heartbeat": (STATUS, {"mode": gnmi.ON_CHANGE, "heartbeat_interval": 1}, StatusCode.INVALID_ARGUMENT),
    "another mode": (STATUS, {"mode": 9}, StatusCode.INVALID_ARGUMENT),
    "another path": ((Element("system"),), {"mode": gnmi.ON_CHANGE}, StatusCode.NOT_FOUND),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_subscription_is_refused_for(name: str) -> None:
    pattern, settings, code = REFUSED[name]
    with pytest.raises(GnmiError) as refusal:
        flow(pattern, **settings)
    assert refusal.value.code == code


# ---- paths ----------------------------------------------------------------------------------------------------------

ETH1 = Element("interface", (("name", "eth1"),))


@pytest.mark.parametrize(
    ("pattern", "is_selected"),
    [
        ((), True),
        ((Element("interfaces"), ETH1), True),
        ((Element("interfaces"), Element("interface")), True),
        ((Element("interfaces"), Element("interface", (("name", "*"),))), True),
        ((Element("*"), Element("*"), Element("name")), True),
        ((Element("interfaces"), Element("interface", (("name", "eth2"),))), False),
        ((Element("interfaces"), Element("interface", (("index", "*"),))), False),
        ((Element("interfaces"), ETH1, Element("state")), False),
        ((Element("interfaces"), ETH1, Element("name"), Element("name")), False),
    ],
    ids=lambda value: describe(value) if isinstance(value, tuple) else str(value),
)
def test_a_pattern_selects_what_is_at_or_below_it(pattern: Path, is_selected: bool) -> None:
    assert selects(pattern, (Element("interfaces"), ETH1, Element("name"))) == is_selected


def test_a_path_is_below_its_prefix() -> None:
    prefix, path = encode((Element("interfaces"),)), encode((ETH1,))
    assert decode(prefix, path) == (Element("interfaces"), ETH1)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (gnmi.Path(origin="cli"), StatusCode.INVALID_ARGUMENT),
        (gnmi.Path(element=["interfaces"]), StatusCode.UNIMPLEMENTED),  # pyright: ignore[reportDeprecated]
        (gnmi.Path(elem=[gnmi.PathElem(name="...")]), StatusCode.UNIMPLEMENTED),
    ],
    ids=["origin", "deprecated", "wildcard"],
)
def test_a_path_is_refused(path: gnmi.Path, code: StatusCode) -> None:
    with pytest.raises(GnmiError) as refusal:
        decode(gnmi.Path(), path)
    assert refusal.value.code == code
