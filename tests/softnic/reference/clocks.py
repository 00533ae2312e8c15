# SPDX-License-Identifier: Apache-2.0
"""Time for tests."""

from __future__ import annotations


class ManualClock:
    """A monotonic clock in nanoseconds; set `now_ns` to move it."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def __call__(self) -> int:
        return self.now_ns
