# SPDX-License-Identifier: Apache-2.0
"""The native engine's own loop on one core."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from softnic.native import NativeEngine
from softnic.native.benchmark import BenchResult

from ..from_memory import undisturbed
from ..measure import Plan, Rate, Window
from .traffic import Arrival


def rate(engine: NativeEngine, packets: Sequence[Arrival], plan: Plan) -> tuple[Rate, float]:
    """How fast the packets are dealt with, and the share of them of which a digest was sent."""
    results: list[BenchResult] = []

    def take() -> list[Window]:
        results.clear()
        with _pinned(plan.core):
            engine.bench(packets, plan.seconds)
            results.extend(engine.bench(packets, plan.seconds) for _ in range(plan.windows))
        return [_window(result) for result in results]

    found = undisturbed(take)
    return found, sum(result.digests for result in results) / sum(result.packets for result in results)


def _window(result: BenchResult) -> Window:
    return Window(result.packets, round(result.seconds * 1e9), round(result.cpu_seconds * 1e9))


@contextmanager
def _pinned(core: int) -> Iterator[None]:
    """This thread, and those it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
