# SPDX-License-Identifier: Apache-2.0
"""Meters: colour-blind markers of RFC 2698 and RFC 2697, in integers on a microsecond clock as BMv2's is."""

from __future__ import annotations

from typing import Protocol

from softnic.engine import ColourCounts, CounterValue, MeterRates

GREEN, YELLOW, RED = 0, 1, 2

_MICROSECONDS = 1_000_000
_NOTHING = CounterValue()


class _Source:
    """Tokens that come `rate` per second, counted from one origin so that fractions are not lost."""

    __slots__ = ("_origin_us", "_rate", "_received")

    def __init__(self, rate: int, now_us: int) -> None:
        self._rate = rate
        self._origin_us = now_us
        self._received = 0

    def gained(self, now_us: int) -> int:
        """What came since the last call."""
        before, self._received = self._received, (now_us - self._origin_us) * self._rate // _MICROSECONDS
        return self._received - before


class _Bucket:
    """Full at first."""

    __slots__ = ("_burst", "_tokens")

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._tokens = burst

    def fill(self, gained: int) -> int:
        """Returns what there was no room for."""
        taken = min(gained, self._burst - self._tokens)
        self._tokens += taken
        return gained - taken

    def take(self, cost: int) -> bool:
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


class _Marker(Protocol):
    def mark(self, cost: int, now_us: int) -> int: ...


class _TwoRates:
    """RFC 2698. A packet that the peak refuses takes nothing from the committed bucket."""

    def __init__(self, rates: MeterRates, now_us: int) -> None:
        self._peak, self._peak_source = _Bucket(rates.peak_burst), _Source(rates.peak_rate, now_us)
        self._committed = _Bucket(rates.committed_burst)
        self._committed_source = _Source(rates.committed_rate, now_us)

    def mark(self, cost: int, now_us: int) -> int:
        self._peak.fill(self._peak_source.gained(now_us))
        self._committed.fill(self._committed_source.gained(now_us))
        if not self._peak.take(cost):
            return RED
        return GREEN if self._committed.take(cost) else YELLOW


class _SingleRate:
    """RFC 2697. Tokens that the committed bucket has no room for go to the excess one."""

    def __init__(self, rates: MeterRates, now_us: int) -> None:
        self._source = _Source(rates.committed_rate, now_us)
        self._committed, self._excess = _Bucket(rates.committed_burst), _Bucket(rates.excess_burst)

    def mark(self, cost: int, now_us: int) -> int:
        self._excess.fill(self._committed.fill(self._source.gained(now_us)))
        if self._committed.take(cost):
            return GREEN
        return YELLOW if self._excess.take(cost) else RED


class Meter:
    """One meter, and what it gave each colour to; unconfigured, that is GREEN."""

    __slots__ = ("_counts", "_marker", "rates")

    def __init__(self) -> None:
        self.rates: MeterRates | None = None
        self._marker: _Marker | None = None
        self._counts = [_NOTHING] * 3

    def configure(self, rates: MeterRates | None, now_us: int) -> None:
        self.rates = rates
        if rates is None:
            self._marker = None
        else:
            self._marker = _SingleRate(rates, now_us) if rates.excess_burst else _TwoRates(rates, now_us)

    def mark(self, length: int, in_bytes: bool, now_us: int) -> int:
        """The colour of a packet of `length` bytes; a meter of packets takes one token for it."""
        colour = self._marker.mark(length if in_bytes else 1, now_us) if self._marker else GREEN
        counted = self._counts[colour]
        self._counts[colour] = CounterValue(counted.packets + 1, counted.bytes + length)
        return colour

    @property
    def counts(self) -> ColourCounts:
        return ColourCounts(*self._counts)

    @counts.setter
    def counts(self, counts: ColourCounts) -> None:
        self._counts = [counts.green, counts.yellow, counts.red]
