# SPDX-License-Identifier: Apache-2.0
"""Frames in memory of their own: with AddressSanitizer, a byte before or behind one is a byte too far.

The engine's own buffers are as large as the largest frame; there a read beyond a short frame finds what an earlier one
left, and nobody notices.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from diff.executors import Clock, Executor, Start
from diff.scenario import Frame
from softnic import ir
from softnic.engine import Output
from softnic.native import Build, NativeEngine
from softnic.native.packets import PacketRunner
from softnic.native.source import ProgramSource

_LIBC = ctypes.CDLL(None)
_LIBC.malloc.restype = ctypes.c_void_p
_LIBC.free.argtypes = [ctypes.c_void_p]

_HEADROOM = 512
"""SNIC_HEADROOM: what the program may write to in front of a frame."""


class ExactFrames(PacketRunner):
    """Runs packets as the dataplane does, in place and in vectors, each in a block that ends where it ends."""

    def __init__(self, engine: NativeEngine) -> None:
        super().__init__(engine.handle, engine.program)
        self._engine = engine

    def run_exactly(self, frames: Sequence[Frame]) -> list[Output]:
        """Everything that leaves because of `frames`."""
        self.on_digest = self._engine.on_digest
        blocks = [self._block(data) for _, data in frames]
        try:
            return self._run_blocks(blocks, frames)
        finally:
            for block in blocks:
                _LIBC.free(block)

    def _block(self, data: bytes) -> int:
        block = _LIBC.malloc(_HEADROOM + len(data))
        ctypes.memmove(block + _HEADROOM, data, len(data))
        return block

    def _run_blocks(self, blocks: Sequence[int], frames: Sequence[Frame]) -> list[Output]:
        ffi: Any = self._handle.ffi
        array = ffi.new("struct snic_frame[]", len(frames))
        for item, block, (port, data) in zip(array, blocks, frames, strict=True):
            item.data, item.length, item.port = ffi.cast("uint8_t *", block + _HEADROOM), len(data), port
        self._collector.used = 0
        self._handle.follow_clock()
        self._handle.check(self._lib.snic_run(self._collector.worker, array, len(frames)))
        return self._deliver(self._buffer(self._collector.data, self._collector.used)[:])


def exact_frames(source: ProgramSource, build: Build) -> Start:
    """An executor that runs bursts in vectors of exact frames."""

    def start(program: ir.Program) -> Executor:
        clock = Clock()
        engine = NativeEngine(program, clock_ns=clock, source=source, build=build)
        return Executor("native, exact frames", engine, clock, ExactFrames(engine).run_exactly)

    return start
