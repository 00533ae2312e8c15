# SPDX-License-Identifier: Apache-2.0
"""How fast a program runs when memory feeds it; the loop is C (``snic_bench.h``)."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Barrier
from typing import Any

from softnic.engine import NoRoom

from .handle import Handle
from .records import pack_records


@dataclass(frozen=True, slots=True)
class BenchResult:
    """Sums over all workers, but `seconds`, which is the longest any of them took.

    `cpu_seconds` is the loops' alone, without what comes before them. `cycles` are of the time stamp counter, 0 where
    there is none.
    """

    packets: int
    outputs: int
    output_bytes: int
    digests: int
    seconds: float
    cpu_seconds: float
    cycles: int


def run_benchmark(handle: Handle, packets: Sequence[tuple[int, bytes]], seconds: float, workers: int) -> BenchResult:
    """Run `packets`, each a port and its bytes, over and over, each time copied into a fresh buffer.

    Each worker is a thread with the packets of its share of flows, in order; workers begin together. A worker without
    packets, when there are few flows, does nothing.

    Raises:
        ValueError: no packets.
        NoRoom: no memory is left for workers or buffers.
    """
    if not packets:
        raise ValueError("there are no packets to run; give at least one")
    shares = [pack_records(share) for share in _by_flow(packets, workers) if share]
    runners = [handle.lib.snic_worker(handle.engine, number) for number in range(len(shares))]
    if not all(runners):
        raise NoRoom("no memory is left for a worker")
    begin = Barrier(len(shares))

    def run(number: int) -> tuple[Any, int]:
        worker, result = runners[number], handle.ffi.new("struct snic_bench_result *")
        begin.wait()
        began_ns = time.thread_time_ns()
        handle.check(handle.lib.snic_bench(worker, shares[number], len(shares[number]), int(seconds * 1e9), result))
        return result, time.thread_time_ns() - began_ns

    with ThreadPoolExecutor(len(shares)) as pool:
        results, cpu_ns = zip(*pool.map(run, range(len(shares))), strict=True)
    return BenchResult(
        packets=sum(result.packets for result in results),
        outputs=sum(result.outputs for result in results),
        output_bytes=sum(result.output_bytes for result in results),
        digests=sum(result.digests for result in results),
        seconds=max(result.duration_ns for result in results) / 1e9,
        cpu_seconds=sum(cpu_ns) / 1e9,
        cycles=sum(result.cycles for result in results),
    )


def _by_flow(packets: Sequence[tuple[int, bytes]], workers: int) -> list[list[tuple[int, bytes]]]:
    shares: list[list[tuple[int, bytes]]] = [[] for _ in range(workers)]
    for port, data in packets:
        shares[zlib.crc32(_flow(data)) % workers].append((port, data))
    return shares


def _flow(frame: bytes) -> bytes:
    """What is the same in all packets of a flow: addresses and ports where a NIC's hash looks, else how it begins."""
    match frame[12:14]:
        case b"\x08\x00":
            return frame[26:38]
        case b"\x86\xdd":
            return frame[22:58]
    return frame[:64]
