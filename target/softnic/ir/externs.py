# SPDX-License-Identifier: Apache-2.0
"""Extern arrays of a program: counters, meters, registers, and parser value sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .headers import Source


@dataclass(frozen=True, slots=True)
class Counter:
    """An indirect counter array; counts packets and bytes."""

    name: str
    size: int
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """An indirect meter array."""

    name: str
    unit: Literal["packets", "bytes"]
    size: int
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Register:
    name: str
    size: int
    width: int
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A parser value set. `width` is without the padding that several key fields get."""

    name: str
    width: int
    max_size: int
