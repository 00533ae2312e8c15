# SPDX-License-Identifier: Apache-2.0
"""Packets into the runtime and results out of it: records in one string of bytes each way (``snic_record.h``)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable, Iterable
from typing import Any

from softnic import ir
from softnic.engine import Digest, NoRoom, Output
from softnic.packing import byte_size

from .handle import Handle

program_log = logging.getLogger("softnic.log_msg")

RECORD = struct.Struct("=III")
"""A record's kind, number and length, before its bytes."""

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
        at = 0
        while at < len(records):
            kind, number, length = RECORD.unpack_from(records, at)
            start, at = at + RECORD.size, at + RECORD.size + length
            if kind == self._lib.SNIC_RECORD_PACKET:
                outputs.append(Output(number, records[start:at]))
            elif kind == self._lib.SNIC_RECORD_LOG:
                program_log.info("%s", records[start:at].decode(errors="replace"))
            elif self.on_digest is not None:
                self.on_digest(self._digests[number].unpack(records[start:at]))
        return outputs


def pack_records(packets: Iterable[tuple[int, bytes]]) -> bytes:
    """`packets` as the runtime takes them."""
    return b"".join(part for port, data in packets for part in (RECORD.pack(0, port, len(data)), data))


class DigestLayout:
    """The values of a digest: big-endian, each in whole bytes, signed ones in two's complement."""

    def __init__(self, learn_list: ir.LearnList) -> None:
        self._name = learn_list.name
        self._shapes = [_shape(element) for element in learn_list.elements]

    def unpack(self, values: bytes) -> Digest:
        """`values` as the runtime sends them."""
        numbers: list[int] = []
        at = 0
        for width, signed in self._shapes:
            end = at + byte_size(width)
            number = int.from_bytes(values[at:end], "big")
            is_negative = signed and number >> (width - 1)
            numbers.append(number - (1 << width) if is_negative else number)
            at = end
        return Digest(self._name, tuple(numbers))


def digest_layouts(program: ir.Program) -> list[DigestLayout]:
    """Those of a program's digests, by their numbers."""
    return [DigestLayout(learn_list) for learn_list in program.learn_lists]


def _shape(element: ir.Expr) -> tuple[int, bool]:
    """Width and signedness of an element, which is a field or, of one bit, whether a header is valid."""
    return (element.field.width, element.field.signed) if isinstance(element, ir.FieldRef) else (1, False)
