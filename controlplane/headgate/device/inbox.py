# SPDX-License-Identifier: Apache-2.0
"""What a device sends of itself, in the order in which it came; a bounded queue that ends with the reason."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Generic, TypeVar

from headgate.device.errors import DeviceError

_T = TypeVar("_T")


class Inbox(Generic[_T]):
    """Messages of one kind, for one reader.

    Args:
        size: How many may wait; more are lost, and counted.
    """

    def __init__(self, size: int) -> None:
        self.lost = 0
        self._size = size
        self._items: deque[_T] = deque()
        self._end: DeviceError | None = None
        self._changed = asyncio.Event()

    def put(self, item: _T) -> None:
        """Add a message, or count it as lost."""
        if len(self._items) >= self._size:
            self.lost += 1
            return
        self._items.append(item)
        self._changed.set()

    def close(self, reason: DeviceError) -> None:
        """There is no more to come."""
        self._end = reason
        self._changed.set()

    def open(self) -> None:
        """Begin anew, with nothing in it."""
        self._items.clear()
        self._end = None
        self._changed.clear()

    async def get(self) -> _T:
        """The next message. Raises: DeviceError, once there is no more to come."""
        while not self._items:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()
