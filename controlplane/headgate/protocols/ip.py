# SPDX-License-Identifier: Apache-2.0
"""IPv4 and IPv6 headers, as far as answering a packet takes (RFC 791, RFC 8200)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address

from headgate.protocols.checksum import internet_checksum
from headgate.protocols.errors import DecodeError, TruncatedError

IPV4_MIN_BYTES = 20
IPV6_BYTES = 40
IPV6_MIN_MTU_BYTES = 1280  # RFC 8200 5

_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_FRAGMENT_OFFSET_MASK = 0x1FFF


class IpProtocol(IntEnum):
    HOP_BY_HOP = 0
    ICMP = 1
    ROUTING = 43
    FRAGMENT = 44
    AUTHENTICATION = 51
    ICMPV6 = 58
    DESTINATION_OPTIONS = 60


@dataclass(frozen=True, slots=True)
class Ipv4Packet:
    """An IPv4 packet that was received.

    Attributes:
        protocol: What the payload is.
        fragment_offset: In 8-octet units.
        octets: The whole packet by its own total length, header first, link-layer padding cut off.
        payload: What of `octets` follows the header and its options.
    """

    src: IPv4Address
    dst: IPv4Address
    protocol: int
    ttl: int
    fragment_offset: int
    octets: bytes
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Ipv4Packet:
        """Read an IPv4 packet with whatever padding follows it. Its header checksum is not looked at.

        Raises:
            TruncatedError: The data ends within the header, or before the packet does.
            DecodeError: The version or a length is not possible.
        """
        if len(data) < IPV4_MIN_BYTES:
            raise TruncatedError("IPv4", IPV4_MIN_BYTES, len(data))
        version_ihl, _, total_length, _, fragment, ttl, protocol, _, src, dst = _IPV4.unpack_from(data)
        header_bytes = (version_ihl & 0xF) * 4
        if version_ihl >> 4 != 4:
            raise DecodeError("IPv4", f"version {version_ihl >> 4}")
        if not IPV4_MIN_BYTES <= header_bytes <= total_length:
            raise DecodeError("IPv4", f"header of {header_bytes} bytes in a packet of {total_length}")
        if len(data) < total_length:
            raise TruncatedError("IPv4", total_length, len(data))
        return cls(
            src=IPv4Address(src),
            dst=IPv4Address(dst),
            protocol=protocol,
            ttl=ttl,
            fragment_offset=fragment & _FRAGMENT_OFFSET_MASK,
            octets=data[:total_length],
            payload=data[header_bytes:total_length],
        )


@dataclass(frozen=True, slots=True)
class Ipv6Packet:
    """An IPv6 packet that was received.

    Attributes:
        protocol: What the payload is, extension headers skipped as far as they could be followed.
        fragment_offset: In 8-octet units; 0 without a fragment header.
        octets: The whole packet by its own payload length, link-layer padding cut off.
        payload: What of `octets` follows the last header that was followed; empty where that one is cut short.
    """

    src: IPv6Address
    dst: IPv6Address
    protocol: int
    hop_limit: int
    fragment_offset: int
    octets: bytes
    payload: bytes

    @classmethod
    def parse(cls, data: bytes) -> Ipv6Packet:
        """Read an IPv6 packet with whatever padding follows it.

        Raises:
            TruncatedError: The data ends within the header, or before the packet does.
            DecodeError: The version is not 6.
        """
        if len(data) < IPV6_BYTES:
            raise TruncatedError("IPv6", IPV6_BYTES, len(data))
        first_word, payload_length, next_header, hop_limit, src, dst = _IPV6.unpack_from(data)
        if first_word >> 28 != 6:
            raise DecodeError("IPv6", f"version {first_word >> 28}")
        if len(data) < IPV6_BYTES + payload_length:
            raise TruncatedError("IPv6", IPV6_BYTES + payload_length, len(data))
        octets = data[: IPV6_BYTES + payload_length]
        protocol, fragment_offset, payload = _skip_extensions(next_header, octets[IPV6_BYTES:])
        return cls(IPv6Address(src), IPv6Address(dst), protocol, hop_limit, fragment_offset, octets, payload)


def _skip_extensions(protocol: int, data: bytes) -> tuple[int, int, bytes]:
    """Follow extension headers (RFC 8200 4): upper-layer protocol, fragment offset, and what is left of the data."""
    fragment_offset = 0
    while True:
        match protocol:
            case IpProtocol.HOP_BY_HOP | IpProtocol.ROUTING | IpProtocol.DESTINATION_OPTIONS if len(data) >= 2:
                length = 8 + data[1] * 8
            case IpProtocol.AUTHENTICATION if len(data) >= 2:
                length = 8 + data[1] * 4  # RFC 4302 2.2: 4-octet units, less two
            case IpProtocol.FRAGMENT if len(data) >= 8:
                fragment_offset = int.from_bytes(data[2:4], "big") >> 3
                length = 8
            case _:
                return protocol, fragment_offset, data
        protocol, data = data[0], data[length:]
        if fragment_offset:  # what follows is from the middle of the packet, and no header
            return protocol, fragment_offset, data


def ipv4_packet(
    src: IPv4Address, dst: IPv4Address, protocol: int, payload: bytes, *, ttl: int, traffic_class: int
) -> bytes:
    """An IPv4 packet without options, not to be fragmented.

    Its identification is zero, as befits a packet that is never fragmented (RFC 6864 4.1).
    """
    do_not_fragment = 0x4000
    fields = (0x45, traffic_class, IPV4_MIN_BYTES + len(payload), 0, do_not_fragment, ttl, protocol)
    checksum = internet_checksum(_IPV4.pack(*fields, 0, src.packed, dst.packed))
    return _IPV4.pack(*fields, checksum, src.packed, dst.packed) + payload


def ipv6_packet(
    src: IPv6Address, dst: IPv6Address, next_header: int, payload: bytes, *, hop_limit: int, traffic_class: int
) -> bytes:
    """An IPv6 packet without extension headers, its flow label zero."""
    first_word = 6 << 28 | traffic_class << 20
    return _IPV6.pack(first_word, len(payload), next_header, hop_limit, src.packed, dst.packed) + payload
