# SPDX-License-Identifier: Apache-2.0
"""P4Runtime byte strings and the integers they carry (specification section 8.3, "Bytestrings").

Accepted: big-endian, at least one byte, any number of leading zeros (sign bytes for ``int<W>``), a value that fits.
Produced: the canonical form, which is the shortest string, and ``00`` for zero.
"""

from __future__ import annotations

from functools import lru_cache

from .errors import invalid


@lru_cache(maxsize=1024)
def ones(width: int) -> bytes:
    """The largest value of ``bit<width>``, in as many bytes as `padded` gives."""
    return ((1 << width) - 1).to_bytes((width + 7) // 8, "big")


def padded(data: bytes, largest: bytes) -> bytes:
    """The value of a field in as many bytes as `largest`, the largest one, has: `ones` of a width.

    Raises INVALID_ARGUMENT as `decode` does.
    """
    if len(data) == len(largest) and data <= largest:
        return data
    if 0 < len(data) < len(largest):
        return data.rjust(len(largest), b"\0")
    return decode(data, int.from_bytes(largest, "big").bit_length()).to_bytes(len(largest), "big")


def shortest(data: bytes) -> bytes:
    """The canonical string of a value that is padded with zeros."""
    return data.lstrip(b"\0") or b"\0"


def decode(data: bytes, width: int) -> int:
    """The value of a ``bit<width>``. Raises INVALID_ARGUMENT when empty or wider than `width` bits."""
    if not data:
        raise invalid("value is empty; zero is the byte 00")
    value = int.from_bytes(data, "big")
    if value >> width:
        raise invalid(f"value has {value.bit_length()} bits, field is {width} wide")
    return value


def encode(value: int) -> bytes:
    """The canonical string of a non-negative `value`."""
    return value.to_bytes((value.bit_length() + 7) // 8 or 1, "big")


def decode_signed(data: bytes, width: int) -> int:
    """The ``width``-bit two's complement pattern of an ``int<width>``. Raises INVALID_ARGUMENT as `decode` does."""
    if not data:
        raise invalid("value is empty; zero is the byte 00")
    value = int.from_bytes(data, "big", signed=True)
    if not -(1 << width - 1) <= value < 1 << width - 1:
        raise invalid(f"value {value} does not fit int<{width}>")
    return value & (1 << width) - 1


def encode_signed(pattern: int, width: int) -> bytes:
    """The canonical string of the ``int<width>`` whose two's complement bits are `pattern`."""
    value = pattern - (1 << width) if pattern >> width - 1 else pattern
    magnitude_bits = (value if value >= 0 else ~value).bit_length()
    return value.to_bytes(magnitude_bits // 8 + 1, "big", signed=True)
