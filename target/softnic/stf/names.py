# SPDX-License-Identifier: Apache-2.0
"""What the short names and loose numbers of a test mean in a program: full names, checked values, entries.

A name stands for the one object that has it, or else for the one whose qualified name ends in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from softnic import ir
from softnic.engine import ActionCall, Exact, KeyMatch, Lpm, Range, TableEntry, Ternary

from .statements import Call, Match

T = TypeVar("T")


class ResolveError(Exception):
    """A name or a value that the program has no place for."""


class Names:
    """The objects of a program that a test can name. All methods raise `ResolveError`."""

    def __init__(self, program: ir.Program) -> None:
        self._tables = {table.name: table for table in program.tables}
        self._counters = {counter.name: counter for counter in program.counters}
        self._direct_counters = {table.direct_counter: table for table in program.tables if table.direct_counter}
        self._registers = {register.name: register for register in program.registers}
        self._meters = {meter.name: meter for meter in program.meters}

    def table(self, name: str) -> ir.Table:
        return _find("table", self._tables, name)

    def counter(self, name: str) -> str:
        """The full name of an indirect counter."""
        return _find("counter", self._counters, name).name

    def directly_counted(self, counter: str) -> ir.Table:
        """The table that has a direct counter of that name."""
        return _find("direct counter", self._direct_counters, counter)

    def register(self, name: str) -> ir.Register:
        return _find("register", self._registers, name)

    def meter(self, name: str) -> ir.Meter:
        return _find("meter", self._meters, name)


def action_call(table: ir.Table, call: Call) -> ActionCall:
    """Arguments by name, each exactly once. Raises: ResolveError."""
    if table.profile:
        raise ResolveError(f"table {table.name} has an action profile, for which the format has no words")
    action = _find(f"action of {table.name}", {each.action.name: each.action for each in table.actions}, call.action)
    given = dict(call.args)
    wanted = [param.name for param in action.params]
    if len(given) != len(call.args) or set(given) != set(wanted):
        raise ResolveError(
            f"action {action.name} takes ({', '.join(wanted)}), not ({', '.join(n for n, _ in call.args)})"
        )
    for param in action.params:
        _check_width(f"argument {param.name}", given[param.name], param.width)
    return ActionCall(action.name, tuple(given[name] for name in wanted))


def entry(table: ir.Table, priority: int, matches: Iterable[Match], call: Call) -> TableEntry:
    """Fields that are not named match anything; exact ones are then 0. Raises: ResolveError."""
    key = [_unnamed(field) for field in table.key]
    fields = {field.name: index for index, field in enumerate(table.key)}
    for match in matches:
        index = fields[_field_name(table, fields, match.field)]
        key[index] = _key_match(table.key[index], match)
    has_priority = any(isinstance(part, Ternary | Range) for part in key)
    return TableEntry(tuple(key), action_call(table, call), priority if has_priority else 0)


def _field_name(table: ir.Table, fields: Collection[str], name: str) -> str:
    """A header's name stands for its validity, whose field is called ``header.$valid$``."""
    stem = name.removesuffix("$valid$").removesuffix("$valid").removesuffix("valid").removesuffix(".")
    spellings = [name, f"{stem}.$valid$" if stem else "$valid$"]
    for spelling in spellings:
        found = _matching(fields, spelling)
        if len(found) == 1:
            return found[0]
    raise ResolveError(f"table {table.name} has no one key field {name}; it has {', '.join(fields) or 'none'}")


def _unnamed(field: ir.KeyField) -> KeyMatch:
    match field.kind:
        case ir.MatchKind.LPM:
            return Lpm(0, 0)
        case ir.MatchKind.TERNARY:
            return Ternary(0, 0)
        case ir.MatchKind.RANGE:
            return Range(0, (1 << field.width) - 1)
        case ir.MatchKind.EXACT | ir.MatchKind.VALID:
            return Exact(0)


def _key_match(field: ir.KeyField, match: Match) -> KeyMatch:
    number, ones = match.number, (1 << field.width) - 1
    _check_width(f"the value of {match.field}", number.value, field.width)
    if match.prefix_len is not None and field.kind is not ir.MatchKind.LPM:
        raise ResolveError(f"{match.field} is no lpm field, so it takes no prefix length")
    match field.kind:
        case ir.MatchKind.TERNARY:
            # Digits that are not written, on the left, match anything, as those under a * do.
            return Ternary(number.value, ones if number.width is None else number.mask & ones)
        case ir.MatchKind.LPM:
            length = _prefix_len(match, field.width)
            return Lpm(number.value & (ones << field.width - length), length)
        case ir.MatchKind.EXACT | ir.MatchKind.VALID if not number.has_wildcard:
            return Exact(number.value)
        case ir.MatchKind.EXACT | ir.MatchKind.VALID:
            raise ResolveError(f"{match.field} is matched exactly: write all digits instead of *")
        case ir.MatchKind.RANGE:
            raise ResolveError(f"{match.field} is matched by range, which the format can't write")


def _prefix_len(match: Match, width: int) -> int:
    """As written after the ``/``, else as many bits as there are digits that are not ``*``."""
    number = match.number
    spelt = width if number.width is None else number.mask.bit_count()
    length = spelt if match.prefix_len is None else match.prefix_len
    if length > width:
        raise ResolveError(f"a prefix of {match.field} has at most {width} bits, not {length}")
    return length


def check_register_value(register: ir.Register, value: int) -> None:
    """Raises: ResolveError."""
    _check_width(f"a cell of {register.name}", value, register.width)


def _check_width(what: str, value: int, width: int) -> None:
    if value >> width:
        raise ResolveError(f"{what} has {width} bits; {value:#x} does not fit")


def _find(what: str, objects: Mapping[str, T], name: str) -> T:
    found = _matching(objects, name)
    if len(found) == 1:
        return objects[found[0]]
    if found:
        raise ResolveError(f"{name} may be any {what} of {', '.join(found)}; write more of its name")
    raise ResolveError(f"there is no {what} {name}; there are {', '.join(objects) or 'none'}")


def _matching(objects: Collection[str], name: str) -> list[str]:
    """The one that is called so; else those whose name ends so."""
    return [name] if name in objects else [each for each in objects if each.endswith("." + name)]
