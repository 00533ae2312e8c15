# SPDX-License-Identifier: Apache-2.0
"""ICMP errors about packets that NAT has translated (RFC 5508 4): the packet that is quoted gets back the addresses and
ports it was sent with, so that its sender knows which connection is meant."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from headgate.handlers.gateway.synthesis import ICMP, TCP, UDP
from headgate.protocols.checksum import internet_checksum
from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ip import IPV4_MIN_BYTES, Ipv4Packet

_ICMP_HEADER_BYTES = 8
_TTL, _IP_CHECKSUM, _SRC, _DST = 8, slice(10, 12), slice(12, 16), slice(16, 20)
_ECHO_REQUEST = 8
_CHECKSUM_AT = {UDP: 6, TCP: 16, ICMP: 2}
_PORTS = struct.Struct("!2s2s")


@dataclass(frozen=True, slots=True)
class TranslatedError:
    """An ICMP error for an inside host.

    Attributes:
        packet: The IP packet.
        session: Of the quoted packet, as the inside sees it.
    """

    packet: bytes
    session: bytes


def translate_error(data: bytes, inside_of: Callable[[bytes], bytes | None]) -> TranslatedError | None:
    """Turn an error to a NAT address into one to the inside host.

    Args:
        data: The IPv4 packet of the error, as it was received.
        inside_of: The inside endpoint of {protocol, address, port} outside, if there is one.

    Returns: None where the quoted packet is of no mapping (RFC 5508 REQ-4 a).
    Raises: DecodeError (it is not an error with a whole header in it, or its checksum is wrong: RFC 5508 REQ-3).
    """
    outer = Ipv4Packet.parse(data)
    if outer.protocol != ICMP[0] or outer.fragment_offset or internet_checksum(outer.payload):
        raise DecodeError("ICMP", "not a whole error message")
    quoted = bytearray(outer.payload[_ICMP_HEADER_BYTES:])
    header_bytes, protocol = _quoted_header(quoted)
    old_port, dst_port = _ports(quoted[header_bytes:], protocol)
    endpoint = inside_of(protocol + bytes(quoted[_SRC]) + old_port)
    if endpoint is None:
        return None

    tenant, inside, port = endpoint[:2], endpoint[3:7], endpoint[7:]
    replaced = bytes(quoted[_SRC]) + old_port
    _adjust(quoted, header_bytes, protocol, replaced, inside + port)
    dst = bytes(quoted[_DST])
    quoted[_SRC] = inside
    port_at = header_bytes + (4 if protocol == ICMP else 0)
    quoted[port_at : port_at + 2] = port
    quoted[_IP_CHECKSUM] = b"\0\0"
    quoted[_IP_CHECKSUM] = internet_checksum(bytes(quoted[:header_bytes])).to_bytes(2, "big")

    message = bytearray(outer.payload[:_ICMP_HEADER_BYTES] + quoted)
    message[2:4] = b"\0\0"
    message[2:4] = internet_checksum(bytes(message)).to_bytes(2, "big")
    header = bytearray(outer.octets[: len(outer.octets) - len(outer.payload)])
    if header[_TTL] <= 1:
        raise DecodeError("IPv4", "the time to live of an ICMP error expired")
    header[_TTL] -= 1
    header[_DST] = inside
    header[_IP_CHECKSUM] = b"\0\0"
    header[_IP_CHECKSUM] = internet_checksum(bytes(header)).to_bytes(2, "big")
    return TranslatedError(bytes(header + message), tenant + inside + dst + protocol + port + dst_port)


def _quoted_header(quoted: bytearray) -> tuple[int, bytes]:
    """Length of the quoted packet's header, and its protocol. At least eight bytes follow it (RFC 792)."""
    if len(quoted) < IPV4_MIN_BYTES:
        raise TruncatedError("quoted IPv4", IPV4_MIN_BYTES, len(quoted))
    header_bytes = (quoted[0] & 0xF) * 4
    if quoted[0] >> 4 != 4 or header_bytes < IPV4_MIN_BYTES:
        raise DecodeError("quoted IPv4", "no IPv4 header")
    if len(quoted) < header_bytes + 8:
        raise TruncatedError("quoted IPv4", header_bytes + 8, len(quoted))
    return header_bytes, bytes((quoted[9],))


def _ports(transport: bytearray, protocol: bytes) -> tuple[bytes, bytes]:
    """Source and destination port of the quoted packet; an echo request's identifier stands for the first."""
    if protocol in (TCP, UDP):
        src, dst = _PORTS.unpack_from(transport)
        return src, dst
    if protocol == ICMP and transport[0] == _ECHO_REQUEST:
        return bytes(transport[4:6]), b"\0\0"
    raise DecodeError("quoted packet", f"protocol {protocol[0]} is not translated")


def _adjust(quoted: bytearray, header_bytes: int, protocol: bytes, old: bytes, new: bytes) -> None:
    """Bring the quoted packet's own checksum up to date, where it is within the quotation (RFC 1624 3, equation 3)."""
    place = header_bytes + _CHECKSUM_AT[protocol]
    checksum = int.from_bytes(quoted[place : place + 2], "big")
    if len(quoted) < place + 2 or (protocol == UDP and checksum == 0):
        return
    if protocol == ICMP:  # no addresses under it
        old, new = old[4:], new[4:]
    total = checksum ^ 0xFFFF
    for start in range(0, len(old), 2):
        total += (int.from_bytes(old[start : start + 2], "big") ^ 0xFFFF) + int.from_bytes(
            new[start : start + 2], "big"
        )
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    checksum = total ^ 0xFFFF
    if protocol == UDP and checksum == 0:
        checksum = 0xFFFF
    quoted[place : place + 2] = checksum.to_bytes(2, "big")
