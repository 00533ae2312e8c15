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
_GSO_UDP_L4 = 5
_GSO_ECN = 0x80

_VLAN_TYPES = (0x8100, 0x88A8)
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17
_TCP_FIN, _TCP_PSH, _TCP_CWR = 0x01, 0x08, 0x80


class OffloadError(ValueError):
    """Work was left that this port can't do (segmentation of something that is not plain TCP or UDP)."""


@dataclass(frozen=True, slots=True)
class Offload:
    """What the sender left undone. Offsets and sizes in bytes.

    `segment_bytes` 0: the frame is one segment; else it is to be cut, and is of `protocol` (TCP or UDP).
    """

    checksum_start: int | None = None
    checksum_offset: int = 0
    segment_bytes: int = 0
    protocol: int = _TCP

    @classmethod
    def decode(cls, header: bytes | memoryview) -> Offload:
        """Raises: OffloadError (a kind of segmentation other than TCP's and UDP's, or segments of no size)."""
        flags, gso_type, _header_bytes, segment_bytes, start, offset = VNET_HEADER.unpack(header)
        gso_type &= ~_GSO_ECN
        if gso_type not in (_GSO_NONE, *_GSO_TCP, _GSO_UDP_L4):
            raise OffloadError(f"segmentation of type {gso_type}")
        if gso_type != _GSO_NONE and not segment_bytes:
            raise OffloadError("segments of no size")
        return cls(
            checksum_start=start if flags & _NEEDS_CHECKSUM else None,
            checksum_offset=offset,
            segment_bytes=segment_bytes if gso_type != _GSO_NONE else 0,
            protocol=_UDP if gso_type == _GSO_UDP_L4 else _TCP,
        )


def finish(frame: bytes, offload: Offload) -> Iterator[bytes]:
    """The frames a NIC would put on the wire for this one.

    Raises:
        OffloadError: the frame can't be segmented, or its checksum lies outside it.
    """
    if offload.segment_bytes:
        yield from _segment(frame, offload)
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


def _segment(frame: bytes, offload: Offload) -> Iterator[bytes]:
    """TCP or UDP segmentation: each segment has the headers of the whole, with lengths and checksums of its own."""
    start = offload.checksum_start
    network, ether_type = _network_header(frame)
    if start is None or not network + 20 <= start < len(frame):
        raise OffloadError("segmentation without an IP and a transport header")
    payload_start = start + (8 if offload.protocol == _UDP else _tcp_header_bytes(frame, start))
    if payload_start >= len(frame):
        raise OffloadError("segmentation without a payload")
    _check_plain_ip(frame, network, ether_type, start, offload.protocol)
    for index, at in enumerate(range(payload_start, len(frame), offload.segment_bytes)):
        payload = frame[at : at + offload.segment_bytes]
        segment = bytearray(frame[:payload_start] + payload)
        if offload.protocol == _UDP:
            segment[start + 4 : start + 6] = (8 + len(payload)).to_bytes(2)
        else:
            _set_tcp(segment, start, at - payload_start, index == 0, at + len(payload) == len(frame))
        _set_ip_length(segment, network, ether_type, index)
        yield _with_transport_checksum(segment, network, ether_type, start, offload.protocol)


def _tcp_header_bytes(frame: bytes, tcp: int) -> int:
    size = (frame[tcp + 12] >> 4) * 4 if tcp + 20 <= len(frame) else 0
    if size < 20:
        raise OffloadError("segmentation without a TCP header")
    return size


def _set_tcp(segment: bytearray, tcp: int, offset: int, is_first: bool, is_last: bool) -> None:
    sequence = int.from_bytes(segment[tcp + 4 : tcp + 8]) + offset
    segment[tcp + 4 : tcp + 8] = (sequence & 0xFFFFFFFF).to_bytes(4)
    if not is_last:
        segment[tcp + 13] &= ~(_TCP_FIN | _TCP_PSH)
    if not is_first:
        segment[tcp + 13] &= ~_TCP_CWR


def _network_header(frame: bytes) -> tuple[int, int]:
    """Offset and EtherType of what follows the Ethernet header and its tags."""
    offset = 12
    while (ether_type := int.from_bytes(frame[offset : offset + 2])) in _VLAN_TYPES:
        offset += 4
    return offset + 2, ether_type


def _check_plain_ip(frame: bytes, network: int, ether_type: int, start: int, protocol: int) -> None:
    """Inside a tunnel the outer headers would need new lengths too: refused, and so counted, rather than sent wrong."""
    if ether_type == _IPV4:
        plain = frame[network + 9] == protocol and network + (frame[network] & 0xF) * 4 == start
    else:
        plain = ether_type == _IPV6 and frame[network + 6] == protocol and network + 40 == start
    if not plain:
        raise OffloadError("segmentation of what is not directly within IP")


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


def _with_transport_checksum(segment: bytearray, network: int, ether_type: int, start: int, protocol: int) -> bytes:
    field = start + (6 if protocol == _UDP else 16)
    segment[field : field + 2] = bytes(2)
    addresses = segment[network + 12 : network + 20] if ether_type == _IPV4 else segment[network + 8 : network + 40]
    pseudo_header = addresses + struct.pack("!II", len(segment) - start, protocol)
    return _with_checksum(bytes(segment), field, internet_checksum(pseudo_header, segment[start:]))
