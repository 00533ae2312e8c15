# SPDX-License-Identifier: Apache-2.0
"""P4Data, the self-describing values of registers and digests, laid out as P4Info's type specifications say.

An engine knows values as a flat sequence of integers. A `Layout` is the tree that folds them into a P4Data message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from finsy.proto import p4d, p4t

from . import bits
from .errors import invalid


@dataclass(frozen=True, slots=True)
class Bits:
    """``bit<width>``, or ``int<width>`` when `signed`."""

    width: int
    signed: bool = False

    def fill(self, values: Iterator[int], message: p4d.P4Data) -> None:
        value = next(values)
        message.bitstring = bits.encode_signed(value, self.width) if self.signed else bits.encode(value)


@dataclass(frozen=True, slots=True)
class Bool:
    def fill(self, values: Iterator[int], message: p4d.P4Data) -> None:
        message.bool = bool(next(values))


@dataclass(frozen=True, slots=True)
class SerializableEnum:
    width: int

    def fill(self, values: Iterator[int], message: p4d.P4Data) -> None:
        message.enum_value = bits.encode(next(values))


@dataclass(frozen=True, slots=True)
class Struct:
    members: tuple[Layout, ...]

    def fill(self, values: Iterator[int], message: p4d.P4Data) -> None:
        _fill_all(self.members, values, message.struct)


@dataclass(frozen=True, slots=True)
class Tuple:
    members: tuple[Layout, ...]

    def fill(self, values: Iterator[int], message: p4d.P4Data) -> None:
        _fill_all(self.members, values, message.tuple)


def _fill_all(layouts: Iterable[Layout], values: Iterator[int], message: p4d.P4StructLike) -> None:
    members = message.members
    message.SetInParent()  # also if there are none
    for layout in layouts:
        layout.fill(values, members.add())


Layout = Bits | Bool | SerializableEnum | Struct | Tuple
"""How one P4Data looks. `fill` takes as many of the values as it needs and puts them into an empty message."""


class UnsupportedTypeError(Exception):
    """A type that BMv2 JSON can't put into a register or a digest."""


def layout_of(spec: p4t.P4DataTypeSpec, types: p4t.P4TypeInfo) -> Layout:
    """Resolve the names in `spec`. Raises: UnsupportedTypeError."""
    match spec.WhichOneof("type_spec"):
        case "bitstring" if spec.bitstring.WhichOneof("type_spec") == "bit":
            return Bits(spec.bitstring.bit.bitwidth)
        case "bitstring" if spec.bitstring.WhichOneof("type_spec") == "int":
            return Bits(spec.bitstring.int.bitwidth, signed=True)
        case "bool":
            return Bool()
        case "struct" if spec.struct.name in types.structs:
            members = types.structs[spec.struct.name].members
            return Struct(tuple(layout_of(member.type_spec, types) for member in members))
        case "tuple":
            return Tuple(tuple(layout_of(member, types) for member in spec.tuple.members))
        case "serializable_enum" if spec.serializable_enum.name in types.serializable_enums:
            return SerializableEnum(types.serializable_enums[spec.serializable_enum.name].underlying_type.bitwidth)
        case "new_type" if (name := spec.new_type.name) in types.new_types:
            new_type = types.new_types[name]
            if not new_type.HasField("translated_type"):
                return layout_of(new_type.original_type, types)
            # Numbers are translated to themselves.
            if width := new_type.translated_type.sdn_bitwidth:
                return Bits(width)
            raise UnsupportedTypeError(f"type {name} is translated to strings, which is not supported")
        case kind:
            raise UnsupportedTypeError(f"type {kind or 'missing'} is not supported here")


def scalars(layout: Layout) -> int:
    """How many integers fill `layout`."""
    return sum(map(scalars, layout.members)) if isinstance(layout, Struct | Tuple) else 1


def encode(layout: Layout, values: Iterable[int]) -> p4d.P4Data:
    """Fold `values`, one for each scalar of `layout` in order, into a message."""
    message = p4d.P4Data()
    layout.fill(iter(values), message)
    return message


def decode_scalar(layout: Layout, data: p4d.P4Data) -> int:
    """The integer of a message that holds one scalar. Raises INVALID_ARGUMENT when `data` is not of that type."""
    match layout, data.WhichOneof("data"):
        case Bits(width, signed=True), "bitstring":
            return bits.decode_signed(data.bitstring, width)
        case Bits(width), "bitstring":
            return bits.decode(data.bitstring, width)
        case Bool(), "bool":
            return int(data.bool)
        case SerializableEnum(width), "enum_value":
            return bits.decode(data.enum_value, width)
        case _, kind:
            raise invalid(f"data is {kind or 'unset'}; P4Info's type_spec says {layout}")
