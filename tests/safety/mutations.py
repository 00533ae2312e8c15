# SPDX-License-Identifier: Apache-2.0
"""Frames made of other frames: damaged, cut, put together otherwise, or of nothing but chance."""

from __future__ import annotations

import random
from collections.abc import Sequence

from diff.scenario import Frame

LARGEST_BYTES = 65_535
_BYTES = (0x00, 0x01, 0x3F, 0x40, 0x45, 0x4F, 0x7F, 0x80, 0xFE, 0xFF)
_LENGTHS = (0, 1, 7, 8, 20, 40, 0x7FFF, 0x8000, 0xFFFF)


def mutated(pool: Sequence[Frame], rng: random.Random) -> Frame:
    """One of `pool` with one to four changes."""
    port, data = rng.choice(pool)
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        _change(changed, rng.choice(pool)[1], rng)
    return rng.choice([port, port, port, rng.randrange(512)]), bytes(changed[:LARGEST_BYTES])


def _change(data: bytearray, other: bytes, rng: random.Random) -> None:
    at = rng.randrange(len(data) + 1)
    match rng.randrange(8):
        case 0 if at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        case 1 if at < len(data):
            data[at] = rng.choice(_BYTES)
        case 2 if at + 2 <= len(data):  # where a length, a type or a checksum may be
            data[at : at + 2] = rng.choice([*_LENGTHS, len(data) - at]).to_bytes(2, "big")
        case 3:
            del data[at:]
        case 4:  # a header once more
            end = min(len(data), at + rng.choice([2, 4, 8, 14, 20, 40]))
            data[at:at] = data[at:end]
        case 5:
            data[at:] = other[rng.randrange(len(other) + 1) :]
        case 6:
            data[at:at] = rng.randbytes(rng.choice([1, 4, 64, 1500]))
        case _:
            data[:] = rng.randbytes(rng.randrange(128))
