# SPDX-License-Identifier: Apache-2.0
"""Entries as values and as byte strings: how one form becomes the other (see `softnic.engine.PackedMatch`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from softnic import ir
from softnic.engine import (
    ActionCall,
    EntryAction,
    Exact,
    KeyMatch,
    Lpm,
    PackedAction,
    PackedCall,
    PackedEntry,
    PackedMatch,
    Range,
    TableEntry,
    Ternary,
)


def byte_size(width: int) -> int:
    """How many bytes hold `width` bits."""
    return (width + 7) // 8


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one match field stands in the packed key and mask."""

    kind: ir.MatchKind
    start: int
    end: int
    width: int

    def pack(self, match: KeyMatch) -> tuple[bytes, bytes]:
        size, ones = self.end - self.start, (1 << self.width) - 1
        match match:
            case Exact(value):
                key, mask = value, ones
            case Lpm(value, prefix_len):
                key, mask = value, ones ^ (ones >> prefix_len)
            case Ternary(value, mask):
                key = value
            case Range(low, high):
                key, mask = low, high
        return key.to_bytes(size, "big"), mask.to_bytes(size, "big")

    def unpack(self, match: PackedMatch) -> KeyMatch:
        key = int.from_bytes(match.key[self.start : self.end], "big")
        if self.kind in (ir.MatchKind.EXACT, ir.MatchKind.VALID):
            return Exact(key)
        mask = int.from_bytes(match.mask[self.start : self.end], "big")
        match self.kind:
            case ir.MatchKind.LPM:
                return Lpm(key, mask.bit_count())
            case ir.MatchKind.TERNARY:
                return Ternary(key, mask)
            case _:
                return Range(key, mask)


class KeyLayout:
    """How the match fields of a table, each a kind and a width in bits, lie side by side."""

    def __init__(self, fields: Iterable[tuple[ir.MatchKind, int]]) -> None:
        places: list[_Place] = []
        size = 0
        for kind, width in fields:
            places.append(_Place(kind, size, size + byte_size(width), width))
            size = places[-1].end
        self._places = tuple(places)
        self._has_masks = any(place.kind not in (ir.MatchKind.EXACT, ir.MatchKind.VALID) for place in places)

    def pack(self, key: Sequence[KeyMatch], priority: int = 0) -> PackedMatch:
        """`key` has one element for each field, in order."""
        packed = [place.pack(match) for place, match in zip(self._places, key, strict=True)]
        masks = b"".join(mask for _, mask in packed) if self._has_masks else b""
        return PackedMatch(b"".join(value for value, _ in packed), masks, priority)

    def unpack(self, match: PackedMatch) -> tuple[KeyMatch, ...]:
        """The key of `match`, without its priority."""
        return tuple(place.unpack(match) for place in self._places)


class TableLayout:
    """The keys of a table and the arguments of its actions."""

    def __init__(self, table: ir.Table) -> None:
        self.key = KeyLayout((field.kind, field.width) for field in table.key)
        self._arg_sizes = {
            action.action.name: tuple(byte_size(param.width) for param in action.action.params)
            for action in table.actions
        }

    def pack(self, entry: TableEntry) -> PackedEntry:
        return PackedEntry(
            self.key.pack(entry.key, entry.priority), self.pack_action(entry.action), entry.idle_timeout_ns
        )

    def unpack(self, entry: PackedEntry) -> TableEntry:
        return TableEntry(
            self.key.unpack(entry.match),
            self.unpack_action(entry.action),
            entry.match.priority,
            entry.idle_timeout_ns,
        )

    def pack_action(self, action: EntryAction) -> PackedAction:
        """Of an action of the table; members and groups are as they were."""
        if not isinstance(action, ActionCall):
            return action
        sizes = self._arg_sizes[action.action]
        args = (value.to_bytes(size, "big") for value, size in zip(action.args, sizes, strict=True))
        return PackedCall(action.action, b"".join(args))

    def unpack_action(self, action: PackedAction) -> EntryAction:
        """The reverse of `pack_action`."""
        if not isinstance(action, PackedCall):
            return action
        args: list[int] = []
        start = 0
        for size in self._arg_sizes[action.action]:
            args.append(int.from_bytes(action.args[start : start + size], "big"))
            start += size
        return ActionCall(action.action, tuple(args))
