# SPDX-License-Identifier: Apache-2.0
"""Classic pcap files: read in every byte order and resolution, written in nanoseconds.

The format is that of draft-ietf-opsawg-pcap: a 24-byte file header, then records of a 16-byte header and the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LINKTYPE_ETHERNET = 1
MAX_RECORD_BYTES = 262_144
"""libpcap's own limit; a longer record means a damaged file."""

_MAGIC_MICROSECONDS = 0xA1B2C3D4
_MAGIC_NANOSECONDS = 0xA1B23C4D
_MAGIC_PCAPNG = b"\x0a\x0d\x0d\x0a"
_FILE_HEADER = "IHHiIII"
_RECORD_HEADER = "IIII"


class PcapError(Exception):
    """A file that is not a pcap we can read. The message says where it goes wrong."""


@dataclass(frozen=True, slots=True)
class Record:
    """One captured frame. `original_length` exceeds `len(data)` when the capture cut the frame short."""

    timestamp_ns: int
    data: bytes
    original_length: int

    @property
    def is_cut(self) -> bool:
        return self.original_length > len(self.data)


def read_pcap(stream: BinaryIO) -> Iterator[Record]:
    """The records of an Ethernet capture, in the order of the file.

    The file header is read at once, each record when it is asked for.

    Raises:
        PcapError: not a pcap, a pcapng, another link type, or a damaged record (raised when it is reached).
    """
    byte_order, ns_per_tick = _read_file_header(stream)
    return _read_records(stream, struct.Struct(byte_order + _RECORD_HEADER), ns_per_tick)


def _read_file_header(stream: BinaryIO) -> tuple[str, int]:
    """Byte order as `struct` writes it, and the nanoseconds in one tick of a timestamp's fraction."""
    header = stream.read(struct.calcsize("=" + _FILE_HEADER))
    if header.startswith(_MAGIC_PCAPNG):
        raise PcapError("this is a pcapng file; convert it: editcap -F pcap IN.pcapng OUT.pcap")
    if len(header) < struct.calcsize("=" + _FILE_HEADER):
        raise PcapError(f"not a pcap file: it has {len(header)} bytes, its header alone takes 24")
    for byte_order in "<>":
        magic, major, _minor, _zone, _accuracy, _snap_length, link_type = struct.unpack(
            byte_order + _FILE_HEADER, header
        )
        if magic in (_MAGIC_MICROSECONDS, _MAGIC_NANOSECONDS):
            if major != 2:
                raise PcapError(f"pcap version {major} is unknown; today's is 2.4")
            if link_type != LINKTYPE_ETHERNET:
                raise PcapError(f"link type {link_type} is not Ethernet (1); capture on an Ethernet interface")
            return byte_order, 1 if magic == _MAGIC_NANOSECONDS else 1_000
    raise PcapError(f"not a pcap file: it begins with {header[:4].hex()}")


def _read_records(stream: BinaryIO, record_header: struct.Struct, ns_per_tick: int) -> Iterator[Record]:
    index = 0
    while header := stream.read(record_header.size):
        if len(header) < record_header.size:
            raise PcapError(f"record {index} is cut off within its header")
        seconds, fraction, length, original_length = record_header.unpack(header)
        if length > MAX_RECORD_BYTES:
            raise PcapError(f"record {index} claims {length} bytes, more than the {MAX_RECORD_BYTES} a record may have")
        data = stream.read(length)
        if len(data) < length:
            raise PcapError(f"record {index} is cut off: {len(data)} of {length} bytes are there")
        yield Record(seconds * 1_000_000_000 + fraction * ns_per_tick, data, original_length)
        index += 1


class PcapWriter:
    """Writes an Ethernet capture with nanosecond timestamps, little-endian."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        stream.write(
            struct.pack("<" + _FILE_HEADER, _MAGIC_NANOSECONDS, 2, 4, 0, 0, MAX_RECORD_BYTES, LINKTYPE_ETHERNET)
        )

    def write(self, timestamp_ns: int, frame: bytes) -> None:
        """Append one frame; `timestamp_ns` counts from the Unix epoch."""
        seconds, nanoseconds = divmod(timestamp_ns, 1_000_000_000)
        self._stream.write(struct.pack("<" + _RECORD_HEADER, seconds, nanoseconds, len(frame), len(frame)) + frame)

    def close(self) -> None:
        """Flush and close the file."""
        self._stream.close()
