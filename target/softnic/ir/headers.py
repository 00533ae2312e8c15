# SPDX-License-Identifier: Apache-2.0
"""The shape of a program's data: header types and their instances, stacks and unions."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import normpath


@dataclass(frozen=True, slots=True)
class Source:
    """Where in the P4 program something was written. `column` counts from 0, as p4c does."""

    file: str
    line: int
    column: int = 0
    fragment: str = ""

    def __str__(self) -> str:
        return f"{normpath(self.file)}:{self.line}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a header type.

    `offset` counts from the start of the header, a varbit field taken as empty; `width` of a varbit is its maximum.
    """

    index: int
    name: str
    offset: int
    width: int
    signed: bool = False
    saturating: bool = False
    varbit: bool = False


@dataclass(frozen=True, slots=True)
class HeaderType:
    """`fixed_width` is the width without the varbit field, of which there is at most one."""

    name: str
    fields: tuple[Field, ...]
    fixed_width: int
    varbit: Field | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A header instance, or a struct of metadata, which is always valid and never on the wire."""

    index: int
    name: str
    type: HeaderType
    metadata: bool


@dataclass(frozen=True, slots=True)
class HeaderStack:
    index: int
    name: str
    type: HeaderType
    elements: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class HeaderUnion:
    index: int
    name: str
    member_names: tuple[str, ...]
    members: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class HeaderUnionStack:
    index: int
    name: str
    elements: tuple[HeaderUnion, ...]


AnyStack = HeaderStack | HeaderUnionStack
