# SPDX-License-Identifier: Apache-2.0
"""Parser value sets, MODIFYed as a whole and read (specification 9.6)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from softnic.engine import PackedMatch

from .. import bits
from ..errors import already_exists, at, exhausted, unimplemented
from ..keys import KeyCodec
from ..pipeline import Pipeline
from ..schema import Field, MatchType, ValueSet
from .arrays import require_modify

Type = p4r.Update.Type


def write(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.ValueSetEntry) -> None:
    """Replace all members."""
    value_set = pipeline.schema.value_set(message.value_set_id)
    with pipeline.calling(f"value set {value_set.name}") as engine:
        require_modify(update_type)
        if len(message.members) > value_set.size:
            raise exhausted(f"{len(message.members)} members are given; its size is {value_set.size}")
        members: list[tuple[int, ...]] = []
        for index, member in enumerate(message.members):
            with at(f"members[{index}]"):
                values = _decode_member(value_set, member)
                if values in members:
                    raise already_exists("is given twice")
            members.append(values)
        engine.set_value_set(value_set.name, members)


def _decode_member(value_set: ValueSet, member: p4r.ValueSetMember) -> tuple[int, ...]:
    codec = KeyCodec(value_set.fields)
    parts = codec.parts(codec.decode(member.match))
    return tuple(_only_value(field, key, mask) for field, (key, mask) in zip(value_set.fields, parts, strict=True))


def _only_value(field: Field, key: bytes, mask: bytes) -> int:
    """The one value that the field matches: p4c says of matches of several that BMv2 JSON has none of them."""
    if field.match_type != MatchType.EXACT and mask != _exact_mask(field, key):
        raise unimplemented(
            f"match field {field.id} ({field.name}): BMv2 JSON has value sets with exact members only; "
            "give each value as a member of its own"
        )
    return int.from_bytes(key)


def _exact_mask(field: Field, key: bytes) -> bytes:
    return key if field.match_type == MatchType.RANGE else bits.ones(field.width)


def read(pipeline: Pipeline, message: p4r.ValueSetEntry) -> Iterator[p4r.Entity]:
    """One value set, or (id 0) all of them, with their members."""
    schema = pipeline.schema
    for value_set in [schema.value_set(message.value_set_id)] if message.value_set_id else schema.value_sets.values():
        with pipeline.lock:
            members = pipeline.engine.value_set(value_set.name)
        yield p4r.Entity(
            value_set_entry=p4r.ValueSetEntry(
                value_set_id=value_set.id, members=[_encode_member(value_set, values) for values in members]
            )
        )


def _encode_member(value_set: ValueSet, values: tuple[int, ...]) -> p4r.ValueSetMember:
    keys = [value.to_bytes((field.width + 7) // 8) for field, value in zip(value_set.fields, values, strict=True)]
    masks = [_exact_mask(field, key) for field, key in zip(value_set.fields, keys, strict=True)]
    member = p4r.ValueSetMember()
    KeyCodec(value_set.fields).encode(PackedMatch(b"".join(keys), b"".join(masks)), member.match)
    return member
