# SPDX-License-Identifier: Apache-2.0
"""Delta debugging (Zeller and Hildebrandt, 2002): a scenario that still fails, of which nothing can be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .scenario import Burst, Frame, Scenario, Step

T = TypeVar("T")
Fails = Callable[[Scenario], bool]

_MAX_RUNS = 3000
"""So many smaller scenarios are tried; what is left then is small enough."""


def minimise(scenario: Scenario, fails: Fails) -> Scenario:
    """The smallest found for which `fails` is true, as it is for `scenario`: in steps, then packets, then bytes."""
    fails = _bounded(fails)

    def steps_fail(steps: Sequence[Step]) -> bool:
        return fails(replace(scenario, steps=tuple(steps)))

    steps = shrink(scenario.steps, steps_fail)
    for number in range(len(steps)):
        steps = _with_fewer_frames(steps, number, steps_fail)
    steps = shrink(steps, steps_fail)
    for number in range(len(steps)):
        steps = _with_simpler_frames(steps, number, steps_fail)
    return replace(scenario, steps=tuple(steps))


def shrink(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """`items` without what can be left out, in pieces of half of them, then of a quarter, ... then one by one."""
    size = max(len(items) // 2, 1)
    while items:
        start = 0
        while start < len(items):
            fewer = [*items[:start], *items[start + size :]]
            if fails(fewer):
                items = fewer
            else:
                start += size
        if size == 1:
            break
        size //= 2
    return items


def _with_fewer_frames(steps: Sequence[Step], number: int, fails: Callable[[Sequence[Step]], bool]) -> Sequence[Step]:
    burst = steps[number]
    if not isinstance(burst, Burst):
        return steps
    frames = shrink(burst.frames, lambda fewer: bool(fewer) and fails(_replaced(steps, number, fewer)))
    return _replaced(steps, number, frames)


def _with_simpler_frames(steps: Sequence[Step], number: int, fails: Callable[[Sequence[Step]], bool]) -> Sequence[Step]:
    """Port 0 where any will do, no tail that does not matter, and 0 for bytes that do not."""
    burst = steps[number]
    if not isinstance(burst, Burst):
        return steps
    frames = list(burst.frames)
    for index, frame in enumerate(burst.frames):

        def still_fails(simpler: Frame, index: int = index) -> bool:
            return fails(_replaced(steps, number, [*frames[:index], simpler, *frames[index + 1 :]]))

        frames[index] = _simpler_frame(frame, still_fails)
    return _replaced(steps, number, frames)


def _simpler_frame(frame: Frame, fails: Callable[[Frame], bool]) -> Frame:
    port, data = frame
    if port and fails((0, data)):
        port = 0
    cut = len(data) // 2
    while cut:
        if cut <= len(data) and fails((port, data[:-cut])):
            data = data[:-cut]
        else:
            cut //= 2
    for at, byte in enumerate(data):
        if byte and fails((port, data[:at] + b"\0" + data[at + 1 :])):
            data = data[:at] + b"\0" + data[at + 1 :]
    return port, data


def _replaced(steps: Sequence[Step], number: int, frames: Sequence[Frame]) -> Sequence[Step]:
    return [*steps[:number], Burst(tuple(frames)), *steps[number + 1 :]]


def _bounded(fails: Fails) -> Fails:
    left = _MAX_RUNS

    def run(scenario: Scenario) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fails(scenario)

    return run
