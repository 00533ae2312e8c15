# SPDX-License-Identifier: Apache-2.0
"""Ethernet frames and their VLAN tags (IEEE 802.3, IEEE 802.1Q)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from finsy import MACAddress

from headgate.protocols.errors import TruncatedError

BROADCAST = MACAddress("ff:ff:ff:ff:ff:ff")

_HEADER_BYTES = 14
_TAG_BYTES = 4


class EtherType(IntEnum):
    IPV4 = 0x0800
    ARP = 0x0806
    VLAN = 0x8100  # IEEE 802.1Q C-tag
    IPV6 = 0x86DD
    QINQ = 0x88A8  # IEEE 802.1ad S-tag


_TAG_TYPES = (EtherType.VLAN, EtherType.QINQ)


@dataclass(frozen=True, slots=True)
class VlanTag:
    """One VLAN tag.

    Attributes:
        ether_type: `EtherType.VLAN` or `EtherType.QINQ`.
        control: Priority (3 bits), drop eligible (1 bit) and VLAN id (12 bits), as on the wire.
    """

    ether_type: int
    control: int

    @property
    def vlan_id(self) -> int:
        return self.control & 0xFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """One Ethernet frame without its frame check sequence; `ether_type` is that of the payload, behind all tags."""

    dst: MACAddress
    src: MACAddress
    ether_type: int
    payload: bytes
    tags: tuple[VlanTag, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Frame:
        """Read a frame, however many tags it has.

        Raises:
            TruncatedError: The data ends within the header or within a tag.
        """
        if len(data) < _HEADER_BYTES:
            raise TruncatedError("Ethernet", _HEADER_BYTES, len(data))
        tags: list[VlanTag] = []
        end = _HEADER_BYTES
        ether_type = int.from_bytes(data[end - 2 : end], "big")
        while ether_type in _TAG_TYPES:
            if len(data) < end + _TAG_BYTES:
                raise TruncatedError("VLAN tag", end + _TAG_BYTES, len(data))
            tags.append(VlanTag(ether_type, int.from_bytes(data[end : end + 2], "big")))
            end += _TAG_BYTES
            ether_type = int.from_bytes(data[end - 2 : end], "big")
        return cls(MACAddress(data[0:6]), MACAddress(data[6:12]), ether_type, data[end:], tuple(tags))

    def pack(self) -> bytes:
        """The frame as octets; not padded to Ethernet's minimum."""
        tags = b"".join(tag.ether_type.to_bytes(2, "big") + tag.control.to_bytes(2, "big") for tag in self.tags)
        return self.dst.packed + self.src.packed + tags + self.ether_type.to_bytes(2, "big") + self.payload
