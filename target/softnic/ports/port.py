# SPDX-License-Identifier: Apache-2.0
"""What the switch asks of a port: frames in, frames out, a file descriptor to wait on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

Frame = tuple[int, bytes]
"""The number of the port a frame came in on, and the frame: Ethernet header to payload, no FCS."""

MAX_PORT_NUMBER = 510
"""v1model's port numbers have 9 bits, and 511 means drop."""

MAX_FRAME_BYTES = 65_535 + 22
"""The longest frame a port carries: the longest IP packet behind an Ethernet header with two VLAN tags."""


class PortError(Exception):
    """A port can't be opened. The message says which, why, and what to do about it."""


class Port(ABC):
    """An attachment of the switch to the outside world.

    Most carry one port number. One whose `number` is None carries every number no other port has (PTF's socket).
    Everything here is called by the switch's worker, except `rx_dropped`, and `close` once the worker has ended.
    """

    def __init__(self, number: int | None) -> None:
        self.number = number
        self.on_status: Callable[[int, bool], None] = lambda number, up: None
        """Called with (port number, up) when the other side says that a port went up or down."""
        self._rx_dropped = 0

    @abstractmethod
    def fileno(self) -> int:
        """A descriptor that is readable while `receive` has something to do."""

    @abstractmethod
    def receive(self, limit: int) -> Sequence[Frame]:
        """Frames that are waiting, without blocking; reads at most `limit` of them from the outside.

        Raises:
            OSError: the port is gone for good, and is not to be waited on again.
        """

    @abstractmethod
    def send(self, number: int, frame: bytes) -> bool:
        """Send without blocking. False: the frame was lost."""

    def rx_dropped(self) -> int:
        """How many frames arrived and were lost before `receive` could return them."""
        return self._rx_dropped

    def begin(self) -> None:  # noqa: B027 - most ports have nothing to begin
        """The switch starts to forward. A port that replays a file waits for this."""

    @abstractmethod
    def close(self) -> None:
        """Release what the port holds; what was sent has then reached its file or its wire. Twice is harmless."""
