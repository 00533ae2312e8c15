# SPDX-License-Identifier: Apache-2.0
"""A port for a test in the same process: it injects frames and takes what the switch sends."""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Sequence

from .port import Frame, Port


class MemoryPort(Port):
    """Two bounded queues, `capacity` frames each; the file descriptor is an eventfd."""

    def __init__(self, number: int, capacity: int = 1024) -> None:
        super().__init__(number)
        self._number = number
        self._capacity = capacity
        self._received: deque[bytes] = deque()
        self._sent: queue.Queue[bytes] = queue.Queue(capacity)
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def inject(self, frame: bytes) -> None:
        """Let `frame` arrive on this port. Called from any one thread."""
        if len(self._received) >= self._capacity:
            self._rx_dropped += 1
            return
        self._received.append(frame)
        os.eventfd_write(self._ready, 1)

    def take(self, timeout_s: float = 5.0) -> bytes:
        """The next frame the switch sent here.

        Raises:
            queue.Empty: none came within `timeout_s` seconds.
        """
        return self._sent.get(timeout=timeout_s)

    def fileno(self) -> int:
        return self._ready

    def receive(self, limit: int) -> Sequence[Frame]:
        os.eventfd_read(self._ready)
        frames = [(self._number, self._received.popleft()) for _ in range(min(limit, len(self._received)))]
        if self._received:
            os.eventfd_write(self._ready, 1)
        return frames

    def send(self, number: int, frame: bytes) -> bool:
        try:
            self._sent.put_nowait(frame)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        if self._ready >= 0:
            os.close(self._ready)
            self._ready = -1
