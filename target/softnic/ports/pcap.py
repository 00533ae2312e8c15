# SPDX-License-Identifier: Apache-2.0
"""A port on files: what arrives comes from one pcap, what is sent goes to another."""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..pcap import PcapError, PcapWriter, Record, read_pcap
from .port import Frame, Port, PortError

logger = logging.getLogger("softnic.ports")


class PcapPort(Port):
    """Replays a capture as fast as the switch takes it, once the switch begins; either file may be left out.

    Frames the capture cut short are dropped and counted: nobody knows how they went on.
    """

    def __init__(self, number: int, in_path: Path | None, out_path: Path | None) -> None:
        """Raises: PortError."""
        super().__init__(number)
        self._number = number
        self._in_path = in_path
        try:
            self._in_file = in_path.open("rb") if in_path else None
            self._records: Iterator[Record] = read_pcap(self._in_file) if self._in_file else iter(())
            self._writer = PcapWriter(out_path.open("wb")) if out_path else None
        except PcapError as error:
            raise PortError(f"port {number}: {in_path}: {error}") from error
        except OSError as error:
            raise PortError(f"port {number}: {error.filename}: {error.strerror}") from error
        # Regular files can't be polled; an eventfd that stays readable until the last record stands in for it.
        self._ready = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def begin(self) -> None:
        if self._in_file:
            os.eventfd_write(self._ready, 1)

    def fileno(self) -> int:
        return self._ready

    def receive(self, limit: int) -> Sequence[Frame]:
        records = self._next_records(limit)
        if len(records) < limit:
            os.eventfd_read(self._ready)
        whole = [record for record in records if not record.is_cut]
        self._rx_dropped += len(records) - len(whole)
        return [(self._number, record.data) for record in whole]

    def _next_records(self, limit: int) -> list[Record]:
        records: list[Record] = []
        try:
            records.extend(itertools.islice(self._records, limit))
        except PcapError as error:
            # `records` keeps what was read before the damage; a generator that raised yields no more.
            self._rx_dropped += 1
            logger.error("port=%d file=%s: %s; the rest of it is ignored", self._number, self._in_path, error)
        return records

    def send(self, number: int, frame: bytes) -> bool:
        if self._writer is None:
            return False
        try:
            self._writer.write(time.time_ns(), frame)
        except OSError:
            return False
        return True

    def close(self) -> None:
        if self._ready < 0:
            return
        os.close(self._ready)
        self._ready = -1
        if self._in_file:
            self._in_file.close()
        if self._writer:
            self._writer.close()
