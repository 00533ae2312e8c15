# SPDX-License-Identifier: Apache-2.0
"""Where a packet's headers and metadata stand in the generated ``struct packet``.

Headers are stored as on the wire, varbit field included, so that extracting, emitting and comparing one is a single
copy or compare; metadata is a C struct of native integers. Storage of an invalid header is all zero. Elements of a
stack stand in one array with one element more, *void*: what an index out of range selects, never valid, never written.

A header whose bytes are known one by one to the C compiler is an array of words (snic_words.h): what is stored in a
word is loaded as a word, and a packet that consists of words and integers alone can stay in registers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from softnic import ir

from .errors import UnsupportedError
from .names import Names

MAX_NATIVE_WIDTH = 128
"""Wider metadata fields are big-endian byte arrays."""

_MAX_WORDS = 8
"""As many as snic_words.h unrolls."""


@dataclass(frozen=True, slots=True)
class Place:
    """One header instance in C.

    Attributes:
        type: the header's type.
        storage: the bytes (``p->ethernet``, ``p->vlan[at]``), or the struct of native members if not `wire`.
        wire: stored as on the wire.
        bit: number of the validity bit, C text; None for metadata, which is always valid.
        varbit_bits: lvalue of the current width of the varbit field, a ``uint32_t``.
        exists: C condition that this is not the void element; None where it can't be.
        siblings: other members of its union.
        members: names of the native members, by field index, if not `wire`.
        words: `wire`, in an array of ``uint64_t`` instead of bytes; of fixed width.
    """

    type: ir.HeaderType
    storage: str
    wire: bool
    bit: str | None
    varbit_bits: str | None = None
    exists: str | None = None
    siblings: tuple[Place, ...] = ()
    members: tuple[str, ...] = ()
    words: bool = False

    @property
    def is_valid(self) -> str:
        """C condition."""
        return "true" if self.bit is None else f"snic_bit(p->valid, {self.bit})"

    @property
    def word_count(self) -> int:
        """Of the storage, if it is `words`."""
        return _room(self.type) // 8

    @property
    def size(self) -> str:
        """C text of its bytes on the wire while it is valid."""
        fixed = f"{self.type.fixed_width // 8}u"
        return fixed if self.varbit_bits is None else f"({fixed} + {self.varbit_bits} / 8)"

    def make_valid(self) -> list[str]:
        """Statements: the header becomes valid, its bytes stay, other members of its union become invalid.

        Not for the void element: test `exists` first.
        """
        if self.bit is None:
            return []
        cleared = [line for sibling in self.siblings for line in sibling.make_invalid()]
        return [*cleared, f"snic_set_bit(p->valid, {self.bit});"]

    def make_invalid(self) -> list[str]:
        """Statements: the header becomes invalid and all zero. Metadata stays as it is."""
        if self.bit is None:
            return []
        lines = [f"memset({self.storage}, 0, sizeof {self.storage});", f"snic_clear_bit(p->valid, {self.bit});"]
        if self.varbit_bits is not None:
            lines.insert(1, f"{self.varbit_bits} = 0;")
        return lines


@dataclass(frozen=True, slots=True)
class _Row:
    """A stack in C: for each member (a header stack has one) an array and the elements' validity bits, in a row."""

    arrays: tuple[str, ...]
    bits: tuple[str, ...]
    varbits: tuple[str | None, ...]
    types: tuple[ir.HeaderType, ...]
    depth: int


