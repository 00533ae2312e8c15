# SPDX-License-Identifier: Apache-2.0
"""What the server sent, and what it lost, counted."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace


@dataclass(slots=True)
class ServerStats:
    """Counts since the server was made, in messages unless a name says otherwise."""

    packet_ins: int = 0
    packet_ins_without_primary: int = 0
    """Dropped, as there was nobody to send them to."""
    packet_ins_too_short: int = 0
    """Dropped, as they were shorter than the program's ``packet_in`` header."""
    packet_ins_without_p4info: int = 0
    """Dropped, as the program was loaded without P4Info."""
    packet_outs: int = 0
    packet_outs_refused: int = 0
    digest_lists: int = 0
    digest_lists_without_primary: int = 0
    idle_notices: int = 0
    """In entries."""
    idle_notices_without_primary: int = 0
    """In entries."""
    stream_messages_lost: int = 0
    """Dropped, as the client does not read its stream fast enough."""


class Tally:
    """A `ServerStats` that any thread may add to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stats = ServerStats()

    def add(self, name: str, count: int = 1) -> None:
        """Add to the field of that name."""
        with self._lock:
            setattr(self._stats, name, getattr(self._stats, name) + count)

    def snapshot(self) -> ServerStats:
        with self._lock:
            return replace(self._stats)
