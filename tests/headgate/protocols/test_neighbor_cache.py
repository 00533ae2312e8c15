# SPDX-License-Identifier: Apache-2.0
"""The neighbor cache, one transition a test, and as a whole under any sequence of events."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from random import Random

import pytest
from finsy import MACAddress
from hypothesis import given
from hypothesis import strategies as st

from headgate.protocols.neighbor_cache import (
    Action,
    Forget,
    GiveUp,
    Lose,
    Loss,
    NeighborCache,
    NeighborLimits,
    NextHop,
    Resolve,
    Solicit,
)

SECOND_NS = 1_000_000_000
LIMITS = NeighborLimits()
LATEST_PROBE_NS = int(1.5 * LIMITS.reachable_ns)

GATEWAY = NextHop(10, IPv4Address("10.0.0.254"))
OTHER = NextHop(10, IPv4Address("10.0.0.2"))
MAC_A = MACAddress("02:00:00:00:00:0a")
MAC_B = MACAddress("02:00:00:00:00:0b")


def make_cache(**limits: int) -> NeighborCache:
    return NeighborCache(replace(LIMITS, **limits), Random(1))


def hear(
    cache: NeighborCache,
    mac: MACAddress | None,
    *,
    solicited: bool = True,
    override: bool = True,
    now_ns: int = 0,
    next_hop: NextHop = GATEWAY,
) -> list[Action]:
    return cache.heard(next_hop, mac, solicited=solicited, override=override, now_ns=now_ns)


def reachable_cache() -> NeighborCache:
    cache = make_cache()
    cache.adopt(GATEWAY, MAC_A, 0)
    return cache


def probing_cache() -> NeighborCache:
    """A cache that has begun, at `LATEST_PROBE_NS`, to probe the gateway at MAC_A."""
    cache = reachable_cache()
    assert cache.expire(LATEST_PROBE_NS) == [Solicit(GATEWAY, MAC_A)]
    return cache


# ---- resolution


def test_the_first_frame_for_an_unknown_neighbor_asks_everybody() -> None:
    cache = make_cache()

    assert cache.miss(GATEWAY, b"1", 0) == [Solicit(GATEWAY, None)]
    assert cache.next_deadline_ns == SECOND_NS


def test_later_frames_wait_without_asking_again() -> None:
    cache = make_cache()
    cache.miss(GATEWAY, b"1", 0)

    assert cache.miss(GATEWAY, b"2", 1) == []
    assert hear(cache, MAC_A) == [Resolve(GATEWAY, MAC_A, (b"1", b"2"))]


def test_the_newest_frame_replaces_the_oldest_in_a_full_queue() -> None:
    cache = make_cache(waiting_packets=2)
    losses = [cache.miss(GATEWAY, frame, 0) for frame in (b"1", b"2", b"3")]

    assert losses == [[Solicit(GATEWAY, None)], [], [Lose(GATEWAY, Loss.QUEUE_FULL)]]
    assert hear(cache, MAC_A) == [Resolve(GATEWAY, MAC_A, (b"2", b"3"))]


@pytest.mark.parametrize("limit", ["unresolved_neighbors", "neighbors"])
def test_a_scan_of_the_prefix_comes_to_an_end(limit: str) -> None:
    cache = make_cache(**{limit: 1})
    cache.miss(GATEWAY, b"1", 0)

    assert cache.miss(OTHER, b"2", 0) == [Lose(OTHER, Loss.TOO_MANY_NEIGHBORS)]
    assert len(cache) == 1


def test_a_resolved_neighbor_makes_room_for_another_to_be_resolved() -> None:
    cache = make_cache(unresolved_neighbors=1)
    cache.miss(GATEWAY, b"1", 0)
    hear(cache, MAC_A)

    assert cache.miss(OTHER, b"2", 0) == [Solicit(OTHER, None)]


def test_a_silent_neighbor_is_asked_three_times_and_then_given_up() -> None:
    cache = make_cache()
    cache.miss(GATEWAY, b"1", 0)

    assert cache.expire(1 * SECOND_NS - 1) == []
    assert cache.expire(1 * SECOND_NS) == [Solicit(GATEWAY, None)]
    assert cache.expire(2 * SECOND_NS) == [Solicit(GATEWAY, None)]
    assert cache.expire(3 * SECOND_NS) == [GiveUp(GATEWAY, (b"1",))]
    assert len(cache) == cache.unresolved == 0
    assert cache.next_deadline_ns is None


def test_a_neighbor_that_was_given_up_is_asked_for_again_by_the_next_frame() -> None:
    cache = make_cache(solicitations=1)
    cache.miss(GATEWAY, b"1", 0)
    cache.expire(SECOND_NS)

    assert cache.miss(GATEWAY, b"2", SECOND_NS) == [Solicit(GATEWAY, None)]


def test_a_neighbor_nobody_asked_for_is_not_learned() -> None:
    cache = make_cache()

    assert hear(cache, MAC_A) == []
    assert len(cache) == 0


def test_an_answer_without_an_address_resolves_nothing() -> None:
    cache = make_cache()
    cache.miss(GATEWAY, b"1", 0)

    assert hear(cache, None) == []
    assert cache.unresolved == 1


def test_an_unsolicited_word_about_an_unresolved_neighbor_is_used_and_verified() -> None:
    cache = make_cache()
    cache.miss(GATEWAY, b"1", 0)

    assert hear(cache, MAC_A, solicited=False) == [Resolve(GATEWAY, MAC_A, (b"1",)), Solicit(GATEWAY, MAC_A)]


def test_a_frame_that_missed_a_known_neighbor_writes_its_entry_again() -> None:
    assert reachable_cache().miss(GATEWAY, b"1", 0) == [Resolve(GATEWAY, MAC_A, (b"1",))]


def test_a_neighbor_the_device_refused_is_unknown_again() -> None:
    cache = reachable_cache()
    cache.discard(GATEWAY)

    assert cache.miss(GATEWAY, b"1", 0) == [Solicit(GATEWAY, None)]
    assert cache.unresolved == 1


# ---- ageing


def test_a_reachable_neighbor_is_probed_at_its_own_address_before_it_is_forgotten() -> None:
    cache = probing_cache()

    assert cache.expire(LATEST_PROBE_NS + 1 * SECOND_NS) == [Solicit(GATEWAY, MAC_A)]
    assert cache.expire(LATEST_PROBE_NS + 2 * SECOND_NS) == [Solicit(GATEWAY, MAC_A)]
    assert cache.expire(LATEST_PROBE_NS + 3 * SECOND_NS) == [Forget(GATEWAY)]
    assert len(cache) == 0


def test_no_neighbor_is_probed_before_half_its_time() -> None:
    assert reachable_cache().expire(LIMITS.reachable_ns // 2 - 1) == []


def test_neighbors_learned_together_are_not_probed_together() -> None:
    cache = make_cache()
    for host in range(100):
        cache.adopt(NextHop(10, IPv4Address(host)), MAC_A, 0)

    assert 30 <= len(cache.expire(LIMITS.reachable_ns)) <= 70


def test_a_probe_that_is_answered_keeps_the_neighbor_and_changes_nothing() -> None:
    cache = probing_cache()

    assert hear(cache, MAC_A, now_ns=LATEST_PROBE_NS) == []
    assert cache.expire(LATEST_PROBE_NS + LIMITS.reachable_ns // 2 - 1) == []


def test_a_probe_is_answered_by_an_advertisement_without_an_address_too() -> None:
    cache = probing_cache()
    hear(cache, None, now_ns=LATEST_PROBE_NS)

    assert cache.expire(LATEST_PROBE_NS + SECOND_NS) == []


def test_traffic_to_a_neighbor_being_probed_goes_on() -> None:
    assert probing_cache().miss(GATEWAY, b"1", LATEST_PROBE_NS) == [Resolve(GATEWAY, MAC_A, (b"1",))]


# ---- neighbors that move, RFC 4861 7.2.5


def test_a_neighbor_that_moved_unasked_is_followed_and_verified() -> None:
    assert hear(reachable_cache(), MAC_B) == [Resolve(GATEWAY, MAC_B, ()), Solicit(GATEWAY, MAC_B)]


def test_a_neighbor_that_moved_and_says_so_when_probed_is_believed() -> None:
    cache = probing_cache()

    assert hear(cache, MAC_B, now_ns=LATEST_PROBE_NS) == [Resolve(GATEWAY, MAC_B, ())]
    assert cache.expire(LATEST_PROBE_NS + SECOND_NS) == []


def test_without_the_override_flag_another_address_only_raises_a_doubt() -> None:
    cache = reachable_cache()

    assert hear(cache, MAC_B, override=False) == [Solicit(GATEWAY, MAC_A)]
    assert hear(cache, MAC_B, override=False) == []
    assert cache.miss(GATEWAY, b"1", 0) == [Resolve(GATEWAY, MAC_A, (b"1",))]


def test_hearing_a_reachable_neighbor_repeat_itself_puts_no_probe_off() -> None:
    cache = reachable_cache()
    deadline_ns = cache.next_deadline_ns

    assert hear(cache, MAC_A, now_ns=SECOND_NS) == []
    assert cache.next_deadline_ns == deadline_ns


def test_an_unsolicited_repetition_does_not_answer_a_probe() -> None:
    cache = probing_cache()
    hear(cache, MAC_A, solicited=False, now_ns=LATEST_PROBE_NS)

    assert cache.expire(LATEST_PROBE_NS + SECOND_NS) == [Solicit(GATEWAY, MAC_A)]


# ---- as a whole

next_hops = st.integers(1, 4).map(lambda host: NextHop(10, IPv4Address(host)))
events = st.lists(
    st.tuples(
        st.sampled_from(["miss", "heard", "expire", "discard"]),
        next_hops,
        st.sampled_from([None, MAC_A, MAC_B]),
        st.booleans(),
        st.booleans(),
        st.integers(0, 40 * SECOND_NS),
    ),
    max_size=60,
)


@given(events)
def test_every_frame_is_routed_given_up_lost_or_still_waiting(
    events: list[tuple[str, NextHop, MACAddress | None, bool, bool, int]],
) -> None:
    limits = replace(LIMITS, waiting_packets=2, unresolved_neighbors=2, neighbors=3)
    cache = NeighborCache(limits, Random(1))
    now_ns = offered = ended = 0
    for kind, next_hop, mac, solicited, override, wait_ns in events:
        now_ns += wait_ns
        match kind:
            case "miss":
                offered += 1
                actions = cache.miss(next_hop, b"frame", now_ns)
            case "heard":
                actions = hear(cache, mac, solicited=solicited, override=override, now_ns=now_ns, next_hop=next_hop)
            case "expire":
                actions = cache.expire(now_ns)
            case _:
                ended += sum(waiting == next_hop for waiting, _ in cache.waiting())
                cache.discard(next_hop)
                actions = []
        for action in actions:
            ended += len(action.waiting) if isinstance(action, Resolve | GiveUp) else isinstance(action, Lose)

        assert offered == ended + len(list(cache.waiting()))
        assert cache.unresolved <= limits.unresolved_neighbors
        assert len(cache) <= limits.neighbors
        assert (cache.next_deadline_ns is None) == (len(cache) == 0)


def test_timers_that_were_put_off_are_not_kept_for_ever() -> None:
    cache = reachable_cache()
    for turn in range(1000):
        hear(cache, MAC_B if turn % 2 else MAC_A)

    assert len(cache._timers) < 100
