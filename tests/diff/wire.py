# SPDX-License-Identifier: Apache-2.0
"""A packet in the making: bits, of which some are settled before the parser gets there."""

from __future__ import annotations

import random


class Wire:
    """Bits from the start of a packet. `position` is the parser's; what lies behind it may be settled already."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._bits = bytearray()
        self.position = 0

    def take(self, width: int, value: int) -> int:
        """Move past `width` bits, which become `value` as far as they are not settled; yields where they start."""
        start = self.position
        self.position += width
        self.settle(self.position)
        fresh = format(value & ((1 << width) - 1), f"0{width}b") if width else ""
        self._bits[start : self.position] = bytes(
            old if old in b"01" else new
            for old, new in zip(self._bits[start : self.position], fresh.encode(), strict=True)
        )
        return start

    def put(self, start: int, width: int, value: int, mask: int = -1) -> None:
        """Set the bits of `mask` among the `width` at `start` to those of `value`."""
        self.settle(start + width)
        for index in range(width):
            bit = width - 1 - index
            if mask >> bit & 1:
                self._bits[start + index] = 48 + (value >> bit & 1)

    def get(self, start: int, width: int) -> int:
        """The `width` bits at `start`; those that are not settled are 0."""
        self.settle(start + width)
        return int(self._bits[start : start + width].replace(b"?", b"0") or b"0", 2)

    def settle(self, end: int) -> None:
        """Be at least `end` bits long."""
        self._bits += b"?" * (end - len(self._bits))

    def packed(self) -> bytes:
        """Whole bytes; what nothing was said about is random."""
        self.settle(-(-len(self._bits) // 8) * 8)
        bits = bytes(bit if bit in b"01" else self._rng.choice(b"01") for bit in self._bits)
        return int(bits or b"0", 2).to_bytes(len(bits) // 8, "big")
