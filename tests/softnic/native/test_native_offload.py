# SPDX-License-Identifier: Apache-2.0
"""The runtime finishes a frame exactly as `softnic.ports.offload` does, and refuses the same ones."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cffi import FFI
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from softnic.native import find_compiler
from softnic.native.compiler import RUNTIME
from softnic.native.library import declarations
from softnic.ports.offload import VNET_HEADER, Offload, OffloadError, finish, insert_vlan_tag

TCPV4, UFO, TCPV6, UDP_L4, ECN = 1, 3, 4, 5, 0x80
MAX_SEGMENT_BYTES = 1 << 17


class Runtime:
    """``snic_offload.c`` alone."""

    def __init__(self, folder: Path) -> None:
        path = folder / "offload.so"
        compile_offload = [*find_compiler().command, "-std=gnu11", "-O2", "-shared", "-fPIC"]
        compile_offload += ["-fsanitize=undefined", "-fno-sanitize-recover=all", "-o", str(path)]
        subprocess.run([*compile_offload, str(RUNTIME / "snic_offload.c")], check=True)
        self.ffi: Any = FFI()
        self.ffi.cdef(declarations((RUNTIME / "snic_offload.h").read_text()))
        self.lib: Any = self.ffi.dlopen(str(path))

    def finish(self, frame: bytes, vnet_header: bytes) -> list[bytes]:
        """As `softnic.ports.offload.finish`, with the header as it comes from the kernel."""
        header = self.ffi.new("struct snic_vnet_header *")
        self.ffi.memmove(header, vnet_header, len(vnet_header))
        data = self.ffi.new("uint8_t[]", frame)
        if self.lib.snic_needs_segmentation(header):
            return self._segments(data, len(frame), header)
        if header.flags & self.lib.SNIC_VNET_NEEDS_CHECKSUM and not self.lib.snic_complete_checksum(
            data, len(frame), header.checksum_start, header.checksum_offset
        ):
            raise OffloadError("refused")
        return [self.ffi.buffer(data, len(frame))[:]]

    def _segments(self, data: Any, length: int, header: Any) -> list[bytes]:
        segments, out = self.ffi.new("struct snic_segments *"), self.ffi.new("uint8_t[]", MAX_SEGMENT_BYTES)
        if not self.lib.snic_segments_begin(segments, data, length, header):
            raise OffloadError("refused")
        finished: list[bytes] = []
        while size := self.lib.snic_segments_next(segments, out):
            finished.append(self.ffi.buffer(out, size)[:])
        return finished

    def insert_vlan_tag(self, frame: bytes, tpid: int, tci: int) -> bytes:
        room = self.ffi.new("uint8_t[]", bytes(4) + frame)
        start = self.lib.snic_insert_vlan_tag(room + 4, tpid, tci)
        return self.ffi.buffer(start, len(frame) + 4)[:]


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    return Runtime(tmp_path_factory.mktemp("offload"))


def outcome(frame: bytes, header: bytes, finisher) -> list[bytes] | str:
    try:
        return finisher(frame, header)
    except OffloadError:
        return "refused"


def in_python(frame: bytes, header: bytes) -> list[bytes]:
    return list(finish(frame, Offload.decode(header)))


def vnet_header(start: int, offset: int, gso_type: int = 0, segment_bytes: int = 0) -> bytes:
    return VNET_HEADER.pack(1, gso_type, 0, segment_bytes, start, offset)


networks = st.sampled_from([IP(src="10.0.0.1", dst="10.0.0.2", id=0xFFFE), IPv6(src="2001:db8::1", dst="2001:db8::2")])
tags = st.lists(st.integers(0, 4095), max_size=2)
tcp = st.builds(
    TCP,
    sport=st.integers(0, 65535),
    seq=st.integers(0, 2**32 - 1),
    flags=st.integers(0, 255),
    options=st.lists(st.just(("NOP", None)), max_size=8),
)
udp = st.builds(UDP, sport=st.integers(0, 65535))


@st.composite
def framed(draw: st.DrawFn, transports: st.SearchStrategy[Any]) -> tuple[bytes, int]:
    """A frame and the offset of its transport header."""
    packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
    for vlan in draw(tags):
        packet = packet / Dot1Q(vlan=vlan)
    packet = packet / draw(networks)
    start = len(packet)
    return bytes(packet / draw(transports) / draw(st.binary(max_size=400))), start


@given(packet=framed(tcp | udp), offset=st.sampled_from([6, 16]))
def test_a_half_done_checksum_is_completed_alike(runtime: Runtime, packet: tuple[bytes, int], offset: int) -> None:
    frame, start = packet
    header = vnet_header(start, offset)
    assert outcome(frame, header, runtime.finish) == outcome(frame, header, in_python)


@given(packet=framed(tcp | udp), segment_bytes=st.integers(1, 500), gso=st.sampled_from([TCPV4, TCPV6 | ECN, UDP_L4]))
def test_a_large_frame_is_cut_or_refused_alike(
    runtime: Runtime, packet: tuple[bytes, int], segment_bytes: int, gso: int
) -> None:
    frame, start = packet
    header = vnet_header(start, 16, gso, segment_bytes)
    assert outcome(frame, header, runtime.finish) == outcome(frame, header, in_python)


@given(
    packet=framed(tcp | udp),
    length=st.integers(0, 500),
    header=st.builds(
        VNET_HEADER.pack,
        *(st.sampled_from([0, 1]), st.sampled_from([0, TCPV4, TCPV6, UDP_L4, UFO, ECN]), st.just(0)),
        *(st.integers(0, 100), st.integers(0, 120) | st.just(0xFFFF), st.sampled_from([6, 16, 0xFFFF])),
    ),
)
def test_any_frame_with_any_header_is_finished_or_refused_alike(
    runtime: Runtime, packet: tuple[bytes, int], length: int, header: bytes
) -> None:
    frame = packet[0][:length]
    assert outcome(frame, header, runtime.finish) == outcome(frame, header, in_python)


@given(packet=framed(tcp | udp), segment_bytes=st.integers(1, 500), data=st.data())
def test_frames_with_bytes_changed_at_will_are_cut_or_refused_alike(
    runtime: Runtime, packet: tuple[bytes, int], segment_bytes: int, data: st.DataObject
) -> None:
    frame, start = bytearray(packet[0]), packet[1]
    for at in data.draw(st.lists(st.integers(12, min(len(frame), start + 20) - 1), max_size=4)):
        frame[at] = data.draw(st.integers(0, 255))
    header = vnet_header(start, 16, data.draw(st.sampled_from([TCPV6, UDP_L4])), segment_bytes)
    assert outcome(bytes(frame), header, runtime.finish) == outcome(bytes(frame), header, in_python)


@given(frame=st.binary(min_size=14, max_size=100), tpid=st.sampled_from([0x8100, 0x88A8]), tci=st.integers(0, 0xFFFF))
def test_a_tag_is_put_back_alike(runtime: Runtime, frame: bytes, tpid: int, tci: int) -> None:
    assert runtime.insert_vlan_tag(frame, tpid, tci) == insert_vlan_tag(frame, tpid, tci)
