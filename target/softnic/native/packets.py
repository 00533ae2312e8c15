# SPDX-License-Identifier: Apache-2.0
"""Packets through an engine on the calling thread, any number in one call of the runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from softnic import ir
from softnic.engine import Digest, NoRoom, Output

from .handle import Handle
from .records import digest_layouts, log_line, pack_records, unpack_records

MAX_RESULT_BYTES = 256 << 20
"""What one call may bring; more is lost, and counted. A packet may be cloned thousands of times."""


class PacketRunner:
    """Runs packets on the calling thread, as the engine's worker 0."""

    def __init__(self, handle: Handle, program: ir.Program) -> None:
        self.on_digest: Callable[[Digest], None] | None = None
        self._handle = handle
        self._lib = handle.lib
        self._buffer = handle.ffi.buffer
        worker = handle.lib.snic_worker(handle.engine, 0)
        collector = worker and handle.lib.snic_collector_new(worker, MAX_RESULT_BYTES)
        if not collector:
            raise NoRoom("no memory is left for a worker")
        self._collector: Any = handle.ffi.gc(collector, handle.lib.snic_collector_free)
        self._digests = digest_layouts(program)

    def run(self, packets: Iterable[tuple[int, bytes]]) -> list[Output]:
        """Everything that leaves because of `packets`, each a port and its bytes, in their order."""
        records = pack_records(packets)
        self._handle.follow_clock()
        self._handle.check(self._lib.snic_collect(self._collector, records, len(records)))
        return self._deliver(self._buffer(self._collector.data, self._collector.used)[:])

    def _deliver(self, records: bytes) -> list[Output]:
        outputs: list[Output] = []
        for kind, number, data in unpack_records(records):
            if kind == self._lib.SNIC_RECORD_PACKET:
                outputs.append(Output(number, data))
            elif kind == self._lib.SNIC_RECORD_LOG:
                log_line(data)
            elif self.on_digest is not None:
                self.on_digest(self._digests[number].unpack(data))
        return outputs
