# SPDX-License-Identifier: Apache-2.0
"""How an entry is found: a dictionary for exact keys, one per length for prefixes, an ordered list for the rest.

A key is one number, its fields side by side; the lpm field, if there is one, comes last. An index stores anything that
hashes; it neither knows what an entry is nor copies it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from softnic import ir
from softnic.engine import Exact, KeyMatch, Lpm, Range, Ternary

E = TypeVar("E")


class KeyPacker:
    """Puts the fields of a table's key into one number."""

    def __init__(self, key: Sequence[ir.KeyField]) -> None:
        self.key = key
        order = sorted(range(len(key)), key=lambda i: key[i].kind is ir.MatchKind.LPM)
        self.shifts = [0] * len(key)
        total = 0
        for index in reversed(order):
            self.shifts[index] = total
            total += key[index].width
        self.lpm_width = sum(field.width for field in key if field.kind is ir.MatchKind.LPM)

    def pack(self, values: Iterable[int]) -> int:
        """One value for each field, in the order of the table."""
        packed = 0
        for value, field, shift in zip(values, self.key, self.shifts, strict=True):
            packed |= (value & field.mask) << shift
        return packed

    def masked(self, key: tuple[KeyMatch, ...]) -> tuple[KeyMatch, ...]:
        """`key` without the bits that the table's own masks exclude.

        As in BMv2, only a match's value is cut, not its mask nor the upper end of a range.
        """
        return tuple(_masked(match, field.mask) for match, field in zip(key, self.key, strict=True))


class Index(Protocol[E]):
    """`find` takes a packed key of a packet; `add` and `remove` the key, as masked, and priority of an entry."""

    def find(self, packed: int) -> E | None: ...
    def add(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None: ...
    def remove(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None: ...


class ExactIndex(Generic[E]):
    def __init__(self, packer: KeyPacker) -> None:
        self._packer = packer
        self._entries: dict[int, E] = {}

    def find(self, packed: int) -> E | None:
        return self._entries.get(packed)

    def add(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        self._entries[self._packer.pack(map(_value, key))] = entry

    def remove(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        del self._entries[self._packer.pack(map(_value, key))]


class PrefixIndex(Generic[E]):
    """The longest prefix wins; the other fields are exact."""

    def __init__(self, packer: KeyPacker) -> None:
        self._packer = packer
        self._by_shift: dict[int, dict[int, E]] = {}
        self._longest_first: list[tuple[int, dict[int, E]]] = []

    def find(self, packed: int) -> E | None:
        for shift, entries in self._longest_first:
            entry = entries.get(packed >> shift)
            if entry is not None:
                return entry
        return None

    def add(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        packed, shift = self._place(key)
        self._by_shift.setdefault(shift, {})[packed] = entry
        self._longest_first = sorted(self._by_shift.items())

    def remove(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        packed, shift = self._place(key)
        del self._by_shift[shift][packed]
        if not self._by_shift[shift]:
            del self._by_shift[shift]
            self._longest_first = sorted(self._by_shift.items())

    def _place(self, key: tuple[KeyMatch, ...]) -> tuple[int, int]:
        shift = next(self._packer.lpm_width - match.prefix_len for match in key if isinstance(match, Lpm))
        return self._packer.pack(map(_value, key)) >> shift, shift


class PriorityIndex(Generic[E]):
    """The entry of the highest priority wins; of equals, the one that was there first."""

    def __init__(self, packer: KeyPacker) -> None:
        self._packer = packer
        self._rows: list[tuple[int, int, int, tuple[tuple[int, int, int, int], ...], E]] = []
        """Negated priority, value, mask, ranges (shift, field mask, low, high), entry."""

    def find(self, packed: int) -> E | None:
        for _, value, mask, ranges, entry in self._rows:
            if packed & mask == value and (
                not ranges or all(low <= packed >> shift & ones <= high for shift, ones, low, high in ranges)
            ):
                return entry
        return None

    def add(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        value = mask = 0
        ranges: list[tuple[int, int, int, int]] = []
        for match, field, shift in zip(key, self._packer.key, self._packer.shifts, strict=True):
            ones = (1 << field.width) - 1
            if isinstance(match, Range):
                ranges.append((shift, ones, match.low, match.high))
            else:
                bits = _mask(match, field.width) & field.mask
                mask |= bits << shift
                value |= (match.value & bits) << shift
        bisect.insort(self._rows, (-priority, value, mask, tuple(ranges), entry), key=lambda row: row[0])

    def remove(self, key: tuple[KeyMatch, ...], priority: int, entry: E) -> None:
        self._rows = [row for row in self._rows if row[4] is not entry]


def index_for(table: ir.Table, packer: KeyPacker) -> Index:
    """The index that `table`'s match kind needs."""
    match table.match_kind:
        case ir.MatchKind.TERNARY | ir.MatchKind.RANGE:
            return PriorityIndex(packer)
        case ir.MatchKind.LPM:
            return PrefixIndex(packer)
        case _:
            return ExactIndex(packer)


def _masked(match: KeyMatch, mask: int) -> KeyMatch:
    match match:
        case Exact(value):
            return Exact(value & mask)
        case Lpm(value, prefix_len):
            return Lpm(value & mask, prefix_len)
        case Ternary(value, own_mask):
            return Ternary(value & mask, own_mask)
        case Range(low, high):
            return Range(low & mask, high)


def _value(match: KeyMatch) -> int:
    return match.low if isinstance(match, Range) else match.value


def _mask(match: Exact | Lpm | Ternary, width: int) -> int:
    match match:
        case Ternary(mask=mask):
            return mask
        case Lpm(prefix_len=length):
            return (1 << width) - (1 << (width - length))
        case Exact():
            return (1 << width) - 1
