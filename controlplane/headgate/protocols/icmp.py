# SPDX-License-Identifier: Apache-2.0
"""ICMP errors: when not to send one, and what one says (RFC 792, RFC 1812 4.3.2, RFC 4443).

Both families answer to the same five conditions. `refusal` is the decision, `error_packet` the message.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum, IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from finsy import MACAddress

from headgate.protocols.checksum import internet_checksum, ipv6_pseudo_header
from headgate.protocols.ip import (
    IPV4_MIN_BYTES,
    IPV6_BYTES,
    IPV6_MIN_MTU_BYTES,
    IpProtocol,
    Ipv4Packet,
    Ipv6Packet,
    ipv4_packet,
    ipv6_packet,
)

TTL = 64  # RFC 1700

_HEADER = struct.Struct("!BBHI")
_CHECKSUM = slice(2, 4)
_INTERNETWORK_CONTROL = 0xC0  # precedence 6 of RFC 1812 4.3.2.5, CS6 of RFC 2474 4.2.2.2
_IPV4_ERROR_MAX_BYTES = 576  # RFC 1812 4.3.2.3
_ZERO_NETWORK = IPv4Network("0.0.0.0/8")
_CLASS_E = IPv4Network("240.0.0.0/4")


class Icmpv4Type(IntEnum):
    """The error messages; no other type is one (RFC 1122 3.2.2)."""

    DESTINATION_UNREACHABLE = 3
    SOURCE_QUENCH = 4
    REDIRECT = 5
    TIME_EXCEEDED = 11
    PARAMETER_PROBLEM = 12


_ICMPV4_ERRORS = frozenset(Icmpv4Type)


class Icmpv6Type(IntEnum):
    DESTINATION_UNREACHABLE = 1
    PACKET_TOO_BIG = 2
    TIME_EXCEEDED = 3
    REDIRECT = 137


class IcmpError(Enum):
    """What went wrong with a packet. Values are (IPv4 type, code) and (IPv6 type, code)."""

    TIME_EXCEEDED = ((Icmpv4Type.TIME_EXCEEDED, 0), (Icmpv6Type.TIME_EXCEEDED, 0))
    PACKET_TOO_BIG = ((Icmpv4Type.DESTINATION_UNREACHABLE, 4), (Icmpv6Type.PACKET_TOO_BIG, 0))
    NO_ROUTE = ((Icmpv4Type.DESTINATION_UNREACHABLE, 0), (Icmpv6Type.DESTINATION_UNREACHABLE, 0))
    NEIGHBOR_UNREACHABLE = ((Icmpv4Type.DESTINATION_UNREACHABLE, 1), (Icmpv6Type.DESTINATION_UNREACHABLE, 3))


class Refusal(Enum):
    """Why a packet is not answered with an error."""

    ICMP_ERROR = "icmp_error"
    LATER_FRAGMENT = "later_fragment"
    LINK_GROUP_DESTINATION = "link_group_destination"
    GROUP_DESTINATION = "group_destination"
    SOURCE_NOT_A_HOST = "source_not_a_host"


@dataclass(frozen=True, slots=True)
class Subject:
    """A packet that went wrong, and the link-layer address it was sent to."""

    packet: Ipv4Packet | Ipv6Packet
    dst_mac: MACAddress


def refusal(subject: Subject, error: IcmpError, broadcasts: frozenset[IPv4Address] = frozenset()) -> Refusal | None:
    """Why no error may be sent about a packet, or None where one may.

    Args:
        subject: The packet. That its header is valid has been seen to.
        error: What would be told; RFC 4443 2.4(e) lets packet too big answer a multicast packet.
        broadcasts: Broadcast addresses of the subnets that the router is connected to.
    """
    packet = subject.packet
    if isinstance(packet, Ipv4Packet):
        return _refusal_ipv4(packet, subject.dst_mac, broadcasts)
    return _refusal_ipv6(packet, subject.dst_mac, error)


def _refusal_ipv4(packet: Ipv4Packet, dst_mac: MACAddress, broadcasts: frozenset[IPv4Address]) -> Refusal | None:
    """RFC 1122 3.2.2, RFC 1812 4.3.2.7."""
    if packet.fragment_offset:
        return Refusal.LATER_FRAGMENT
    if packet.protocol == IpProtocol.ICMP and _is_icmpv4_error(packet.payload):
        return Refusal.ICMP_ERROR
    if dst_mac.is_multicast:
        return Refusal.LINK_GROUP_DESTINATION
    if packet.dst.is_multicast or _is_broadcast(packet.dst, broadcasts):
        return Refusal.GROUP_DESTINATION
    src = packet.src
    if src.is_multicast or src.is_loopback or src in _ZERO_NETWORK or src in _CLASS_E or _is_broadcast(src, broadcasts):
        return Refusal.SOURCE_NOT_A_HOST
    return None


def _refusal_ipv6(packet: Ipv6Packet, dst_mac: MACAddress, error: IcmpError) -> Refusal | None:
    """RFC 4443 2.4(e)."""
    if packet.protocol == IpProtocol.ICMPV6:
        if packet.fragment_offset:
            return Refusal.LATER_FRAGMENT  # whether it is of an error can't be seen
        if _is_icmpv6_error(packet.payload):
            return Refusal.ICMP_ERROR
    if error is not IcmpError.PACKET_TOO_BIG:
        if dst_mac.is_multicast:
            return Refusal.LINK_GROUP_DESTINATION
        if packet.dst.is_multicast:
            return Refusal.GROUP_DESTINATION
    if packet.src.is_unspecified or packet.src.is_multicast or packet.src.is_loopback:
        return Refusal.SOURCE_NOT_A_HOST
    return None


def _is_icmpv4_error(message: bytes) -> bool:
    """A message too short to tell counts as one."""
    return not message or message[0] in _ICMPV4_ERRORS


def _is_icmpv6_error(message: bytes) -> bool:
    """RFC 4443 2.1: types below 128. A redirect is refused likewise (2.4(e.2)), and a message too short to tell."""
    return not message or message[0] < 128 or message[0] == Icmpv6Type.REDIRECT


def _is_broadcast(address: IPv4Address, broadcasts: frozenset[IPv4Address]) -> bool:
    return address == IPv4Address(0xFFFFFFFF) or address in broadcasts


def error_packet(
    subject: Ipv4Packet | Ipv6Packet, error: IcmpError, src: IPv4Address | IPv6Address, *, mtu_bytes: int = 0
) -> bytes:
    """The IP packet that tells the sender of `subject` what went wrong, with as much of it as there is room for.

    Args:
        subject: The packet, as it was received.
        error: What went wrong.
        src: The router's own address, of the same family as `subject`.
        mtu_bytes: With `IcmpError.PACKET_TOO_BIG`: what the next hop can take, IP header included (RFC 1191 4, RFC 4443
            3.2). Both message formats carry it where the others carry zero.

    Raises:
        TypeError: `src` is of the other family.
    """
    ipv4, ipv6 = error.value
    match subject, src:
        case Ipv4Packet(), IPv4Address():
            quote = subject.octets[: _IPV4_ERROR_MAX_BYTES - IPV4_MIN_BYTES - _HEADER.size]
            message = _message(*ipv4, mtu_bytes, quote, pseudo_header=b"")
            return ipv4_packet(src, subject.src, IpProtocol.ICMP, message, ttl=TTL, traffic_class=_INTERNETWORK_CONTROL)
        case Ipv6Packet(), IPv6Address():
            quote = subject.octets[: IPV6_MIN_MTU_BYTES - IPV6_BYTES - _HEADER.size]
            pseudo_header = ipv6_pseudo_header(src, subject.src, IpProtocol.ICMPV6, _HEADER.size + len(quote))
            message = _message(*ipv6, mtu_bytes, quote, pseudo_header)
            return ipv6_packet(
                src, subject.src, IpProtocol.ICMPV6, message, hop_limit=TTL, traffic_class=_INTERNETWORK_CONTROL
            )
        case _:
            raise TypeError(f"{src} can't be the source of an error about a packet from {subject.src}")


def _message(message_type: int, code: int, rest: int, quote: bytes, pseudo_header: bytes) -> bytes:
    message = bytearray(_HEADER.pack(message_type, code, 0, rest) + quote)
    message[_CHECKSUM] = internet_checksum(pseudo_header + bytes(message)).to_bytes(2, "big")
    return bytes(message)
