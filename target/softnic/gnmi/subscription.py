# SPDX-License-Identifier: Apache-2.0
"""When a subscription of a gNMI stream sends which leaves (gNMI specification 3.5.1.5.2). No I/O and no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from finsy.proto import gnmi

from .errors import invalid
from .paths import Path, describe, selects
from .tree import Leaves, is_counter, select

MIN_INTERVAL_NS = 100_000_000
"""The shortest time between two samples, and the one that is used where a client leaves it to us."""

DEFAULT_COUNTER_INTERVAL_NS = 10_000_000_000
"""Between samples of counters where a client leaves the mode to us."""

Selects = Callable[[Path], bool]


class Flow:
    """The leaves of a subscription on their way to the client: on each change, or one sample each `interval_ns`.

    A heartbeat sends them all, changed or not. Intervals are in nanoseconds, 0 for none; so is the time, of any clock.
    """

    def __init__(
        self, selects: Selects, *, interval_ns: int = 0, only_changes: bool = False, heartbeat_ns: int = 0
    ) -> None:
        self._selects = selects
        self._interval_ns = interval_ns
        self._only_changes = only_changes or not interval_ns
        self._heartbeat_ns = heartbeat_ns
        self._sent: Leaves = {}
        self._sample_due_ns = 0
        self._heartbeat_due_ns = 0

    def start(self, tree: Leaves, now_ns: int) -> Leaves:
        """Everything, to begin with."""
        self._sample_due_ns = now_ns + self._interval_ns
        self._heartbeat_due_ns = now_ns + self._heartbeat_ns
        self._sent = self._selected(tree)
        return self._sent

    def due_ns(self) -> int | None:
        """When to ask for updates again, if nothing changes before."""
        times_ns = [self._sample_due_ns] * bool(self._interval_ns) + [self._heartbeat_due_ns] * bool(self._heartbeat_ns)
        return min(times_ns, default=None)

    def updates(self, tree: Leaves, now_ns: int) -> Leaves:
        """What is to be sent now."""
        is_beat = bool(self._heartbeat_ns) and now_ns >= self._heartbeat_due_ns
        if is_beat:
            self._heartbeat_due_ns = now_ns + self._heartbeat_ns
        if self._interval_ns and now_ns < self._sample_due_ns and not is_beat:
            return {}
        if self._interval_ns and now_ns >= self._sample_due_ns:
            self._sample_due_ns = now_ns + self._interval_ns
        selected, sent = self._selected(tree), self._sent
        self._sent = selected
        if self._only_changes and not is_beat:
            return {path: value for path, value in selected.items() if sent.get(path) != value}
        return selected

    def _selected(self, tree: Leaves) -> Leaves:
        return {path: value for path, value in tree.items() if self._selects(path)}


def flows(subscription: gnmi.Subscription, pattern: Path, tree: Leaves) -> Sequence[Flow]:
    """What carries out a subscription to the leaves that `pattern` selects.

    Raises:
        GnmiError: NOT_FOUND for a path that is not there, INVALID_ARGUMENT for a mode or an interval that can't be.
    """
    counters = any(map(is_counter, select(tree, pattern)))
    heartbeat_ns = _checked("heartbeat_interval", subscription.heartbeat_interval)
    interval_ns = _checked("sample_interval", subscription.sample_interval) or MIN_INTERVAL_NS
    match subscription.mode:
        case gnmi.SubscriptionMode.ON_CHANGE:
            if counters:
                raise invalid(f"{describe(pattern)}: counters change all the time; use SAMPLE for them")
            return [Flow(lambda path: selects(pattern, path), heartbeat_ns=heartbeat_ns)]
        case gnmi.SubscriptionMode.SAMPLE:
            only_changes = subscription.suppress_redundant
            return [
                Flow(
                    lambda path: selects(pattern, path),
                    interval_ns=interval_ns,
                    only_changes=only_changes,
                    heartbeat_ns=heartbeat_ns,
                )
            ]
        case gnmi.SubscriptionMode.TARGET_DEFINED:
            return [
                Flow(lambda path: selects(pattern, path) and not is_counter(path), heartbeat_ns=heartbeat_ns),
                Flow(
                    lambda path: selects(pattern, path) and is_counter(path),
                    interval_ns=DEFAULT_COUNTER_INTERVAL_NS,
                    heartbeat_ns=heartbeat_ns,
                ),
            ]
        case mode:
            raise invalid(f"subscription mode {mode} is not one that gNMI has")


def _checked(name: str, interval_ns: int) -> int:
    if 0 < interval_ns < MIN_INTERVAL_NS:
        raise invalid(f"{name} {interval_ns} ns is below this target's {MIN_INTERVAL_NS} ns")
    return interval_ns


def earliest(flows: Iterable[Flow]) -> int | None:
    """When the first of `flows` is due."""
    return min((due_ns for flow in flows if (due_ns := flow.due_ns()) is not None), default=None)
