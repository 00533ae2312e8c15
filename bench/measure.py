# SPDX-License-Identifier: Apache-2.0
"""Windows of time on one pinned thread: how many packets, how long, and how much of it the thread really ran.

A rate is packets per second *of CPU time* of the one thread that moves them: on an idle machine that is wall time, and
on a busy one the neighbours' share is not counted against the engine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

MAX_STEAL = 0.02
"""A measurement from which the hypervisor took more is not a measurement."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`windows` of `seconds` each, after a warm-up of one; the engine on `core`, what controls it on `control_core`."""

    windows: int
    seconds: float
    core: int
    control_core: int


@dataclass(frozen=True, slots=True)
class Window:
    packets: int
    wall_ns: int
    cpu_ns: int

    @property
    def mpps(self) -> float:
        return self.packets * 1e3 / self.cpu_ns


@dataclass(frozen=True, slots=True)
class Rate:
    """Million packets per second of CPU time: the median of the windows, and their range.

    `waited` is the share of wall time in which the thread did not run, `steal` what the hypervisor took of all.
    """

    mpps: float
    lowest: float
    highest: float
    waited: float
    steal: float

    @property
    def ns_per_packet(self) -> float:
        return 1e3 / self.mpps


def rate_of(windows: Sequence[Window], steal: float) -> Rate:
    """Raises: ValueError (no windows)."""
    if not windows:
        raise ValueError("nothing was measured")
    rates = sorted(window.mpps for window in windows)
    wall_ns, cpu_ns = sum(w.wall_ns for w in windows), sum(w.cpu_ns for w in windows)
    return Rate(median(rates), rates[0], rates[-1], max(0.0, 1 - cpu_ns / wall_ns), steal)


def sample_windows(plan: Plan, count_packets: Callable[[], int], thread: Path) -> list[Window]:
    """Watch an engine that runs by itself: `thread` is its ``/proc/PID/task/TID``, `count_packets` its counter."""
    time.sleep(plan.seconds)
    samples = [_sample(count_packets, thread)]
    for _ in range(plan.windows):
        time.sleep(plan.seconds)
        samples.append(_sample(count_packets, thread))
    return [Window(*(after - before for before, after in zip(*pair, strict=True))) for pair in pairwise(samples)]


def _sample(count_packets: Callable[[], int], thread: Path) -> tuple[int, int, int]:
    """Packets, wall time and CPU time; times are read on both sides of the counter, which takes a while to be told."""
    before = time.monotonic_ns(), _cpu_ns(thread)
    packets = count_packets()
    after = time.monotonic_ns(), _cpu_ns(thread)
    wall_ns, cpu_ns = ((a + b) // 2 for a, b in zip(before, after, strict=True))
    return packets, wall_ns, cpu_ns


def _cpu_ns(thread: Path) -> int:
    return int((thread / "schedstat").read_text().split()[0])


def thread_named(pid: int, prefix: str) -> Path:
    """``/proc/PID/task/TID`` of the thread whose name begins so. Raises: LookupError."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        if (thread / "comm").read_text().startswith(prefix):
            return thread
    raise LookupError(f"process {pid} has no thread named {prefix}*")


class StealClock:
    """The share of the machine's time that the hypervisor has given to others since this was made."""

    def __init__(self) -> None:
        self._start = _cpu_ticks()

    def share(self) -> float:
        stolen, total = (now - then for now, then in zip(_cpu_ticks(), self._start, strict=True))
        return stolen / total if total else 0.0


def _cpu_ticks() -> tuple[int, int]:
    """Stolen and all ticks since boot, of all cores (proc(5), ``/proc/stat``)."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    )
    return steal, user + nice + system + idle + iowait + irq + softirq + steal
