# SPDX-License-Identifier: Apache-2.0
"""pcap files: what is written is read back; every byte order and resolution is read; damage is named, never obeyed."""

from __future__ import annotations

import contextlib
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic.pcap import MAX_RECORD_BYTES, PcapError, PcapWriter, Record, read_pcap

MICROSECONDS, NANOSECONDS = 0xA1B2C3D4, 0xA1B23C4D
TIMESTAMPS_NS = st.integers(0, 2**32 * 10**9 - 1)


def pcap_bytes(
    records: bytes = b"", *, order: str = "<", magic: int = NANOSECONDS, major: int = 2, link_type: int = 1
) -> bytes:
    return struct.pack(order + "IHHiIII", magic, major, 4, 0, 0, 65_535, link_type) + records


@given(st.lists(st.tuples(TIMESTAMPS_NS, st.binary(max_size=100))))
def test_what_is_written_is_read_back(frames):
    stream = io.BytesIO()
    writer = PcapWriter(stream)
    for timestamp_ns, frame in frames:
        writer.write(timestamp_ns, frame)
    stream.seek(0)
    assert list(read_pcap(stream)) == [Record(timestamp_ns, frame, len(frame)) for timestamp_ns, frame in frames]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "timestamp_ns"), [(MICROSECONDS, 7_000_005_000), (NANOSECONDS, 7_000_000_005)])
def test_both_byte_orders_and_resolutions_are_read(order, magic, timestamp_ns):
    record = struct.pack(order + "IIII", 7, 5, 3, 60) + b"abc"
    (read,) = read_pcap(io.BytesIO(pcap_bytes(record, order=order, magic=magic)))
    assert read == Record(timestamp_ns, b"abc", 60)
    assert read.is_cut


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it has 0 bytes"),
        (pcap_bytes()[:23], "it has 23 bytes"),
        (b"\x0a\x0d\x0d\x0a" + bytes(24), "editcap -F pcap"),
        (b"GIF89a" + bytes(24), "begins with 47494638"),
        (pcap_bytes(major=1), "version 1"),
        (pcap_bytes(link_type=113), "link type 113"),
        (pcap_bytes(b"\0" * 15), "record 0 is cut off within its header"),
        (pcap_bytes(struct.pack("<IIII", 0, 0, 4, 4) + b"abc"), "record 0 is cut off: 3 of 4"),
        (pcap_bytes(struct.pack("<IIII", 0, 0, MAX_RECORD_BYTES + 1, 4)), "record 0 claims 262145 bytes"),
    ],
)
def test_a_damaged_file_is_refused_with_the_place(data, message):
    with pytest.raises(PcapError, match=message):
        list(read_pcap(io.BytesIO(data)))


def test_records_before_the_damage_are_read():
    stream = io.BytesIO()
    PcapWriter(stream).write(1, b"whole")
    records = read_pcap(io.BytesIO(stream.getvalue() + b"rubbish"))
    assert next(records).data == b"whole"
    with pytest.raises(PcapError, match="record 1"):
        next(records)


@given(st.binary(max_size=200))
def test_no_input_does_anything_but_yield_or_raise_pcap_error(data):
    stream = io.BytesIO(pcap_bytes(data))
    with contextlib.suppress(PcapError):
        for record in read_pcap(stream):
            assert len(record.data) <= len(data)
