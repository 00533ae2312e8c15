# SPDX-License-Identifier: Apache-2.0
"""A token bucket grants its burst at once and its rate over time, and never more."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headgate.protocols.token_bucket import TokenBucket

SECOND_NS = 1_000_000_000


def test_a_full_bucket_grants_its_burst_and_then_one_token_per_period() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3, now_ns=0)

    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(SECOND_NS // 10 - 1)
    assert bucket.take(SECOND_NS // 10)
    assert not bucket.take(SECOND_NS // 10)


def test_a_long_rest_earns_no_more_than_the_burst() -> None:
    bucket = TokenBucket(rate_per_s=10, burst=3, now_ns=0)
    while bucket.take(0):
        pass

    assert [bucket.take(3600 * SECOND_NS) for _ in range(4)] == [True, True, True, False]


@given(
    rate_per_s=st.integers(1, 1000),
    burst=st.integers(1, 50),
    waits_ns=st.lists(st.integers(0, SECOND_NS), min_size=1, max_size=200),
)
def test_never_more_than_burst_and_rate_allow(rate_per_s: int, burst: int, waits_ns: list[int]) -> None:
    bucket = TokenBucket(rate_per_s, burst, now_ns=0)
    now_ns = 0
    granted = 0
    for wait_ns in waits_ns:
        now_ns += wait_ns
        granted += bucket.take(now_ns)

    assert granted <= burst + now_ns // (SECOND_NS // rate_per_s)
