# SPDX-License-Identifier: Apache-2.0
"""What a codec raises when octets are not the message they should be."""

from __future__ import annotations


class DecodeError(ValueError):
    """A packet that is not what its type says.

    Attributes:
        layer: The protocol that could not be read, "ARP" for example.
        reason: What is wrong with it.
    """

    def __init__(self, layer: str, reason: str) -> None:
        super().__init__(f"{layer}: {reason}")
        self.layer = layer
        self.reason = reason


class TruncatedError(DecodeError):
    """A packet that ends before its header does."""

    def __init__(self, layer: str, needed: int, available: int) -> None:
        super().__init__(layer, f"{available} bytes where {needed} are needed")
        self.needed = needed
        self.available = available
