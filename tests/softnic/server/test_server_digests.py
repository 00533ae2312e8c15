# SPDX-License-Identifier: Apache-2.0
"""Digests and idle notices, without a clock: what is sent when, what is not repeated, and what is forgotten."""

from __future__ import annotations

import pytest

from softnic.engine import PackedCall, PackedEntry, PackedMatch
from softnic.server import digests as digests_module
from softnic.server.digests import MAX_LIST_SAMPLES, DigestConfig, DigestList, Digests
from softnic.server.idle import IdleNotices

ID, OTHER_ID = 7, 8


def enabled(**config: int) -> Digests:
    digests = Digests()
    digests.configure(ID, DigestConfig(**config))
    return digests


def test_a_digest_that_nobody_enabled_goes_nowhere() -> None:
    digests = Digests()
    assert digests.add(ID, (1,), 0) is None
    assert digests.deadline_ns() is None


@pytest.mark.parametrize("config", [{"max_timeout_ns": 0}, {"max_timeout_ns": 100, "max_list_size": 1}])
def test_without_timeout_or_with_lists_of_one_each_sample_is_sent_at_once(config: dict[str, int]) -> None:
    digests = enabled(**config)
    assert digests.add(ID, (1,), 0) == DigestList(ID, 1, ((1,),))
    assert digests.add(ID, (2,), 0) == DigestList(ID, 2, ((2,),))


def test_a_list_is_sent_when_it_is_full() -> None:
    digests = enabled(max_timeout_ns=100, max_list_size=2)
    assert digests.add(ID, (1,), 0) is None
    assert digests.add(ID, (2,), 1) == DigestList(ID, 1, ((1,), (2,)))


def test_a_list_is_sent_when_its_first_sample_has_waited_long_enough() -> None:
    digests = enabled(max_timeout_ns=100)
    digests.add(ID, (1,), 5)
    digests.add(ID, (2,), 50)
    assert digests.deadline_ns() == 105
    assert digests.due(104) == []
    assert digests.due(105) == [DigestList(ID, 1, ((1,), (2,)))]
    assert digests.deadline_ns() is None


def test_a_list_of_any_size_is_bounded_all_the_same() -> None:
    digests = enabled(max_timeout_ns=100)
    lists = [digests.add(ID, (value,), 0) for value in range(MAX_LIST_SAMPLES)]
    assert [complete is not None for complete in lists] == [False] * (MAX_LIST_SAMPLES - 1) + [True]


def test_a_sample_that_waits_is_not_taken_twice() -> None:
    digests = enabled(max_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.add(ID, (1,), 0)
    assert digests.due(100) == [DigestList(ID, 1, ((1,),))]


def test_a_sample_is_not_repeated_until_it_is_acknowledged() -> None:
    digests = enabled(ack_timeout_ns=100)
    digests.add(ID, (1,), 0)
    assert digests.add(ID, (1,), 1) is None
    digests.acknowledge(ID, 1)
    assert digests.add(ID, (1,), 2) == DigestList(ID, 2, ((1,),))


def test_a_sample_is_repeated_when_its_acknowledgement_is_overdue() -> None:
    digests = enabled(ack_timeout_ns=100)
    digests.add(ID, (1,), 0)
    assert digests.add(ID, (1,), 99) is None
    assert digests.add(ID, (1,), 100) == DigestList(ID, 2, ((1,),))


def test_without_ack_timeout_nothing_is_held_back() -> None:
    digests = enabled(ack_timeout_ns=0)
    assert digests.add(ID, (1,), 0)
    assert digests.add(ID, (1,), 0)


def test_an_acknowledgement_of_another_list_or_digest_means_nothing() -> None:
    digests = enabled(ack_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.acknowledge(ID, 9)
    digests.acknowledge(9, 1)
    assert digests.add(ID, (1,), 1) is None


def test_a_new_client_is_told_again() -> None:
    digests = enabled(ack_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.forget_sent()
    assert digests.add(ID, (1,), 1)


def test_the_memory_of_what_was_sent_is_bounded_and_forgets_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digests_module, "MAX_UNACKED_SAMPLES", 2)
    digests = enabled(ack_timeout_ns=100)
    for value in (1, 2, 3):
        digests.add(ID, (value,), 0)
    assert digests.add(ID, (3,), 1) is None
    assert digests.add(ID, (2,), 1) is None
    assert digests.add(ID, (1,), 1)


def test_a_disabled_digest_drops_what_waits() -> None:
    digests = enabled(max_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.configure(ID, None)
    assert digests.due(100) == []


def test_new_limits_keep_what_waits() -> None:
    digests = enabled(max_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.configure(ID, DigestConfig(max_timeout_ns=10))
    assert digests.due(10) == [DigestList(ID, 1, ((1,),))]


def test_the_deadline_is_that_of_the_list_that_is_due_first() -> None:
    digests = enabled(max_timeout_ns=100)
    digests.configure(OTHER_ID, DigestConfig(max_timeout_ns=10))
    digests.add(ID, (1,), 0)
    digests.add(OTHER_ID, (1,), 5)
    assert digests.deadline_ns() == 15
    assert digests.due(15) == [DigestList(OTHER_ID, 1, ((1,),))]
    assert digests.deadline_ns() == 100
    digests.configure(ID, None)
    assert digests.deadline_ns() is None


def test_a_list_that_is_overdue_holds_none_of_its_samples_back() -> None:
    digests = enabled(max_timeout_ns=1, max_list_size=2, ack_timeout_ns=100)
    digests.add(ID, (1,), 0)
    digests.add(ID, (2,), 0)
    assert digests.add(ID, (2,), 100) is None  # waits, to be sent once more
    assert digests.add(ID, (1,), 100) == DigestList(ID, 2, ((2,), (1,)))


# ---- idle notices ---------------------------------------------------------------------------------------------------

ENTRY = 1, PackedEntry(PackedMatch(b"\1"), PackedCall("NoAction"), idle_timeout_ns=100)
OTHER = 1, PackedEntry(PackedMatch(b"\2"), PackedCall("NoAction"), idle_timeout_ns=100)


def test_an_idle_entry_is_told_of_once_in_each_timeout() -> None:
    notices = IdleNotices()
    assert [notices.due([ENTRY], now_ns) for now_ns in (0, 99, 100, 150, 200)] == [[ENTRY], [], [ENTRY], [], [ENTRY]]


def test_an_entry_that_was_hit_meanwhile_starts_anew() -> None:
    notices = IdleNotices()
    assert [notices.due(idle, now_ns) for idle, now_ns in (([ENTRY], 0), ([], 10), ([ENTRY], 20))] == [
        [ENTRY],
        [],
        [ENTRY],
    ]


def test_entries_are_told_of_independently() -> None:
    notices = IdleNotices()
    notices.due([ENTRY], 0)
    assert notices.due([ENTRY, OTHER], 50) == [OTHER]
