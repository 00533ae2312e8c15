# SPDX-License-Identifier: Apache-2.0
"""The work a Linux sender leaves to its NIC: checksums, segmentation, VLAN tags.

On a veth there is no NIC behind the sender, so a frame reaches our socket with its checksum half done, with the payload
of many segments, and without its tag. The target is that NIC: here it finishes the frame. Pure functions over bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

VNET_HEADER = struct.Struct("=BBHHHH")
"""``struct virtio_net_hdr`` (virtio 1.2, 5.1.6) in the host's byte order, as packet(7) sockets carry it."""
NOTHING_LEFT = bytes(VNET_HEADER.size)
"""The header of a frame that needs nothing more."""

_NEEDS_CHECKSUM = 0x01
_GSO_NONE = 0
_GSO_TCP = (1, 4)
_GSO_ECN = 0x80

_VLAN_TYPES = (0x8100, 0x88A8)
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP = 6
_TCP_FIN, _TCP_PSH, _TCP_CWR = 0x01, 0x08, 0x80


class OffloadError(ValueError):
    """Work was left that this port can't do (segmentation of something that is not plain TCP)."""


@dataclass(frozen=True, slots=True)
class Offload:
    """What the sender left undone. Offsets and sizes in bytes; `segment_bytes` 0: the frame is one segment."""

    checksum_start: int | None = None
    checksum_offset: int = 0
    segment_bytes: int = 0

    @classmethod
    def decode(cls, header: bytes | memoryview) -> Offload:
        """Raises: OffloadError (a kind of segmentation other than TCP's)."""
        flags, gso_type, _header_bytes, segment_bytes, start, offset = VNET_HEADER.unpack(header)
        gso_type &= ~_GSO_ECN
        if gso_type != _GSO_NONE and gso_type not in _GSO_TCP:
            raise OffloadError(f"segmentation of type {gso_type}")
        return cls(
            checksum_start=start if flags & _NEEDS_CHECKSUM else None,
            checksum_offset=offset,
            segment_bytes=segment_bytes if gso_type != _GSO_NONE else 0,
        )


def finish(frame: bytes, offload: Offload) -> Iterator[bytes]:
    """The frames a NIC would put on the wire for this one.

    Raises:
        OffloadError: the frame can't be segmented, or its checksum lies outside it.
    """
    if offload.segment_bytes:
        yield from _segment_tcp(frame, offload)
    elif offload.checksum_start is not None:
        yield _fill_checksum(frame, offload.checksum_start, offload.checksum_offset)
    else:
        yield frame


def insert_vlan_tag(frame: bytes, tpid: int, tci: int) -> bytes:
    """Put the 802.1Q tag back that the kernel took off (IEEE 802.1Q, 9.6)."""
    return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]


def internet_checksum(*parts: bytes | bytearray) -> int:
    """RFC 1071, over parts of even length (the last may be odd)."""
    # 2**16 is 1 modulo 0xFFFF: the ones' complement sum of 16-bit words is the whole number's remainder.
    remainder = sum(int.from_bytes(part + b"\0" * (len(part) % 2)) for part in parts) % 0xFFFF
    return -remainder % 0xFFFF


def _fill_checksum(frame: bytes, start: int, offset: int) -> bytes:
    """The field holds the pseudo-header's sum already, so that the sum from `start` on is the whole one."""
    field = start + offset
    if field + 2 > len(frame):
        raise OffloadError(f"checksum at {field} of a frame of {len(frame)} bytes")
    return _with_checksum(frame, field, internet_checksum(frame[start:]))


def _with_checksum(frame: bytes, field: int, checksum: int) -> bytes:
    # A UDP checksum of 0 says that there is none (RFC 768); for the others 0 and 0xFFFF are the same.
    return frame[:field] + (checksum or 0xFFFF).to_bytes(2) + frame[field + 2 :]


def _segment_tcp(frame: bytes, offload: Offload) -> Iterator[bytes]:
    """TCP segmentation: each segment has the headers of the whole, its own lengths, sequence number and checksums."""
    tcp = offload.checksum_start
    network, ether_type = _network_header(frame)
    if tcp is None or not network + 20 <= tcp <= len(frame) - 20:
        raise OffloadError("TCP segmentation without an IP and a TCP header")
    _check_plain_ip(frame, network, ether_type, tcp)
    payload_start = tcp + (frame[tcp + 12] >> 4) * 4
    sequence = int.from_bytes(frame[tcp + 4 : tcp + 8])
    for index, start in enumerate(range(payload_start, len(frame), offload.segment_bytes)):
        payload = frame[start : start + offload.segment_bytes]
        segment = bytearray(frame[:payload_start] + payload)
        segment[tcp + 4 : tcp + 8] = ((sequence + start - payload_start) & 0xFFFFFFFF).to_bytes(4)
        if start + len(payload) < len(frame):
            segment[tcp + 13] &= ~(_TCP_FIN | _TCP_PSH)
        if index > 0:
            segment[tcp + 13] &= ~_TCP_CWR
        _set_ip_length(segment, network, ether_type, index)
        yield _with_tcp_checksum(segment, network, ether_type, tcp)


def _network_header(frame: bytes) -> tuple[int, int]:
    """Offset and EtherType of what follows the Ethernet header and its tags."""
    offset = 12
    while (ether_type := int.from_bytes(frame[offset : offset + 2])) in _VLAN_TYPES:
        offset += 4
    return offset + 2, ether_type


def _check_plain_ip(frame: bytes, network: int, ether_type: int, tcp: int) -> None:
    """Inside a tunnel the outer headers would need new lengths too: refused, and so counted, rather than sent wrong."""
    if ether_type == _IPV4:
        plain = frame[network + 9] == _TCP and network + (frame[network] & 0xF) * 4 == tcp
    else:
        plain = ether_type == _IPV6 and frame[network + 6] == _TCP and network + 40 == tcp
    if not plain:
        raise OffloadError("segmentation of TCP that is not directly within IP")


def _set_ip_length(segment: bytearray, network: int, ether_type: int, index: int) -> None:
    if ether_type == _IPV6:
        segment[network + 4 : network + 6] = (len(segment) - network - 40).to_bytes(2)
        return
    identification = (int.from_bytes(segment[network + 4 : network + 6]) + index) & 0xFFFF
    segment[network + 2 : network + 4] = (len(segment) - network).to_bytes(2)
    segment[network + 4 : network + 6] = identification.to_bytes(2)
    segment[network + 10 : network + 12] = bytes(2)
    header = segment[network : network + (segment[network] & 0xF) * 4]
    segment[network + 10 : network + 12] = internet_checksum(header).to_bytes(2)


def _with_tcp_checksum(segment: bytearray, network: int, ether_type: int, tcp: int) -> bytes:
    segment[tcp + 16 : tcp + 18] = bytes(2)
    addresses = segment[network + 12 : network + 20] if ether_type == _IPV4 else segment[network + 8 : network + 40]
    pseudo_header = addresses + struct.pack("!II", len(segment) - tcp, _TCP)
    return _with_checksum(bytes(segment), tcp + 16, internet_checksum(pseudo_header, segment[tcp:]))
