# SPDX-License-Identifier: Apache-2.0
"""P4Info, indexed: from the ids of P4Runtime messages to names, widths, sizes and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from finsy.proto import p4i

from .errors import invalid
from .p4data import Layout, UnsupportedTypeError, layout_of, scalars

MatchType = p4i.MatchField.MatchType
Scope = p4i.ActionRef.Scope
MeterType = p4i.MeterSpec.Type


class SchemaError(Exception):
    """A P4Info that is not consistent, or uses what this target does not have."""


@dataclass(frozen=True, slots=True)
class Param:
    """An action's parameter, or a field of a controller header. `width` is in bits."""

    id: int
    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    id: int
    name: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A match field. `width` is in bits."""

    id: int
    name: str
    width: int
    match_type: p4i.MatchField.MatchType.ValueType

    @property
    def ones(self) -> int:
        """The largest value, and the mask that cares for every bit."""
        return (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Profile:
    """An action profile, or a selector if it has groups. A `max_group_size` of 0 sets no bound."""

    id: int
    name: str
    has_groups: bool
    size: int
    max_group_size: int
    max_member_weight: int
    """0: no bound of its own."""
    sums_members: bool
    """A group's size is the number of its members; else it is the sum of their weights."""
    weights_disallowed: bool
    is_resilient: bool
    """A group whose member is lost moves only that member's flows."""
    actions: Mapping[int, Action]


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter array, or (with `size` 0) the direct meter of a table."""

    id: int
    name: str
    size: int
    type: p4i.MeterSpec.Type.ValueType


@dataclass(frozen=True, slots=True)
class Table:
    id: int
    name: str
    fields: tuple[Field, ...]
    actions: Mapping[int, tuple[Action, p4i.ActionRef.Scope.ValueType]]
    size: int
    is_const: bool
    const_default: bool
    idle_timeout: bool
    profile: Profile | None
    has_counter: bool
    meter: Meter | None

    @property
    def has_priority(self) -> bool:
        """Entries are ordered by priority: the key has a ternary, range or optional field."""
        return any(
            field.match_type in (MatchType.TERNARY, MatchType.RANGE, MatchType.OPTIONAL) for field in self.fields
        )


@dataclass(frozen=True, slots=True)
class Counter:
    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Register:
    id: int
    name: str
    size: int
    layout: Layout


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A parser value set; `fields` are the elements of the select's key."""

    id: int
    name: str
    fields: tuple[Field, ...]
    size: int


@dataclass(frozen=True, slots=True)
class DigestType:
    id: int
    name: str
    layout: Layout


@dataclass(frozen=True, slots=True)
class Schema:
    """Everything by P4Info id, or by the name the engine calls it.

    `packet_in` and `packet_out` are the fields of the controller headers, in wire order; empty if the program has none.
    """

    tables: Mapping[int, Table]
    profiles: Mapping[int, Profile]
    counters: Mapping[int, Counter]
    meters: Mapping[int, Meter]
    registers: Mapping[int, Register]
    value_sets: Mapping[int, ValueSet]
    digests: Mapping[int, DigestType]
    actions_by_name: Mapping[str, Action]
    tables_by_name: Mapping[str, Table]
    digests_by_name: Mapping[str, DigestType]
    packet_in: tuple[Param, ...]
    packet_out: tuple[Param, ...]

    def table(self, table_id: int) -> Table:
        return _find(self.tables, table_id, "table")

    def profile(self, profile_id: int) -> Profile:
        return _find(self.profiles, profile_id, "action profile")

    def counter(self, counter_id: int) -> Counter:
        return _find(self.counters, counter_id, "counter")

    def meter(self, meter_id: int) -> Meter:
        return _find(self.meters, meter_id, "meter")

    def register(self, register_id: int) -> Register:
        return _find(self.registers, register_id, "register")

    def value_set(self, value_set_id: int) -> ValueSet:
        return _find(self.value_sets, value_set_id, "value set")

    def digest(self, digest_id: int) -> DigestType:
        return _find(self.digests, digest_id, "digest")


