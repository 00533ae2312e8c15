# SPDX-License-Identifier: Apache-2.0
"""Address Resolution Protocol for IPv4 over Ethernet (RFC 826)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address

from finsy import MACAddress

from headgate.protocols.errors import DecodeError, TruncatedError
from headgate.protocols.ethernet import BROADCAST, EtherType, Frame

_LAYOUT = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET = 1
_UNKNOWN_MAC = MACAddress(0)


class ArpOperation(IntEnum):
    REQUEST = 1
    REPLY = 2


@dataclass(frozen=True, slots=True)
class ArpPacket:
    """An ARP packet; fields named as RFC 826 names them."""

    operation: int
    sender_mac: MACAddress
    sender_ip: IPv4Address
    target_mac: MACAddress
    target_ip: IPv4Address

    @classmethod
    def parse(cls, data: bytes) -> ArpPacket:
        """Read the payload of an ARP frame; padding behind the packet is ignored.

        Raises:
            TruncatedError: The data ends within the packet.
            DecodeError: The packet is not about IPv4 over Ethernet.
        """
        if len(data) < _LAYOUT.size:
            raise TruncatedError("ARP", _LAYOUT.size, len(data))
        hardware, protocol, hardware_len, protocol_len, operation, *addresses = _LAYOUT.unpack_from(data)
        if (hardware, protocol, hardware_len, protocol_len) != (_ETHERNET, EtherType.IPV4, 6, 4):
            raise DecodeError("ARP", f"hardware type {hardware}, protocol {protocol:#06x} is not IPv4 over Ethernet")
        sender_mac, sender_ip, target_mac, target_ip = addresses
        return cls(
            operation, MACAddress(sender_mac), IPv4Address(sender_ip), MACAddress(target_mac), IPv4Address(target_ip)
        )

    def pack(self) -> bytes:
        """The packet as octets."""
        return _LAYOUT.pack(
            _ETHERNET,
            EtherType.IPV4,
            6,
            4,
            self.operation,
            self.sender_mac.packed,
            self.sender_ip.packed,
            self.target_mac.packed,
            self.target_ip.packed,
        )


def request(sender_mac: MACAddress, sender_ip: IPv4Address, target_ip: IPv4Address, to: MACAddress | None) -> Frame:
    """Ask who has `target_ip`: everybody, or, as a unicast poll (RFC 1122 2.3.2.1), only the station at `to`."""
    packet = ArpPacket(ArpOperation.REQUEST, sender_mac, sender_ip, _UNKNOWN_MAC, target_ip)
    return Frame(to or BROADCAST, sender_mac, EtherType.ARP, packet.pack())
