# SPDX-License-Identifier: Apache-2.0
"""Digests on their way to the client: batched into lists, and not repeated until acknowledged (specification 9.8).

No clock and no I/O here: the caller says what time it is and sends the lists that come out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

MAX_LIST_SAMPLES = 1024
"""Bound of a list whose client set none (``max_list_size`` 0)."""

MAX_UNACKED_SAMPLES = 65536
"""Bound of what is remembered as sent; beyond it the oldest lists are forgotten, and their samples may be repeated."""

Sample = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DigestConfig:
    """`max_list_size` in samples; 0 stands for `MAX_LIST_SAMPLES`."""

    max_timeout_ns: int = 0
    max_list_size: int = 0
    ack_timeout_ns: int = 0

    @property
    def list_bound(self) -> int:
        return min(self.max_list_size or MAX_LIST_SAMPLES, MAX_LIST_SAMPLES)


@dataclass(frozen=True, slots=True)
class DigestList:
    """A list to be sent: distinct samples of one digest."""

    digest_id: int
    list_id: int
    samples: Sequence[Sample]


@dataclass(slots=True)
class _Buffer:
    """One digest's samples that wait to be sent, and those sent and not acknowledged."""

    config: DigestConfig
    waiting: dict[Sample, None] = field(default_factory=dict)
    first_waiting_ns: int = 0
    unacked: dict[Sample, int] = field(default_factory=dict)
    """To the list it was sent in."""
    sent: dict[int, tuple[int, Sequence[Sample]]] = field(default_factory=dict)
    """List to when, and what; oldest first."""

    def forget(self, list_id: int) -> None:
        _, samples = self.sent.pop(list_id, (0, ()))
        for sample in samples:
            if self.unacked.get(sample) == list_id:
                del self.unacked[sample]

    def awaits_ack(self, sample: Sample, now_ns: int) -> bool:
        """Whether `sample` was sent, in a list that is not acknowledged. If that is overdue, it is forgotten."""
        list_id = self.unacked.get(sample)
        if list_id is None:
            return False
        sent_ns, _ = self.sent[list_id]
        if now_ns - sent_ns < self.config.ack_timeout_ns:
            return True
        self.forget(list_id)
        return False

    def remember(self, list_id: int, samples: Sequence[Sample], now_ns: int) -> None:
        self.sent[list_id] = now_ns, samples
        self.unacked.update(dict.fromkeys(samples, list_id))
        while len(self.unacked) > MAX_UNACKED_SAMPLES:
            self.forget(next(iter(self.sent)))


class Digests:
    """The digests of one pipeline. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._buffers: dict[int, _Buffer] = {}
        self._deadline_ns: int | None = None
        self._last_list_id = 0

    def config(self, digest_id: int) -> DigestConfig | None:
        """None: the client has not enabled this digest."""
        with self._lock:
            buffer = self._buffers.get(digest_id)
            return buffer and buffer.config

    def configure(self, digest_id: int, config: DigestConfig | None) -> None:
        """Enable a digest, change its limits, or (None) disable it and drop what waits."""
        with self._lock:
            if config is None:
                self._buffers.pop(digest_id, None)
            elif buffer := self._buffers.get(digest_id):
                buffer.config = config
            else:
                self._buffers[digest_id] = _Buffer(config)
            self._set_deadline()

    def add(self, digest_id: int, sample: Sample, now_ns: int) -> DigestList | None:
        """Take a sample from the data plane; the list it completes, if it does."""
        with self._lock:
            buffer = self._buffers.get(digest_id)
            if buffer is None:
                return None
            if sample in buffer.waiting or buffer.awaits_ack(sample, now_ns):
                return None
            buffer.waiting[sample] = None
            if not buffer.config.max_timeout_ns or len(buffer.waiting) >= buffer.config.list_bound:
                return self._flush(digest_id, buffer, now_ns)
            if len(buffer.waiting) == 1:
                buffer.first_waiting_ns = now_ns
                self._set_deadline()
            return None

    def due(self, now_ns: int) -> Sequence[DigestList]:
        """The lists whose first sample has waited for its ``max_timeout_ns``."""
        with self._lock:
            return [
                self._flush(digest_id, buffer, now_ns)
                for digest_id, buffer in self._buffers.items()
                if buffer.waiting and now_ns >= buffer.first_waiting_ns + buffer.config.max_timeout_ns
            ]

    def deadline_ns(self) -> int | None:
        """When `due` will next have something; None while nothing waits."""
        return self._deadline_ns

    def acknowledge(self, digest_id: int, list_id: int) -> None:
        """The client has acted on that list; unknown lists are ignored, as they may have timed out."""
        with self._lock:
            if buffer := self._buffers.get(digest_id):
                buffer.forget(list_id)

    def forget_sent(self) -> None:
        """A new client has seen none of what was sent."""
        with self._lock:
            for buffer in self._buffers.values():
                buffer.sent.clear()
                buffer.unacked.clear()

    def _flush(self, digest_id: int, buffer: _Buffer, now_ns: int) -> DigestList:
        self._last_list_id += 1
        samples = tuple(buffer.waiting)
        buffer.waiting.clear()
        self._set_deadline()
        if buffer.config.ack_timeout_ns:
            buffer.remember(self._last_list_id, samples, now_ns)
        return DigestList(digest_id, self._last_list_id, samples)

    def _set_deadline(self) -> None:
        """To be called when a buffer begins or ends to wait: far less often than samples come."""
        waiting: Iterable[_Buffer] = (buffer for buffer in self._buffers.values() if buffer.waiting)
        self._deadline_ns = min(
            (buffer.first_waiting_ns + buffer.config.max_timeout_ns for buffer in waiting), default=None
        )
