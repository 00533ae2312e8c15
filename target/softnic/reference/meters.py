# SPDX-License-Identifier: Apache-2.0
"""A two-rate three-colour marker (RFC 2698, colour-blind), in integers on a microsecond clock as BMv2's is."""

from __future__ import annotations

from softnic.engine import MeterRates

GREEN, YELLOW, RED = 0, 1, 2

_MICROSECONDS = 1_000_000


class _Bucket:
    """Full at first. Tokens come `rate` per second, counted from one origin so that fractions are not lost."""

    __slots__ = ("_burst", "_origin_us", "_rate", "_received", "_tokens")

    def __init__(self, rate: int, burst: int, now_us: int) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._origin_us = now_us
        self._received = 0

    def take(self, cost: int, now_us: int) -> bool:
        received = (now_us - self._origin_us) * self._rate // _MICROSECONDS
        self._tokens = min(self._tokens + received - self._received, self._burst)
        self._received = received
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


class Marker:
    """One configured meter."""

    __slots__ = ("_committed", "_peak", "rates")

    def __init__(self, rates: MeterRates, now_us: int) -> None:
        self.rates = rates
        self._peak = _Bucket(rates.peak_rate, rates.peak_burst, now_us)
        self._committed = _Bucket(rates.committed_rate, rates.committed_burst, now_us)

    def mark(self, cost: int, now_us: int) -> int:
        """The colour of a packet that costs `cost` bytes, or 1 for a meter of packets."""
        if not self._peak.take(cost, now_us):
            return RED
        return GREEN if self._committed.take(cost, now_us) else YELLOW
