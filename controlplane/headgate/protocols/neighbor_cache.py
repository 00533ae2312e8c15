# SPDX-License-Identifier: Apache-2.0
"""The neighbors of one router: who is being asked for, who is known, and who has to be asked again.

RFC 4861 7.2 and 7.3 for IPv6, and the same for ARP, which says less (RFC 1122 2.3.2). What is heard and what a clock
says go in; `Action`s come out, for somebody else to carry out in the order given.

One thing differs from a host's cache: traffic takes the data plane's way, unseen. There is no upper-layer hint that a
neighbor is alive and no packet whose sending could begin a probe, so that STALE and DELAY have no meaning here: a
neighbor in doubt is probed at once, and one that has been reachable for long is in doubt.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import IPv4Address, IPv6Address
from itertools import count
from random import Random

from finsy import MACAddress

_NS_PER_S = 1_000_000_000
_SPARE_TIMERS = 64


@dataclass(frozen=True, slots=True)
class NextHop:
    """An address in a VLAN: what is resolved to a MAC address."""

    vlan_id: int
    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class NeighborLimits:
    """How patient the cache is, and how much it holds.

    Attributes:
        retransmit_ns: Between solicitations of one neighbor; RFC 4861 10, and RFC 1122 2.3.2.1 forbids less for ARP.
        solicitations: How many go unanswered before a neighbor is given up; RFC 4861 10.
        reachable_ns: How long an answer is believed, on average: of the order of a minute (RFC 1122 2.3.2.1).
        waiting_packets: Kept for each neighbor that is being resolved (RFC 4861 7.2.2).
        unresolved_neighbors: Being resolved at one time, so that a scan of a prefix has an end (RFC 6583).
        neighbors: In all.
    """

    retransmit_ns: int = 1 * _NS_PER_S
    solicitations: int = 3
    reachable_ns: int = 60 * _NS_PER_S
    waiting_packets: int = 3
    unresolved_neighbors: int = 256
    neighbors: int = 4096


# ---- actions


@dataclass(frozen=True, slots=True)
class Solicit:
    """Ask for `next_hop`: everybody, or only the station at `to`."""

    next_hop: NextHop
    to: MACAddress | None


@dataclass(frozen=True, slots=True)
class Resolve:
    """`next_hop` is at `mac`: see to it that the data plane knows, then route the frames that waited."""

    next_hop: NextHop
    mac: MACAddress
    waiting: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Forget:
    """`next_hop` is no longer there: the data plane must not send to it."""

    next_hop: NextHop


@dataclass(frozen=True, slots=True)
class GiveUp:
    """`next_hop` does not answer: the senders of the frames that waited are to be told (RFC 4861 7.2.2)."""

    next_hop: NextHop
    waiting: tuple[bytes, ...]


class Loss(Enum):
    """Why a waiting frame was lost."""

    QUEUE_FULL = "queue_full"
    TOO_MANY_NEIGHBORS = "too_many_neighbors"


@dataclass(frozen=True, slots=True)
class Lose:
    """One frame for `next_hop` is gone."""

    next_hop: NextHop
    reason: Loss


Action = Solicit | Resolve | Forget | GiveUp | Lose


# ---- the cache


class _State(Enum):
    INCOMPLETE = auto()
    REACHABLE = auto()
    PROBE = auto()


@dataclass(slots=True)
class _Neighbor:
    state: _State
    mac: MACAddress | None = None
    deadline_ns: int = 0
    solicitations: int = 0
    waiting: deque[bytes] = field(default_factory=deque)

    def take_waiting(self) -> tuple[bytes, ...]:
        frames = tuple(self.waiting)
        self.waiting.clear()
        return frames


class NeighborCache:
    """The neighbors of one router. `now_ns` is any clock's that never goes back, the same in every call."""

    def __init__(self, limits: NeighborLimits, random: Random) -> None:
        self._limits = limits
        self._random = random
        self._neighbors: dict[NextHop, _Neighbor] = {}
        self._unresolved = 0
        # Of (deadline, tie breaker, next hop). A deadline that was changed since stays until it comes to the top.
        self._timers: list[tuple[int, int, NextHop]] = []
        self._timer_ids = count()

    def __len__(self) -> int:
        return len(self._neighbors)

    @property
    def unresolved(self) -> int:
        """How many neighbors are being resolved for the first time."""
        return self._unresolved

    @property
    def next_deadline_ns(self) -> int | None:
        """When `expire` is due next; None where nothing is waited for."""
        while self._timers and not self._is_current(*self._timers[0]):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def adopt(self, next_hop: NextHop, mac: MACAddress, now_ns: int) -> None:
        """Take over a neighbor that the data plane knows already."""
        neighbor = self._neighbors[next_hop] = _Neighbor(_State.REACHABLE, mac)
        self._believe(next_hop, neighbor, now_ns)

    def discard(self, next_hop: NextHop) -> None:
        """Drop a neighbor that the data plane refused to take."""
        neighbor = self._neighbors.pop(next_hop, None)
        if neighbor and neighbor.state is _State.INCOMPLETE:
            self._unresolved -= 1

    def waiting(self) -> Iterator[tuple[NextHop, bytes]]:
        """The frames that wait for an answer."""
        for next_hop, neighbor in self._neighbors.items():
            for frame in neighbor.waiting:
                yield next_hop, frame

    def miss(self, next_hop: NextHop, frame: bytes, now_ns: int) -> list[Action]:
        """The data plane has a frame for `next_hop` and does not know where that is."""
        neighbor = self._neighbors.get(next_hop)
        if neighbor is None:
            return self._begin(next_hop, frame, now_ns)
        if neighbor.mac is not None:
            # Sent before the entry was in place, or somebody has taken the entry away.
            return [Resolve(next_hop, neighbor.mac, (frame,))]
        neighbor.waiting.append(frame)
        if len(neighbor.waiting) <= self._limits.waiting_packets:
            return []
        neighbor.waiting.popleft()  # the newest replaces the oldest, RFC 4861 7.2.2
        return [Lose(next_hop, Loss.QUEUE_FULL)]

    def heard(
        self, next_hop: NextHop, mac: MACAddress | None, *, solicited: bool, override: bool, now_ns: int
    ) -> list[Action]:
        """A neighbor says where it is (RFC 4861 7.2.5).

        Args:
            next_hop: Who speaks. One that was never asked for is ignored.
            mac: Where it says it is; an advertisement may leave that out.
            solicited: It answers a question. An ARP reply always says so.
            override: It replaces what is known. An ARP reply always does (RFC 826).
            now_ns: The time.
        """
        neighbor = self._neighbors.get(next_hop)
        if neighbor is None:
            return []
        if neighbor.mac is None:
            return [] if mac is None else self._resolve(next_hop, neighbor, mac, solicited, now_ns)

        asked = neighbor.state is _State.PROBE
        if mac is None or mac == neighbor.mac:
            if solicited and asked:
                self._believe(next_hop, neighbor, now_ns)
            return []
        if not override:
            return [] if asked else [self._doubt(next_hop, neighbor, now_ns)]
        return self._resolve(next_hop, neighbor, mac, solicited and asked, now_ns)

    def expire(self, now_ns: int) -> list[Action]:
        """What is due at `now_ns`."""
        actions: list[Action] = []
        while (deadline_ns := self.next_deadline_ns) is not None and deadline_ns <= now_ns:
            _, _, next_hop = heapq.heappop(self._timers)
            actions.append(self._time_out(next_hop, self._neighbors[next_hop], now_ns))
        return actions

    # ---- transitions

    def _begin(self, next_hop: NextHop, frame: bytes, now_ns: int) -> list[Action]:
        if self._unresolved >= self._limits.unresolved_neighbors or len(self) >= self._limits.neighbors:
            return [Lose(next_hop, Loss.TOO_MANY_NEIGHBORS)]
        neighbor = self._neighbors[next_hop] = _Neighbor(_State.INCOMPLETE, waiting=deque([frame]))
        self._unresolved += 1
        return [self._solicit(next_hop, neighbor, now_ns)]

    def _resolve(
        self, next_hop: NextHop, neighbor: _Neighbor, mac: MACAddress, confirmed: bool, now_ns: int
    ) -> list[Action]:
        if neighbor.state is _State.INCOMPLETE:
            self._unresolved -= 1
        neighbor.mac = mac
        actions: list[Action] = [Resolve(next_hop, mac, neighbor.take_waiting())]
        if confirmed:
            self._believe(next_hop, neighbor, now_ns)
        else:
            actions.append(self._doubt(next_hop, neighbor, now_ns))
        return actions

    def _believe(self, next_hop: NextHop, neighbor: _Neighbor, now_ns: int) -> None:
        neighbor.state = _State.REACHABLE
        # Spread, so that neighbors learned together are not probed together (RFC 4861 6.3.2).
        self._arm(next_hop, neighbor, now_ns + int(self._limits.reachable_ns * self._random.uniform(0.5, 1.5)))

    def _doubt(self, next_hop: NextHop, neighbor: _Neighbor, now_ns: int) -> Solicit:
        neighbor.state = _State.PROBE
        neighbor.solicitations = 0
        return self._solicit(next_hop, neighbor, now_ns)

    def _solicit(self, next_hop: NextHop, neighbor: _Neighbor, now_ns: int) -> Solicit:
        neighbor.solicitations += 1
        self._arm(next_hop, neighbor, now_ns + self._limits.retransmit_ns)
        return Solicit(next_hop, neighbor.mac)

    def _time_out(self, next_hop: NextHop, neighbor: _Neighbor, now_ns: int) -> Action:
        if neighbor.state is _State.REACHABLE:
            return self._doubt(next_hop, neighbor, now_ns)
        if neighbor.solicitations < self._limits.solicitations:
            return self._solicit(next_hop, neighbor, now_ns)
        self.discard(next_hop)
        if neighbor.state is _State.PROBE:
            return Forget(next_hop)
        return GiveUp(next_hop, neighbor.take_waiting())

    # ---- timers

    def _arm(self, next_hop: NextHop, neighbor: _Neighbor, deadline_ns: int) -> None:
        neighbor.deadline_ns = deadline_ns
        heapq.heappush(self._timers, (deadline_ns, next(self._timer_ids), next_hop))
        if len(self._timers) > 2 * len(self) + _SPARE_TIMERS:
            self._timers = [timer for timer in self._timers if self._is_current(*timer)]
            heapq.heapify(self._timers)

    def _is_current(self, deadline_ns: int, _: int, next_hop: NextHop) -> bool:
        neighbor = self._neighbors.get(next_hop)
        return neighbor is not None and neighbor.deadline_ns == deadline_ns
