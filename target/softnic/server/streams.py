# SPDX-License-Identifier: Apache-2.0
"""The clients' streams: a bounded queue each, so that nobody waits for a client that does not read."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator

from finsy.proto import p4r
from grpc import StatusCode

from .arbitration import Arbitration, Notifications, from_uint128
from .errors import P4RuntimeError, denied, exhausted, not_found
from .roles import Access, audible
from .stats import Tally

logger = logging.getLogger("softnic.server")

MAX_STREAMS = 16
"""Open at a time; as many as BMv2 takes."""

MAX_QUEUED = 1024
"""Messages that wait for one client. Beyond it they are lost, and counted."""

MAX_QUEUED_NOTIFICATIONS = 64
"""Arbitration may use this much more of the queue; a client that lets even that fill up is disconnected."""


class Stream:
    """Messages on their way to one client."""

    def __init__(self) -> None:
        self._queue: deque[p4r.StreamMessageResponse] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._error: P4RuntimeError | None = None

    def offer(self, message: p4r.StreamMessageResponse) -> bool:
        """Queue `message`, or drop it when the queue is full; False if dropped."""
        return self._append(message, MAX_QUEUED)

    def notify(self, message: p4r.StreamMessageResponse) -> None:
        """Queue `message`, which must arrive; a client too slow even for it is disconnected."""
        if not self._append(message, MAX_QUEUED + MAX_QUEUED_NOTIFICATIONS):
            self.close(exhausted("the client does not read its stream"))

    def _append(self, message: p4r.StreamMessageResponse, bound: int) -> bool:
        with self._changed:
            if self._closed or len(self._queue) >= bound:
                return False
            self._queue.append(message)
            self._changed.notify()
            return True

    def close(self, error: P4RuntimeError | None = None) -> None:
        """End the stream after what is queued, with `error` if there is one. The first call counts."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
                self._changed.notify()

    def messages(self) -> Iterator[p4r.StreamMessageResponse]:
        """What is queued, waiting for more until the stream is closed. Raises what `close` was given."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._closed)
                if not self._queue:
                    break
                message = self._queue.popleft()
            yield message
        if self._error:
            raise self._error


class Clients:
    """All streams, and who among them is primary. Safe to call from any thread."""

    def __init__(self, device_id: int, tally: Tally) -> None:
        self._lock = threading.Lock()
        self._arbitration: Arbitration[Stream] = Arbitration(device_id)
        self._streams: set[Stream] = set()
        self._tally = tally

    def open(self) -> Stream:
        """Raises: RESOURCE_EXHAUSTED."""
        with self._lock:
            if len(self._streams) >= MAX_STREAMS:
                raise exhausted(f"{MAX_STREAMS} streams are open, which is all that this target takes")
            stream = Stream()
            self._streams.add(stream)
            return stream

    def arbitrate(self, stream: Stream, message: p4r.MasterArbitrationUpdate) -> bool:
        """Take a bid and tell everybody concerned; True if there is a new primary.

        Raises:
            P4RuntimeError: the stream is to be closed with it.
        """
        with self._lock:
            before = set(self._arbitration.primaries())
            _send(self._arbitration.update(stream, message))
            is_new = not before.issuperset(self._arbitration.primaries())
        if is_new:
            logger.info("new primary: role=%r election_id=%d", message.role.name, from_uint128(message.election_id))
        return is_new

    def leave(self, stream: Stream) -> None:
        """The stream has ended."""
        stream.close()
        with self._lock:
            self._streams.discard(stream)
            _send(self._arbitration.leave(stream))

    def close_all(self) -> None:
        """The server goes away."""
        with self._lock:
            for stream in self._streams:
                stream.close(P4RuntimeError(StatusCode.UNAVAILABLE, "the server is stopping"))

    def require_primary(self, role: str, election_id: p4r.Uint128 | None) -> Access:
        """What a request's role may do; refuses a request that does not come from its role's primary.

        Raises:
            P4RuntimeError: NOT_FOUND for an unknown role, PERMISSION_DENIED otherwise.
        """
        with self._lock:
            if not self._arbitration.has_role(role):
                raise not_found(f"no client has opened a stream with role {role!r}")
            if election_id is None:
                raise denied("election_id is not set; only the primary may write, with the election id it has")
            bid = from_uint128(election_id)
            if not self._arbitration.is_primary(role, bid):
                raise denied(f"election id {bid} is not that of the primary of role {role!r}")
            return self._arbitration.access(role)

    def access(self, role: str) -> Access:
        """What clients of that role may see."""
        with self._lock:
            return self._arbitration.access(role)

    def primary_access(self, stream: Stream) -> Access | None:
        """What the client at the other end of `stream` may do, as the primary of its role; None if it is not that."""
        with self._lock:
            return self._arbitration.primaries().get(stream)

    def publish(self, message: p4r.StreamMessageResponse) -> bool:
        """Offer `message`, or the part of it that is its role's, to each primary; False if it is nobody's."""
        with self._lock:
            primaries = self._arbitration.primaries()
            parts = [(stream, part) for stream, access in primaries.items() if (part := audible(access, message))]
            for stream, part in parts:
                if not stream.offer(part):
                    self._tally.add("stream_messages_lost")
            return bool(parts)


def _send(notifications: Notifications[Stream]) -> None:
    for stream, message in notifications:
        stream.notify(p4r.StreamMessageResponse(arbitration=message))
