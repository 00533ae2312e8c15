# SPDX-License-Identifier: Apache-2.0
"""What crosses between the runtime and Python, each way: records in one string of bytes (``snic_record.h``)."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterable, Iterator

from softnic import ir
from softnic.engine import Digest
from softnic.packing import byte_size

program_log = logging.getLogger("softnic.log_msg")

_HEAD = struct.Struct("=III")
"""A record's kind, number and length, before its bytes."""


def pack_records(packets: Iterable[tuple[int, bytes]]) -> bytes:
    """`packets` as the runtime takes them."""
    return b"".join(part for port, data in packets for part in (_HEAD.pack(0, port, len(data)), data))


def unpack_records(records: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind (``SNIC_RECORD_...``), number and bytes of each record."""
    at = 0
    while at < len(records):
        kind, number, length = _HEAD.unpack_from(records, at)
        start, at = at + _HEAD.size, at + _HEAD.size + length
        yield kind, number, records[start:at]


def log_line(line: bytes) -> None:
    """Tell what a program's ``log_msg`` said."""
    program_log.info("%s", line.decode(errors="replace"))


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