class Layout:
    """The generated part of ``struct packet``.

    Attributes:
        members: its C members, in order.
        constants: constants at file scope that places refer to.
        in_registers: everything is words and integers, none of which is chosen at run time.
    """

    def __init__(self, program: ir.Program) -> None:
        self._program = program
        self._names = Names(("base", "valid", "stack_size"))
        self._constant_names = Names()
        self._rows: dict[int, _Row] = {}
        self._places: dict[int, Place] = {}
        self._bits = 0
        self._members: list[str] = []
        self._constants: list[str] = []
        self.in_registers = True
        self._lay_out()
        self.members = [f"uint64_t valid[{self._bits // 64 + 1}];", *self._members]
        self.constants = ["enum {", *self._constants, f"    VALIDITY_BITS = {self._bits},", "};"]

    # ---- what others ask --------------------------------------------------------------------------------------------

    @property
    def function(self) -> str:
        """How C functions that a packet runs through begin: a packet stays in registers only if all are inlined."""
        return "SNIC_FOLDED" if self.in_registers else "static inline"

    def place(self, header: ir.Header) -> Place:
        return self._places[header.index]

    def element(self, stack: ir.AnyStack, at: str, member: int = 0) -> Place:
        """``stack[at]``, or member number `member` of the union there. `at`: C text, 0 .. depth, depth being void."""
        row = self._rows[self._number(stack)]
        everything = [self._element(row, at, number) for number in range(len(row.arrays))]
        others = tuple(place for number, place in enumerate(everything) if number != member)
        mine = everything[member]
        return Place(mine.type, mine.storage, True, mine.bit, mine.varbit_bits, f"{at} < {row.depth}", others)

    def member_count(self, stack: ir.AnyStack) -> int:
        """1 for a stack of headers, else the members of each union."""
        return len(self._rows[self._number(stack)].arrays)

    def stack_size(self, stack: ir.AnyStack) -> str:
        """How many elements it holds: an lvalue."""
        return f"p->stack_size[{self._number(stack)}]"

    def keep_metadata(self, fields: ir.FieldList | None, origin: str) -> list[str]:
        """Statements: all metadata of `p` but `fields` is cleared; those come from ``struct packet *origin``."""
        lines: list[str] = []
        for place in (self.place(header) for header in self._program.headers if header.metadata):
            lines.append(f"memset(&{place.storage}, 0, sizeof {place.storage});")
            lines += [f"{place.varbit_bits} = 0;"] if place.varbit_bits else []
        return lines + [line for ref in (fields.fields if fields else ()) for line in self._keep(ref, origin)]

    def _number(self, stack: ir.AnyStack) -> int:
        """Header stacks first, then union stacks."""
        return stack.index if isinstance(stack, ir.HeaderStack) else len(self._program.stacks) + stack.index

    def _keep(self, ref: ir.FieldRef, origin: str) -> Iterator[str]:
        place, field = self.place(ref.header), ref.field
        theirs = place.storage.replace("p->", f"{origin}->", 1)
        if place.wire:
            raise UnsupportedError(f"{ref} of a header with a varbit field is kept with a copy of the packet")
        member = place.members[field.index]
        if field.width > MAX_NATIVE_WIDTH:
            yield f"memcpy({place.storage}.{member}, {theirs}.{member}, sizeof {place.storage}.{member});"
        else:
            yield f"{place.storage}.{member} = {theirs}.{member};"

    # ---- laying out -------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        program = self._program
        stacks: tuple[ir.AnyStack, ...] = (*program.stacks, *program.union_stacks)
        if stacks:
            self.in_registers = False
            self._members.append(f"uint16_t stack_size[{len(stacks)}];")
        in_stacks = {header.index for stack in stacks for column in _columns(stack) for header in column}
        in_unions = {member.index for union in program.unions for member in union.members}
        for header in program.headers:
            if header.metadata and header.index in in_stacks | in_unions:
                raise UnsupportedError(f"metadata {header.name!r} in a stack or a union")
        for header in program.headers:
            if header.index in in_stacks:
                continue
            native = header.metadata and header.type.varbit is None
            self._places[header.index] = self._native(header) if native else self._wire(header)
        for stack in stacks:
            self._stack(stack)
        for union in program.unions:
            self._union(union)

    def _bit(self, name: str, count: int = 1) -> str:
        """The constant that names the first of `count` validity bits."""
        constant = self._constant_names.unique(f"valid_{name}")
        self._constants.append(f"    {constant} = {self._bits},")
        self._bits += count
        return constant

    def _native(self, header: ir.Header) -> Place:
        name, names = self._names.unique(header.name), Names()
        members = tuple(names.unique(field.name) for field in header.type.fields)
        self._members.append("struct {")
        self._members += [f"    {_declaration(f, m)}" for f, m in zip(header.type.fields, members, strict=True)]
        if not members:
            self._members.append("    char unused;")
        self.in_registers &= all(field.width <= MAX_NATIVE_WIDTH for field in header.type.fields)
        self._members.append(f"}} {name};")
        return Place(header.type, f"p->{name}", False, None, members=members)

    def _wire(self, header: ir.Header) -> Place:
        name = self._names.unique(header.name)
        if _fits_words(header.type):
            self._members.append(f"uint64_t {name}[{_room(header.type) // 8}];")
            return Place(header.type, f"p->{name}", True, self._bit(header.name), words=True)
        self.in_registers = False
        self._members.append(f"_Alignas(8) uint8_t {name}[{_room(header.type)}];")
        bits = self._varbit_bits(name, header.type, "")
        bit = None if header.metadata else self._bit(header.name)
        return Place(header.type, f"p->{name}", True, bit, bits and f"p->{bits}")

    def _varbit_bits(self, name: str, header_type: ir.HeaderType, dimension: str) -> str | None:
        """The member with the current width of the varbit field of the header(s) in member `name`."""
        if header_type.varbit is None:
            return None
        bits = self._names.unique(f"{name}_varbit_bits")
        self._members.append(f"uint32_t {bits}{dimension};")
        return bits

    def _stack(self, stack: ir.AnyStack) -> None:
        columns = _columns(stack)
        depth = len(stack.elements)
        suffixes = [""] if isinstance(stack, ir.HeaderStack) else [f".{n}" for n in stack.elements[0].member_names]
        arrays: list[str] = []
        bits: list[str] = []
        varbits: list[str | None] = []
        for column, suffix in zip(columns, suffixes, strict=True):
            name = self._names.unique(stack.name + suffix)
            self._members.append(f"_Alignas(8) uint8_t {name}[{depth + 1}][{_room(column[0].type)}];")
            arrays.append(name)
            bits.append(self._bit(stack.name + suffix, depth + 1))
            varbits.append(self._varbit_bits(name, column[0].type, f"[{depth + 1}]"))
        types = tuple(column[0].type for column in columns)
        row = _Row(tuple(arrays), tuple(bits), tuple(varbits), types, depth)
        self._rows[self._number(stack)] = row
        for at in range(depth):
            for member, column in enumerate(columns):
                self._add_element(row, column[at], at, member)

    def _add_element(self, row: _Row, header: ir.Header, at: int, member: int) -> None:
        if header.index in self._places or header.type != row.types[member]:
            raise UnsupportedError(f"header {header.name!r} is an element of two stacks, or not of its stack's type")
        self._places[header.index] = self._element(row, str(at), member)

    def _element(self, row: _Row, at: str, member: int) -> Place:
        varbit = row.varbits[member]
        bit = f"{row.bits[member]} + {at}"
        return Place(row.types[member], f"p->{row.arrays[member]}[{at}]", True, bit, varbit and f"p->{varbit}[{at}]")

    def _union(self, union: ir.HeaderUnion) -> None:
        places = [self._places[member.index] for member in union.members]
        for number, (member, place) in enumerate(zip(union.members, places, strict=True)):
            others = tuple(other for index, other in enumerate(places) if index != number)
            self._places[member.index] = Place(
                place.type, place.storage, True, place.bit, place.varbit_bits, siblings=others, words=place.words
            )


