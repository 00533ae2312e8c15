# SPDX-License-Identifier: Apache-2.0
"""What the switch asks of threads that carry frames between ports on their own, and what these leave to the switch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from softnic.engine import Digest, Engine

from .port import Port


@dataclass(frozen=True, slots=True)
class Received:
    """A frame that came in on port `number` while the engine in charge was not one that the threads can run."""

    number: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class Leaving:
    """A frame that the engine sends to port `number`, which is none of the dataplane's."""

    number: int
    frame: bytes


Event = Received | Leaving | Digest


class Dataplane(Protocol):
    """Threads between ports. The caller serialises `attach` and `take`; the rest belongs to the switch's worker."""

    def ports(self) -> Sequence[Port]:
        """Its ports; they can send, and `receive` nothing: their frames go through the threads."""
        ...

    def start(self) -> None:
        """Raises: OSError (a thread can't be made)."""
        ...

    def attach(self, engine: Engine) -> None:
        """Let frames go through `engine`, if it is one that the threads can run; no thread is in the old one then."""
        ...

    def fileno(self) -> int:
        """Readable while `take` may have something."""
        ...

    def take(self) -> Iterator[Event]:
        """What has come since the last call, without blocking."""
        ...

    def events_lost(self) -> int:
        """How many events found no room because they were not taken in time."""
        ...

    def stop(self) -> None:
        """End the threads: every frame they took from a port is on its way, or an event, then. Twice is harmless."""
        ...

    def close(self) -> None:
        """Stop, and release what the ports hold; counts stay readable. Twice is harmless."""
        ...
