# SPDX-License-Identifier: Apache-2.0
"""UDP frames of a given size, byte by byte: a trace of 64 k of them takes a blink."""

from __future__ import annotations

import struct

ETHER_TYPE_IPV4 = 0x0800
PROTOCOL_UDP = 17

_ETHERNET = struct.Struct("!6s6sH")
_IPV4 = struct.Struct("!BBHHHBBHII")
_UDP = struct.Struct("!HHHH")
_HEADERS_BYTES = _ETHERNET.size + _IPV4.size + _UDP.size


def udp_frame(
    *, dst_mac: int, src_mac: int, src: int, dst: int, src_port: int, dst_port: int, frame_bytes: int
) -> bytes:
    """UDP over IPv4 in an Ethernet frame of `frame_bytes`, without FCS; TTL 64, no UDP checksum (RFC 768)."""
    ip_bytes = frame_bytes - _ETHERNET.size
    fields = (0x45, 0, ip_bytes, 0, 0, 64, PROTOCOL_UDP)
    checksum = internet_checksum(_IPV4.pack(*fields, 0, src, dst))
    return b"".join(
        (
            _ETHERNET.pack(dst_mac.to_bytes(6), src_mac.to_bytes(6), ETHER_TYPE_IPV4),
            _IPV4.pack(*fields, checksum, src, dst),
            _UDP.pack(src_port, dst_port, ip_bytes - _IPV4.size, 0),
            bytes(frame_bytes - _HEADERS_BYTES),
        )
    )


def internet_checksum(data: bytes) -> int:
    """RFC 1071, over an even number of bytes."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
