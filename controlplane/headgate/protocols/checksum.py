# SPDX-License-Identifier: Apache-2.0
"""The Internet checksum (RFC 1071) and the pseudo-header that ICMPv6 puts under it (RFC 8200 8.1)."""

from __future__ import annotations

from ipaddress import IPv6Address


def internet_checksum(data: bytes) -> int:
    """The 16-bit ones' complement of the ones' complement sum over `data`, an odd octet padded with zero.

    Over data that already carries its checksum the result is 0.
    """
    if len(data) % 2:
        data += b"\0"
    # 2**16 is 1 modulo 0xffff: the whole as one number, modulo 0xffff, is the folded sum, save that a sum of all ones
    # comes out as zero.
    total = int.from_bytes(data, "big")
    folded = total % 0xFFFF
    if folded == 0 and total:
        folded = 0xFFFF
    return folded ^ 0xFFFF


def ipv6_pseudo_header(src: IPv6Address, dst: IPv6Address, next_header: int, length: int) -> bytes:
    """What precedes an upper-layer packet of `length` octets when its checksum is computed (RFC 8200 8.1)."""
    return src.packed + dst.packed + length.to_bytes(4, "big") + bytes((0, 0, 0, next_header))
