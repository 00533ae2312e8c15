# SPDX-License-Identifier: Apache-2.0
"""Match fields of P4Runtime messages to packed matches and back, by the rules of specification section 9.1.1.

A `KeyCodec` is made once for a table. Decoding accepts what the specification lets a client send; encoding gives the
canonical form, in which don't-care fields are left out and byte strings are as short as can be.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar, Protocol

from finsy.proto import p4r

from softnic.engine import PackedMatch

from . import bits
from .errors import P4RuntimeError, invalid
from .schema import Field, MatchType

Part = tuple[bytes, bytes]
"""What one field is of a match's key and of its mask."""


class FieldMatches(Collection[p4r.FieldMatch], Protocol):
    """The repeated field ``match`` of an entry."""

    def add(self) -> p4r.FieldMatch: ...


class KeyCodec:
    """The match of a table with these `fields`."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields: list[_FieldCodec] = []
        start = 0
        for field in fields:
            self._fields.append(_CODECS[field.match_type](field, start))
            start = self._fields[-1].end
        self._ids = [field.id for field in fields]
        self._has_masks = any(field.match_type != MatchType.EXACT for field in fields)
        self._has_priority = any(field.match_type not in (MatchType.EXACT, MatchType.LPM) for field in fields)

    def decode(self, match: Collection[p4r.FieldMatch], priority: int = 0) -> PackedMatch:
        """A field that is left out becomes its don't-care.

        Raises INVALID_ARGUMENT for an unknown, repeated or missing field and for a value against the specification.
        """
        keys: list[bytes] = []
        masks: list[bytes] = []
        for field, item in zip(self._fields, self._in_order(match), strict=True):
            try:
                key, mask = field.decode(item) if item is not None else field.without_item()
            except P4RuntimeError as error:
                raise field.refusal(item, error) from None
            keys.append(key)
            masks.append(mask)
        return PackedMatch(b"".join(keys), b"".join(masks) if self._has_masks else b"", priority)

    def _in_order(self, match: Collection[p4r.FieldMatch]) -> Sequence[p4r.FieldMatch | None]:
        """One item for each field, None where it is left out. Raises as `decode` does."""
        items = list(match)
        if [item.field_id for item in items] == self._ids:
            return items
        given = {item.field_id: item for item in items}
        if len(given) != len(items):
            raise _given_twice(items)
        ordered = [given.pop(id_, None) for id_ in self._ids]
        if given:
            names = ", ".join(f"{field.id} ({field.name})" for field in self._fields) or "none"
            raise invalid(f"no match field has id {min(given)}; the fields are {names}")
        return ordered

    def decode_whole(self, message: p4r.TableEntry) -> PackedMatch:
        """The match of one entry, with its priority, which is positive where the key needs one and else 0 (9.1)."""
        priority = message.priority
        if self._has_priority and priority <= 0:
            raise invalid(f"priority is {priority}; a table with ternary, range or optional fields needs one above 0")
        if not self._has_priority and priority != 0:
            raise invalid(f"priority is {priority}; a table with only exact and lpm fields must leave it 0")
        return self.decode(message.match, priority)

    def encode(self, match: PackedMatch, into: FieldMatches) -> None:
        """Append the fields that care, in the order of the table."""
        for field in self._fields:
            key, mask = field.part_of(match)
            if (key, mask) != field.dont_care:
                item = into.add()
                item.field_id = field.id
                field.encode(key, mask, item)

    def parts(self, match: PackedMatch) -> Sequence[Part]:
        """Field by field."""
        return [field.part_of(match) for field in self._fields]

    def describe(self, match: PackedMatch) -> str:
        """The match for people: ``dst=0xa000000/8, proto=0x6, priority 10``."""
        texts = [
            f"{field.name}={field.describe(*map(int.from_bytes, part))}"
            for field, part in zip(self._fields, self.parts(match), strict=True)
            if part != field.dont_care
        ]
        if match.priority:
            texts.append(f"priority {match.priority}")
        return ", ".join(texts) or "(matches everything)"


def _given_twice(match: Collection[p4r.FieldMatch]) -> P4RuntimeError:
    ids = [item.field_id for item in match]
    return invalid(f"match field {next(id_ for id_ in ids if ids.count(id_) > 1)} is given twice")


class _FieldCodec(ABC):
    """One field. `start` and `end` bound its bytes in the key and in the mask."""

    kind: ClassVar[str]
    """The member of ``FieldMatch`` that it takes."""

    def __init__(self, field: Field, start: int) -> None:
        self.id = field.id
        self.name = field.name
        self.width = field.width
        self.ones = bits.ones(field.width)
        self.zeros = bytes(len(self.ones))
        self.start = start
        self.end = start + len(self.ones)
        self.dont_care: Part | None = (self.zeros, self.zeros)

    def without_item(self) -> Part:
        """Of a field that is left out. Raises INVALID_ARGUMENT."""
        if self.dont_care is None:
            raise invalid("is missing; an exact field needs a value")
        return self.dont_care

    def refusal(self, item: p4r.FieldMatch | None, error: P4RuntimeError) -> P4RuntimeError:
        """What is wrong with `item`, of which decoding raised `error`."""
        # A match of another kind ends here too: its member of our kind is empty, which no kind allows.
        if item is not None and (kind := item.WhichOneof("field_match_type")) != self.kind:
            error = invalid(f"is {kind or 'unset'}; the table has it as {self.kind}")
        return error.at(f"match field {self.id} ({self.name})")

    def part_of(self, match: PackedMatch) -> Part:
        return match.key[self.start : self.end], match.mask[self.start : self.end]

    @abstractmethod
    def decode(self, item: p4r.FieldMatch) -> Part:
        """Raises INVALID_ARGUMENT."""

    @abstractmethod
    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None: ...

    @abstractmethod
    def describe(self, key: int, mask: int) -> str: ...


class _Exact(_FieldCodec):
    kind = "exact"

    def __init__(self, field: Field, start: int) -> None:
        super().__init__(field, start)
        self.dont_care = None

    def decode(self, item: p4r.FieldMatch) -> Part:
        return bits.padded(item.exact.value, self.ones), self.ones

    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None:
        item.exact.value = bits.shortest(key)

    def describe(self, key: int, mask: int) -> str:
        return f"{key:#x}"


class _Lpm(_FieldCodec):
    kind = "lpm"

    def decode(self, item: p4r.FieldMatch) -> Part:
        lpm = item.lpm
        prefix_len = lpm.prefix_len
        if prefix_len == 0:
            raise invalid("prefix length is 0; leave the field out to match everything")
        if not 0 < prefix_len <= self.width:
            raise invalid(f"prefix length {prefix_len} is not in 1..{self.width}")
        key = bits.padded(lpm.value, self.ones)
        free = (1 << self.width - prefix_len) - 1
        if (value := int.from_bytes(key)) & free:
            raise invalid(f"value {value:#x} has bits set beyond its prefix of {prefix_len}")
        return key, ((1 << self.width) - 1 ^ free).to_bytes(len(key))

    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None:
        item.lpm.value = bits.shortest(key)
        item.lpm.prefix_len = int.from_bytes(mask).bit_count()

    def describe(self, key: int, mask: int) -> str:
        return f"{key:#x}/{mask.bit_count()}"


class _Ternary(_FieldCodec):
    kind = "ternary"

    def decode(self, item: p4r.FieldMatch) -> Part:
        ternary = item.ternary
        key, mask = bits.padded(ternary.value, self.ones), bits.padded(ternary.mask, self.ones)
        if mask == self.zeros:
            raise invalid("mask is 0; leave the field out to match everything")
        value, cares = int.from_bytes(key), int.from_bytes(mask)
        if value | cares != cares:
            raise invalid(f"value {value:#x} has bits set that its mask {cares:#x} does not have")
        return key, mask

    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None:
        item.ternary.value = bits.shortest(key)
        item.ternary.mask = bits.shortest(mask)

    def describe(self, key: int, mask: int) -> str:
        return f"{key:#x}&&&{mask:#x}"


class _Range(_FieldCodec):
    """The low end stands in the key, the high end in the mask."""

    kind = "range"

    def __init__(self, field: Field, start: int) -> None:
        super().__init__(field, start)
        self.dont_care = (self.zeros, self.ones)

    def decode(self, item: p4r.FieldMatch) -> Part:
        low, high = bits.padded(item.range.low, self.ones), bits.padded(item.range.high, self.ones)
        if low > high:
            raise invalid(f"low {int.from_bytes(low):#x} is above high {int.from_bytes(high):#x}")
        if (low, high) == self.dont_care:
            raise invalid("is the full range; leave the field out to match everything")
        return low, high

    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None:
        item.range.low = bits.shortest(key)
        item.range.high = bits.shortest(mask)

    def describe(self, key: int, mask: int) -> str:
        return f"{key:#x}..{mask:#x}"


class _Optional(_FieldCodec):
    kind = "optional"

    def decode(self, item: p4r.FieldMatch) -> Part:
        return bits.padded(item.optional.value, self.ones), self.ones

    def encode(self, key: bytes, mask: bytes, item: p4r.FieldMatch) -> None:
        item.optional.value = bits.shortest(key)

    def describe(self, key: int, mask: int) -> str:
        return f"{key:#x}&&&{mask:#x}"


_CODECS: dict[MatchType.ValueType, type[_FieldCodec]] = {
    MatchType.EXACT: _Exact,
    MatchType.LPM: _Lpm,
    MatchType.TERNARY: _Ternary,
    MatchType.RANGE: _Range,
    MatchType.OPTIONAL: _Optional,
}
