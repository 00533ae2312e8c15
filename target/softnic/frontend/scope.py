# SPDX-License-Identifier: Apache-2.0
"""The names a program declares, and the objects they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from softnic import ir

from .mirror import SourceInfo
from .trail import Trail

K = TypeVar("K")
T = TypeVar("T")

VALID_BIT = "$valid$"
"""BMv2's hidden field of every header: its validity, as one read-only bit."""


@dataclass(slots=True)
class Scope:
    """Filled section by section, in the order in which later sections need it."""

    trail: Trail = field(default_factory=Trail)
    header_types: dict[str, ir.HeaderType] = field(default_factory=dict)
    headers: dict[str, ir.Header] = field(default_factory=dict)
    headers_by_id: dict[int, ir.Header] = field(default_factory=dict)
    stacks: dict[str, ir.HeaderStack] = field(default_factory=dict)
    unions: dict[str, ir.HeaderUnion] = field(default_factory=dict)
    unions_by_id: dict[int, ir.HeaderUnion] = field(default_factory=dict)
    union_stacks: dict[str, ir.HeaderUnionStack] = field(default_factory=dict)
    aliases: dict[str, tuple[str, str]] = field(default_factory=dict)
    counters: dict[str, ir.Counter] = field(default_factory=dict)
    meters: dict[str, ir.Meter] = field(default_factory=dict)
    direct_meters: dict[str, ir.DirectMeter] = field(default_factory=dict)
    direct_counters: dict[str, str] = field(default_factory=dict)
    """Their names, by table."""
    registers: dict[str, ir.Register] = field(default_factory=dict)
    value_sets: dict[str, ir.ValueSet] = field(default_factory=dict)
    calculations: dict[str, ir.Calculation] = field(default_factory=dict)
    learn_lists: dict[int, ir.LearnList] = field(default_factory=dict)
    field_lists: dict[int, ir.FieldList] = field(default_factory=dict)
    actions: dict[int, ir.Action] = field(default_factory=dict)
    profiles: dict[str, ir.ActionProfile] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)
    params: tuple[ir.ActionParam, ...] = ()
    """Of the action being lowered."""
    in_parser: bool = False

    def find(self, table: Mapping[K, T], what: str, key: K) -> T:
        """What `key` names. Raises: ProgramError."""
        try:
            return table[key]
        except KeyError:
            raise self.trail.error(f"there is no {what} {key!r}") from None

    def add(self, table: dict[K, T], what: str, key: K, value: T) -> None:
        """Declare `key`. Raises: ProgramError if it is taken."""
        if key in table:
            raise self.trail.error(f"{what} {key!r} is declared twice")
        table[key] = value

    def field_ref(self, header_name: str, field_name: str) -> ir.FieldRef:
        """A field that exists. Raises: ProgramError."""
        header = self.find(self.headers, "header", header_name)
        return ir.FieldRef(header, self.field_of_type(header.type, field_name))

    def field_of_type(self, header_type: ir.HeaderType, field_name: str) -> ir.Field:
        for candidate in header_type.fields:
            if candidate.name == field_name:
                return candidate
        raise self.trail.error(f"header type {header_type.name!r} has no field {field_name!r}")

    def field_value(self, header_name: str, field_name: str) -> ir.Expr:
        """A field as it may be read: `field_ref`, or the hidden validity bit."""
        if field_name == VALID_BIT:
            return ir.Unary("b2d", ir.IsValid(ir.HeaderRef(self.find(self.headers, "header", header_name))))
        return self.field_ref(header_name, field_name)

    def hex(self, digits: str) -> int:
        """The number a hexstr stands for: an optional minus, an optional 0x. Raises: ProgramError."""
        try:
            return int(digits, 16)
        except ValueError:
            raise self.trail.error(f"{digits!r} is not a hexadecimal number") from None

    def unsigned(self, digits: str, width: int) -> int:
        """A hexstr that fits in `width` bits. Raises: ProgramError."""
        value = self.hex(digits)
        if not 0 <= value < 1 << width:
            raise self.trail.error(f"{digits!r} does not fit in {width} bits")
        return value


def source_of(info: SourceInfo | None) -> ir.Source | None:
    return None if info is None else ir.Source(info.filename, info.line, info.column, info.source_fragment)