def _columns(stack: ir.AnyStack) -> list[list[ir.Header]]:
    """The headers of a stack: for each member of an element, one from each element."""
    if isinstance(stack, ir.HeaderStack):
        return [list(stack.elements)]
    return [list(column) for column in zip(*(union.members for union in stack.elements), strict=True)]


def _room(header_type: ir.HeaderType) -> int:
    """Bytes of wire storage: the longest form, in whole words."""
    width = header_type.fixed_width + (header_type.varbit.width if header_type.varbit else 0)
    return max(8, (width + 63) // 64 * 8)


def _fits_words(header_type: ir.HeaderType) -> bool:
    """Metadata is in words only if it has a varbit field, and then it is not."""
    if header_type.varbit is not None or _room(header_type) > 8 * _MAX_WORDS:
        return False
    return all(field.width <= MAX_NATIVE_WIDTH for field in header_type.fields)


def _declaration(field: ir.Field, member: str) -> str:
    if field.width > MAX_NATIVE_WIDTH:
        return f"uint8_t {member}[{(field.width + 7) // 8}];"
    return f"{native_type(field.width, field.signed)} {member};"


def native_type(width: int, signed: bool) -> str:
    """The smallest C integer type of at least `width` bits (1 .. 128)."""
    bits = next(bits for bits in (8, 16, 32, 64, 128) if width <= bits)
    if bits == 128:
        return "snic_i128" if signed else "snic_u128"
    return f"{'' if signed else 'u'}int{bits}_t"
