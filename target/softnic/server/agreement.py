# SPDX-License-Identifier: Apache-2.0
"""Do a P4Info and a BMv2 JSON describe the same program? What P4Runtime names, the engine must have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from softnic import ir

from .p4data import scalars
from .schema import MatchType, Param, Profile, Schema, SchemaError, Table, ValueSet

_MATCH_KINDS = {
    MatchType.EXACT: (ir.MatchKind.EXACT, ir.MatchKind.VALID),
    MatchType.LPM: (ir.MatchKind.LPM,),
    MatchType.TERNARY: (ir.MatchKind.TERNARY,),
    MatchType.OPTIONAL: (ir.MatchKind.TERNARY,),
    MatchType.RANGE: (ir.MatchKind.RANGE,),
}


class _Named(Protocol):
    @property
    def name(self) -> str: ...


class _Array(_Named, Protocol):
    @property
    def size(self) -> int: ...


N = TypeVar("N", bound=_Named)


def check(schema: Schema, program: ir.Program) -> None:
    """Every object of `schema` is in `program` with the same shape.

    Raises:
        SchemaError: naming the first object that is not.
    """
    tables = _by_name(program.tables)
    profiles = _by_name(program.profiles)
    for table in schema.tables.values():
        _check_table(table, _same_name(table, tables, "table"))
    for profile in schema.profiles.values():
        _check_profile(profile, _same_name(profile, profiles, "action profile"))
    _check_arrays(schema.counters.values(), program.counters, "counter")
    _check_arrays(schema.meters.values(), program.meters, "meter")
    _check_arrays(schema.registers.values(), program.registers, "register")
    value_sets = _by_name(program.value_sets)
    for value_set in schema.value_sets.values():
        _check_value_set(value_set, _same_name(value_set, value_sets, "value set"))
    learn_lists = _by_name(program.learn_lists)
    for digest in schema.digests.values():
        learn_list = _same_name(digest, learn_lists, "digest")
        _equal(f"digest {digest.name}: members", scalars(digest.layout), len(learn_list.elements))


def _check_table(table: Table, ours: ir.Table) -> None:
    place = f"table {table.name}"
    _equal(f"{place}: match fields", len(table.fields), len(ours.key))
    for field, key in zip(table.fields, ours.key, strict=True):
        _equal(f"{place}: bits of match field {field.name}", field.width, key.width)
        if key.kind not in _MATCH_KINDS[field.match_type]:
            kind = MatchType.Name(field.match_type)
            raise SchemaError(f"{place}: match field {field.name} is {kind} in P4Info and {key.kind} in the JSON")
    actions = {entry.action.name: entry.action for entry in ours.actions}
    for action, _ in table.actions.values():
        if action.name not in actions:
            raise SchemaError(f"{place}: action {action.name} of P4Info is not in the JSON")
        _check_params(f"{place}: action {action.name}", action.params, actions[action.name].params)


def _check_params(place: str, params: Sequence[Param], ours: Sequence[ir.ActionParam]) -> None:
    _equal(f"{place}: parameters", len(params), len(ours))
    for param, our in zip(params, ours, strict=True):
        _equal(f"{place}: bits of parameter {param.name}", param.width, our.width)


def _check_profile(profile: Profile, ours: ir.ActionProfile) -> None:
    _equal(f"action profile {profile.name}: selectors", int(profile.has_groups), int(ours.selector is not None))


def _check_value_set(value_set: ValueSet, ours: ir.ValueSet) -> None:
    place = f"value set {value_set.name}"
    _equal(f"{place}: size", value_set.size, ours.max_size)
    _equal(f"{place}: bits", sum(field.width for field in value_set.fields), ours.width)


def _check_arrays(arrays: Iterable[_Array], ours: Sequence[_Array], kind: str) -> None:
    by_name = _by_name(ours)
    for array in arrays:
        _equal(f"{kind} {array.name}: size", array.size, _same_name(array, by_name, kind).size)


def _by_name(items: Iterable[N]) -> dict[str, N]:
    return {item.name: item for item in items}


def _same_name(item: _Named, ours: Mapping[str, N], kind: str) -> N:
    try:
        return ours[item.name]
    except KeyError:
        raise SchemaError(f"{kind} {item.name} of P4Info is not in the JSON; were they compiled together?") from None


def _equal(what: str, theirs: int, ours: int) -> None:
    if theirs != ours:
        raise SchemaError(f"{what}: {theirs} in P4Info, {ours} in the JSON; were they compiled together?")
