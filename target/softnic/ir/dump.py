# SPDX-License-Identifier: Apache-2.0
"""The IR as text, to be read and compared: each object in full where it is declared, and elsewhere by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from .expressions import FieldRef
from .externs import Counter, Meter, Register, ValueSet
from .headers import Header, HeaderStack, HeaderType, HeaderUnion, HeaderUnionStack, Source
from .program import Program
from .statements import Calculation, FieldList, LearnList
from .tables import Action, ActionProfile

_DECLARED = (
    Header, HeaderType, HeaderStack, HeaderUnion, HeaderUnionStack, Action, ActionProfile, Calculation, Counter, Meter,
    Register, ValueSet, LearnList, FieldList,
)  # fmt: skip
_ABSENT = (None, (), False)
_WIDTH = 110
_INDENT = "  "


def dump(program: Program) -> str:
    """All of `program`, in the order of its fields; what is absent or false is left out."""
    lines: list[str] = []
    types = tuple(dict.fromkeys(header.type for header in program.headers))
    for name, value in [("header_types", types), *_members(program)]:
        lines.append(f"{name}:")
        for item in value if isinstance(value, tuple) else (value,):
            lines += (_INDENT + line for line in _declaration(item))
    return "\n".join(lines) + "\n"


def _declaration(value: Any) -> Iterator[str]:
    yield from _members_below(value) if is_dataclass(value) else _lines(value)


def _lines(value: Any) -> Iterator[str]:
    """One line for what fits on it, else a head and the members below it, indented."""
    line = _line(value)
    if len(line) <= _WIDTH:
        yield line
    else:
        yield from _members_below(value)


def _members_below(value: Any) -> Iterator[str]:
    yield f"{type(value).__name__}:" if is_dataclass(value) else ""
    for label, member in _labelled(value):
        first, *rest = _lines(member)
        yield f"{_INDENT}{label}{first}".rstrip()
        yield from (_INDENT + line for line in rest)


def _line(value: Any) -> str:
    match value:
        case Source() | FieldRef() | str():
            return str(value)
        case Action():  # names of actions are not unique
            return f"<{value.name} #{value.id}>"
        case _ if isinstance(value, _DECLARED):
            return f"<{value.name}>"
        case tuple():
            return "(" + ", ".join(map(_line, value)) + ")"
        case _ if is_dataclass(value) or isinstance(value, Mapping):
            members = ", ".join(f"{label}{_line(member)}" for label, member in _labelled(value))
            return f"{type(value).__name__}({members})"
    return repr(value)


def _labelled(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, tuple):
        return [(f"[{index}] ", item) for index, item in enumerate(value)]
    members = list(value.items()) if isinstance(value, Mapping) else _members(value)
    return [(f"{name}: ", member) for name, member in members if not any(member is absent for absent in _ABSENT)]


def _members(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in fields(value)]
