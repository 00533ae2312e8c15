# SPDX-License-Identifier: Apache-2.0
"""Neighbor solicitations and advertisements over Ethernet (RFC 4861 4.3, 4.4; RFC 2464)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Address

from finsy import MACAddress

from headgate.protocols.checksum import internet_checksum, ipv6_pseudo_header
from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ethernet import EtherType, Frame
from headgate.protocols.ip import IpProtocol, Ipv6Packet, ipv6_packet

HOP_LIMIT = 255  # what crossed a router has less (RFC 4861 7.1)

_MESSAGE = struct.Struct("!BBHI16s")
_CHECKSUM = slice(2, 4)
_SOLICITED_NODE_PREFIX = IPv6Address("ff02::1:ff00:0")
_SOURCE_LINK_LAYER = 1
_TARGET_LINK_LAYER = 2


class NdType(IntEnum):
    NEIGHBOR_SOLICITATION = 135
    NEIGHBOR_ADVERTISEMENT = 136


class NaFlag(IntEnum):
    ROUTER = 1 << 31
    SOLICITED = 1 << 30
    OVERRIDE = 1 << 29


@dataclass(frozen=True, slots=True)
class NeighborSolicitation:
    """Who has `target`?

    Attributes:
        target: The address to be resolved or probed.
        source_mac: The asker's link-layer address, where it tells.
    """

    target: IPv6Address
    source_mac: MACAddress | None

    @classmethod
    def parse(cls, packet: Ipv6Packet) -> NeighborSolicitation:
        """Read and validate a solicitation by RFC 4861 7.1.1.

        Raises:
            TruncatedError: The message ends within a field or an option.
            DecodeError: It is not a solicitation, or one that a node must discard.
        """
        _, target, options = _parse_message(packet, NdType.NEIGHBOR_SOLICITATION)
        source_mac = _link_layer_option(options, _SOURCE_LINK_LAYER)
        if packet.src.is_unspecified and (source_mac or not _is_solicited_node(packet.dst)):
            raise DecodeError("ND", "a solicitation from :: that is not for duplicate address detection")
        return cls(target, source_mac)

    def pack(self, src: IPv6Address, dst: IPv6Address) -> bytes:
        """The ICMPv6 message as octets, with its checksum between `src` and `dst`."""
        option = _pack_option(_SOURCE_LINK_LAYER, self.source_mac)
        return _pack_message(NdType.NEIGHBOR_SOLICITATION, 0, self.target, option, src, dst)


@dataclass(frozen=True, slots=True)
class NeighborAdvertisement:
    """I have `target`.

    Attributes:
        target: The address that is spoken of.
        target_mac: Its link-layer address, where it tells.
        router: The sender is a router.
        solicited: It answers a solicitation.
        override: It replaces what is cached.
    """

    target: IPv6Address
    target_mac: MACAddress | None
    router: bool
    solicited: bool
    override: bool

    @classmethod
    def parse(cls, packet: Ipv6Packet) -> NeighborAdvertisement:
        """Read and validate an advertisement by RFC 4861 7.1.2.

        Raises:
            TruncatedError: The message ends within a field or an option.
            DecodeError: It is not an advertisement, or one that a node must discard.
        """
        flags, target, options = _parse_message(packet, NdType.NEIGHBOR_ADVERTISEMENT)
        solicited = bool(flags & NaFlag.SOLICITED)
        if solicited and packet.dst.is_multicast:
            raise DecodeError("ND", "a solicited advertisement to a multicast address")
        return cls(
            target=target,
            target_mac=_link_layer_option(options, _TARGET_LINK_LAYER),
            router=bool(flags & NaFlag.ROUTER),
            solicited=solicited,
            override=bool(flags & NaFlag.OVERRIDE),
        )

    def pack(self, src: IPv6Address, dst: IPv6Address) -> bytes:
        """The ICMPv6 message as octets, with its checksum between `src` and `dst`."""
        flags = NaFlag.ROUTER * self.router | NaFlag.SOLICITED * self.solicited | NaFlag.OVERRIDE * self.override
        option = _pack_option(_TARGET_LINK_LAYER, self.target_mac)
        return _pack_message(NdType.NEIGHBOR_ADVERTISEMENT, flags, self.target, option, src, dst)


def solicited_node(address: IPv6Address) -> IPv6Address:
    """The multicast group that a node with `address` listens to (RFC 4291 2.7.1)."""
    return IPv6Address(int(_SOLICITED_NODE_PREFIX) | int(address) & 0xFFFFFF)


def multicast_mac(group: IPv6Address) -> MACAddress:
    """The Ethernet group address of an IPv6 multicast group (RFC 2464 7)."""
    return MACAddress(b"\x33\x33" + group.packed[-4:])


def solicitation(sender_mac: MACAddress, sender_ip: IPv6Address, target: IPv6Address, to: MACAddress | None) -> Frame:
    """Ask who has `target`: its solicited-node group, or, as a probe (RFC 4861 7.3.3), only the station at `to`."""
    dst = target if to else solicited_node(target)
    message = NeighborSolicitation(target, sender_mac).pack(sender_ip, dst)
    packet = ipv6_packet(sender_ip, dst, IpProtocol.ICMPV6, message, hop_limit=HOP_LIMIT, traffic_class=0)
    return Frame(to or multicast_mac(dst), sender_mac, EtherType.IPV6, packet)


def _is_solicited_node(address: IPv6Address) -> bool:
    return int(address) >> 24 == int(_SOLICITED_NODE_PREFIX) >> 24


def _parse_message(packet: Ipv6Packet, message_type: NdType) -> tuple[int, IPv6Address, bytes]:
    """What RFC 4861 7.1.1 and 7.1.2 ask of either message: the word of flags, the target, and the options."""
    message = packet.payload
    if packet.protocol != IpProtocol.ICMPV6:
        raise DecodeError("ND", f"IP protocol {packet.protocol} is not ICMPv6")
    if packet.hop_limit != HOP_LIMIT:
        raise DecodeError("ND", f"hop limit {packet.hop_limit}: it crossed a router")
    if len(message) < _MESSAGE.size:
        raise TruncatedError("ND", _MESSAGE.size, len(message))
    if internet_checksum(ipv6_pseudo_header(packet.src, packet.dst, IpProtocol.ICMPV6, len(message)) + message):
        raise DecodeError("ND", "wrong checksum")
    actual_type, code, _, flags, target = _MESSAGE.unpack_from(message)
    if (actual_type, code) != (message_type, 0):
        raise DecodeError("ND", f"ICMPv6 type {actual_type} code {code} where type {message_type} code 0 is wanted")
    address = IPv6Address(target)
    if address.is_multicast:
        raise DecodeError("ND", f"the target {address} is multicast")
    return flags, address, message[_MESSAGE.size :]


def _pack_message(
    message_type: NdType, flags: int, target: IPv6Address, options: bytes, src: IPv6Address, dst: IPv6Address
) -> bytes:
    message = bytearray(_MESSAGE.pack(message_type, 0, 0, flags, target.packed) + options)
    pseudo_header = ipv6_pseudo_header(src, dst, IpProtocol.ICMPV6, len(message))
    message[_CHECKSUM] = internet_checksum(pseudo_header + bytes(message)).to_bytes(2, "big")
    return bytes(message)


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each option's type and body (RFC 4861 4.6)."""
    while data:
        length = data[1] * 8 if len(data) >= 2 else 8
        if length == 0:
            raise DecodeError("ND", "an option of length zero")
        if len(data) < length:
            raise TruncatedError("ND option", length, len(data))
        yield data[0], data[2:length]
        data = data[length:]


def _link_layer_option(data: bytes, option_type: int) -> MACAddress | None:
    """The Ethernet address in the first option of `option_type`; one bad option spoils the whole message."""
    addresses = [MACAddress(body) for kind, body in _options(data) if kind == option_type and len(body) == 6]
    return addresses[0] if addresses else None


def _pack_option(option_type: int, mac: MACAddress | None) -> bytes:
    return bytes((option_type, 1)) + mac.packed if mac else b""