class _Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...


T = TypeVar("T")
N = TypeVar("N", bound=_Named)


def _find(items: Mapping[int, T], item_id: int, kind: str) -> T:
    if item := items.get(item_id):
        return item
    if item_id == 0:
        raise invalid(f"{kind} id is not set")
    raise invalid(f"{kind} id {item_id:#010x} is not in the P4Info of the pipeline; read it again with Get")


def build(p4info: p4i.P4Info) -> Schema:
    """Index `p4info`. Raises: SchemaError."""
    actions = _by_id(_action(action) for action in p4info.actions)
    # p4c leaves a profile that no table uses out of the JSON, but not out of P4Info.
    profiles = _by_id(_profile(profile, p4info, actions) for profile in p4info.action_profiles if profile.table_ids)
    counter_ids = {counter.preamble.id for counter in p4info.direct_counters}
    direct_meters = _by_id(_meter(meter) for meter in p4info.direct_meters)
    tables = _by_id(_table(table, actions, profiles, counter_ids, direct_meters) for table in p4info.tables)
    digests = _by_id(_digest(digest, p4info) for digest in p4info.digests)
    headers = {header.preamble.name: header for header in p4info.controller_packet_metadata}
    return Schema(
        tables=tables,
        profiles=profiles,
        counters=_by_id(Counter(c.preamble.id, c.preamble.name, c.size) for c in p4info.counters),
        meters=_by_id(_meter(meter, meter.size) for meter in p4info.meters),
        registers=_by_id(_register(register, p4info) for register in p4info.registers),
        value_sets=_by_id(_value_set(value_set) for value_set in p4info.value_sets),
        digests=digests,
        actions_by_name={action.name: action for action in actions.values()},
        tables_by_name={table.name: table for table in tables.values()},
        digests_by_name={digest.name: digest for digest in digests.values()},
        packet_in=_controller_header(headers.get("packet_in")),
        packet_out=_controller_header(headers.get("packet_out")),
    )


def _by_id(items: Iterable[N]) -> dict[int, N]:
    found: dict[int, N] = {}
    for item in items:
        if item.id in found:
            raise SchemaError(f"P4Info: {found[item.id].name} and {item.name} have the same id {item.id:#010x}")
        found[item.id] = item
    return found


def _width(name: str, bitwidth: int) -> int:
    # Types translated to strings (sdn_string) and errors have none; nothing on this target maps their names.
    if bitwidth <= 0:
        raise SchemaError(f"P4Info: {name} has no bitwidth; errors and types translated to strings are not supported")
    return bitwidth


def _action(action: p4i.Action) -> Action:
    name = action.preamble.name
    params = tuple(Param(p.id, p.name, _width(f"{name}.{p.name}", p.bitwidth)) for p in action.params)
    return Action(action.preamble.id, name, params)


def _referred(items: Mapping[int, T], item_id: int, owner: str) -> T:
    try:
        return items[item_id]
    except KeyError:
        raise SchemaError(f"P4Info: {owner} refers to id {item_id:#010x}, which is not there") from None


_RESILIENT = '@mode("resilient")'
"""What p4c makes of P4_14's ``selection_mode : resilient``; P4_16 programs write it in front of the selector."""


def _profile(profile: p4i.ActionProfile, p4info: p4i.P4Info, actions: Mapping[int, Action]) -> Profile:
    name = profile.preamble.name
    # The tables that share a profile have the same actions (specification 9.2.1).
    refs = [ref.id for table in p4info.tables if table.implementation_id == profile.preamble.id
            for ref in table.action_refs if ref.scope != Scope.DEFAULT_ONLY]  # fmt: skip
    return Profile(
        id=profile.preamble.id,
        name=name,
        has_groups=profile.with_selector,
        size=profile.size,
        max_group_size=profile.max_group_size,
        max_member_weight=profile.sum_of_members.max_member_weight,
        sums_members=profile.HasField("sum_of_members"),
        weights_disallowed=profile.weights_disallowed,
        is_resilient=_RESILIENT in profile.preamble.annotations,
        actions={ref: _referred(actions, ref, name) for ref in refs},
    )


