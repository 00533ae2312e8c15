# SPDX-License-Identifier: Apache-2.0
"""Token bucket: a rate with bursts, as RFC 4443 2.4(f) recommends for ICMP errors."""

from __future__ import annotations

_NS_PER_S = 1_000_000_000


class TokenBucket:
    """Grants `rate_per_s` on average and `burst` at once. Full to begin with; time is the caller's."""

    __slots__ = ("_burst_ns", "_credit_ns", "_token_ns", "_updated_ns")

    def __init__(self, rate_per_s: int, burst: int, now_ns: int) -> None:
        # Credit is kept as time, in whole nanoseconds, so that no fraction of a token is ever lost.
        self._token_ns = _NS_PER_S // rate_per_s
        self._burst_ns = burst * self._token_ns
        self._credit_ns = self._burst_ns
        self._updated_ns = now_ns

    def take(self, now_ns: int) -> bool:
        """Take one token; False, and nothing taken, where there is none. `now_ns` never goes back."""
        self._credit_ns = min(self._burst_ns, self._credit_ns + now_ns - self._updated_ns)
        self._updated_ns = now_ns
        if self._credit_ns < self._token_ns:
            return False
        self._credit_ns -= self._token_ns
        return True
