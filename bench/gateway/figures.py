# SPDX-License-Identifier: Apache-2.0
"""All that is measured of `gateway` in this process."""

from __future__ import annotations

from collections.abc import Iterator

from ..from_memory import Say
from ..measure import Plan
from ..peers.softnic import available_engine
from ..result import Result
from . import compile_time, hit_path, many_tenants


def measure(plan: Plan, say: Say, *, quick: bool) -> Iterator[Result]:
    """`quick`: what a few flows gain, and no more."""
    _, reason = available_engine()
    if reason:
        say(f"gateway: softnic's native engine is not here: {reason}")
        return
    yield from hit_path.measure(plan, say, quick=quick)
    if not quick:
        yield from many_tenants.measure(plan, say)
        yield from compile_time.measure(say)
