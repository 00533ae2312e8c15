# SPDX-License-Identifier: Apache-2.0
"""TCP connections on their way out: who has said that he is done, and when the connection is forgotten.

A connection is closed when both ends have sent a FIN, or one a RST. It is remembered for as long as it takes to be sure
that nothing of it comes any more (RFC 5382 4: 4 minutes), for a RST may be forged: it lives again if it turns out that
traffic goes on.
"""

from __future__ import annotations

from collections import deque

_FIN, _RST = 0x01, 0x04
_ORIGINATOR_DONE, _RESPONDER_DONE = 1, 2
_BOTH_DONE = _ORIGINATOR_DONE | _RESPONDER_DONE

LAST_ACK_NS = 2_000_000_000
"""What comes this soon after the end may be the acknowledgement of the last FIN, and is no sign of life."""


class Closing:
    """Connections in which a FIN or a RST was seen.

    Args:
        quarantine_ns: From a connection's end until it is forgotten.
    """

    def __init__(self, quarantine_ns: int) -> None:
        self._quarantine_ns = quarantine_ns
        self._done: dict[bytes, int] = {}
        self._closed_ns: dict[bytes, int] = {}
        self._queue: deque[tuple[int, bytes]] = deque()

    def __len__(self) -> int:
        return len(self._done)

    def saw(self, connection: bytes, tcp_flags: int, *, by_originator: bool, now_ns: int) -> bool:
        """A packet with FIN or RST was forwarded. Returns: whether it closed the connection."""
        done = self._done.get(connection, 0)
        if tcp_flags & _RST:
            done |= _BOTH_DONE
        elif tcp_flags & _FIN:
            done |= _ORIGINATOR_DONE if by_originator else _RESPONDER_DONE
        self._done[connection] = done
        if done != _BOTH_DONE or connection in self._closed_ns:
            return False
        self._closed_ns[connection] = now_ns
        self._queue.append((now_ns, connection))
        return True

    def is_over(self, connection: bytes, now_ns: int) -> bool:
        """Whether a connection that another packet was seen of is closed all the same. If not, it lives again."""
        closed_ns = self._closed_ns.get(connection)
        if closed_ns is None:
            return False
        if now_ns - closed_ns < LAST_ACK_NS:
            return True
        self.forget(connection)
        return False

    def forget(self, connection: bytes) -> None:
        """It lives, or is gone."""
        self._done.pop(connection, None)
        self._closed_ns.pop(connection, None)

    def expired(self, now_ns: int) -> list[bytes]:
        """The connections whose time is over; they are forgotten."""
        over: list[bytes] = []
        while self._queue and now_ns - self._queue[0][0] >= self._quarantine_ns:
            closed_ns, connection = self._queue.popleft()
            if self._closed_ns.get(connection) == closed_ns:
                over.append(connection)
                self.forget(connection)
        return over
