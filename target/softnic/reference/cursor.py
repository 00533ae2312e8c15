# SPDX-License-Identifier: Apache-2.0
"""The one way to a packet's bytes: a cursor that cannot read past the end."""

from __future__ import annotations


class PacketTooShortError(Exception):
    """More was asked for than the packet still has."""


class Cursor:
    """A position, in bytes, in a packet that is being parsed."""

    __slots__ = ("_data", "position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0

    def take(self, count: int) -> int:
        """The next `count` bytes as a big-endian number; moves past them. Raises: PacketTooShortError."""
        start = self.position
        end = start + count
        if end > len(self._data):
            raise PacketTooShortError
        self.position = end
        return int.from_bytes(self._data[start:end], "big")

    def skip(self, count: int) -> None:
        """Moves past `count` bytes. Raises: PacketTooShortError."""
        if count > len(self._data) - self.position:
            raise PacketTooShortError
        self.position += count

    def peek(self, offset: int, width: int) -> int:
        """`width` bits that start `offset` bits after the position, which stays. Raises: PacketTooShortError."""
        end_bit = offset + width
        end = self.position + (end_bit + 7) // 8
        if end > len(self._data):
            raise PacketTooShortError
        word = int.from_bytes(self._data[self.position : end], "big")
        return word >> (-end_bit % 8) & ((1 << width) - 1)

    def require(self, count: int) -> None:
        """Raises: PacketTooShortError if fewer than `count` bytes are left."""
        if count > len(self._data) - self.position:
            raise PacketTooShortError

    def rest(self) -> bytes:
        """What has not been parsed."""
        return self._data[self.position :]
