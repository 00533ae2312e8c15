# SPDX-License-Identifier: Apache-2.0
"""Orders without pattern that are the same every time and everywhere."""

from __future__ import annotations

import random

_ODD = 0x9E37_79B1  # an odd factor permutes the residues modulo a power of two

_SEED = 6


def scattered(index: int, bits: int) -> int:
    """A permutation of the `bits`-wide numbers that puts neighbours far apart."""
    return index * _ODD % (1 << bits)


def shuffled(count: int) -> list[int]:
    """0 to `count` - 1 in a scattered order."""
    order = list(range(count))
    random.Random(_SEED).shuffle(order)
    return order
