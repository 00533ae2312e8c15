# SPDX-License-Identifier: Apache-2.0
"""What the switch asks of a port: frames in, frames out, a file descriptor to wait on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Frame = tuple[int, bytes]
"""The number of the port a frame came in on, and the frame: Ethernet header to payload, no FCS."""

MAX_PORT_NUMBER = 510
"""v1model's port numbers have 9 bits, and 511 means drop."""

MAX_FRAME_BYTES = 65_535 + 22
"""The longest frame a port carries: the longest IP packet behind an Ethernet header with two VLAN tags."""


class PortError(Exception):
    """A port can't be opened. The message says which, why, and what to do about it."""


@dataclass(slots=True)
class PortStats:
    """Frames and bytes of one port number, and the frames lost on the way in and out, also while it is disabled."""

    rx_packets: int = 0
    rx_bytes: int = 0
    rx_dropped: int = 0
    tx_packets: int = 0
    tx_bytes: int = 0
    tx_dropped: int = 0


class Port(ABC):
    """An attachment of the switch to the outside world.

    Most carry one port number. One whose `number` is None carries every number no other port has (PTF's socket).
    Everything here is called by the switch's worker, except `rx_dropped`, `own_stats` and `set_enabled`, which any
    thread may call, and `close` once the worker has ended.
    """

    def __init__(self, number: int | None, name: str | None = None, interface_index: int | None = None) -> None:
        self.number = number
        self.name = name or f"port{number}"
        """What operators call it; the name of the Linux interface that it is on, if it is on one."""
        self.interface_index = interface_index
        """Of the Linux interface whose link is the port's; None if the port says itself when that changes."""
        self.on_status: Callable[[int, bool], None] = lambda number, up: None
        """Called with (port number, up) when the other side says that a port went up or down."""
        self._rx_dropped = 0

    @abstractmethod
    def fileno(self) -> int | None:
        """A descriptor that is readable while `receive` has something to do; None: it never has."""

    @abstractmethod
    def receive(self, limit: int) -> Iterable[Frame]:
        """Frames that are waiting, without blocking; reads at most `limit` of them from the outside.

        A port may read each when it is taken.

        Raises:
            OSError: the port is gone for good, and is not to be waited on again.
        """

    @abstractmethod
    def send(self, number: int, frame: bytes) -> bool:
        """Send without blocking. False: the frame was lost."""

    def rx_dropped(self) -> int:
        """How many frames arrived and were lost before `receive` could return them."""
        return self._rx_dropped

    def own_stats(self) -> PortStats | None:
        """What the port itself has counted of its frames; None: who receives and sends counts."""
        return None

    def set_enabled(self, enabled: bool) -> None:  # noqa: B027 - where the switch receives, it drops by itself
        """Frames of a disabled port are dropped and counted, both ways."""

    def begin(self) -> None:  # noqa: B027 - most ports have nothing to begin
        """The switch starts to forward. A port that replays a file waits for this."""

    @abstractmethod
    def close(self) -> None:
        """Release what the port holds; what was sent has then reached its file or its wire. Twice is harmless."""