def _table(
    table: p4i.Table,
    actions: Mapping[int, Action],
    profiles: Mapping[int, Profile],
    counter_ids: Iterable[int],
    direct_meters: Mapping[int, Meter],
) -> Table:
    name = table.preamble.name
    return Table(
        id=table.preamble.id,
        name=name,
        fields=tuple(_field(field, name) for field in table.match_fields),
        actions={ref.id: (_referred(actions, ref.id, name), ref.scope) for ref in table.action_refs},
        size=table.size,
        is_const=table.is_const_table,
        const_default=bool(table.const_default_action_id),
        idle_timeout=table.idle_timeout_behavior == p4i.Table.NOTIFY_CONTROL,
        profile=_referred(profiles, table.implementation_id, name) if table.implementation_id else None,
        has_counter=any(resource in counter_ids for resource in table.direct_resource_ids),
        meter=next((direct_meters[id_] for id_ in table.direct_resource_ids if id_ in direct_meters), None),
    )


_MATCH_TYPES = (MatchType.EXACT, MatchType.LPM, MatchType.TERNARY, MatchType.RANGE, MatchType.OPTIONAL)


def _field(field: p4i.MatchField, table: str) -> Field:
    if field.match_type not in _MATCH_TYPES:
        raise SchemaError(f"P4Info: {table}.{field.name} has a match type that this target does not have")
    return Field(field.id, field.name, _width(f"{table}.{field.name}", field.bitwidth), field.match_type)


_METER_TYPES = {
    "@two_rate_three_color": MeterType.TWO_RATE_THREE_COLOR,
    "@single_rate_three_color": MeterType.SINGLE_RATE_THREE_COLOR,
    "@single_rate_two_color": MeterType.SINGLE_RATE_TWO_COLOR,
}


def _meter(meter: p4i.Meter | p4i.DirectMeter, size: int = 0) -> Meter:
    # What the program says, in a P4Info whose compiler (p4c 1.2.5) does not make the type of it (specification 6.4.5).
    annotated = (_METER_TYPES[text] for text in meter.preamble.annotations if text in _METER_TYPES)
    return Meter(meter.preamble.id, meter.preamble.name, size, meter.spec.type or next(annotated, meter.spec.type))


def _register(register: p4i.Register, p4info: p4i.P4Info) -> Register:
    layout = _typed(register, p4info)
    if scalars(layout) != 1:
        raise SchemaError(f"P4Info: register {register.preamble.name} holds a struct; BMv2 JSON has only scalar ones")
    return Register(register.preamble.id, register.preamble.name, register.size, layout)


def _value_set(value_set: p4i.ValueSet) -> ValueSet:
    name = value_set.preamble.name
    fields = tuple(_field(field, name) for field in value_set.match)
    return ValueSet(value_set.preamble.id, name, fields, value_set.size)


def _digest(digest: p4i.Digest, p4info: p4i.P4Info) -> DigestType:
    return DigestType(digest.preamble.id, digest.preamble.name, _typed(digest, p4info))


def _typed(item: p4i.Register | p4i.Digest, p4info: p4i.P4Info) -> Layout:
    try:
        return layout_of(item.type_spec, p4info.type_info)
    except UnsupportedTypeError as error:
        raise SchemaError(f"P4Info: {item.preamble.name}: {error}") from error


def _controller_header(header: p4i.ControllerPacketMetadata | None) -> tuple[Param, ...]:
    if header is None:
        return ()
    return tuple(Param(m.id, m.name, _width(f"{header.preamble.name}.{m.name}", m.bitwidth)) for m in header.metadata)
