# SPDX-License-Identifier: Apache-2.0
"""One fault for a right update, and the code that the specification names for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from finsy.proto import p4i, p4r
from grpc import StatusCode
from update_strategies import DELETE, INSERT, MODIFY, Scope, Trial, Updates, has_priority

INVALID, DENIED, MISSING = StatusCode.INVALID_ARGUMENT, StatusCode.PERMISSION_DENIED, StatusCode.NOT_FOUND
BEYOND, FULL, EXISTS = StatusCode.OUT_OF_RANGE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.ALREADY_EXISTS

UNKNOWN_ID = 0x00FFFFFF
TOO_MANY_BYTES = b"\1" + bytes(400)
"""Wider than any field of the programs."""

ID_FIELDS = {
    "table_entry": "table_id",
    "action_profile_member": "action_profile_id",
    "action_profile_group": "action_profile_id",
    "counter_entry": "counter_id",
    "meter_entry": "meter_id",
    "register_entry": "register_id",
    "digest_entry": "digest_id",
    "value_set_entry": "value_set_id",
}


@dataclass(frozen=True)
class Fault:
    """`inject` spoils an update that was right."""

    name: str
    code: StatusCode
    inject: Callable[[p4r.Update], object]


def spoiled(updates: Updates, trial: Trial) -> Trial:
    """`trial` with one of the faults that its update can have."""
    fault = updates.one_of(_faults(updates, trial))
    update = p4r.Update()
    update.CopyFrom(trial.update)
    fault.inject(update)
    return Trial(update, frozenset({fault.code}), fault.name)


def _faults(updates: Updates, trial: Trial) -> list[Fault]:
    update = trial.update
    kind = update.entity.WhichOneof("entity")
    assert kind is not None
    faults = [
        Fault("type unset", INVALID, lambda u: u.ClearField("type")),
        Fault("entity unset", INVALID, lambda u: u.ClearField("entity")),
    ]
    if id_field := ID_FIELDS.get(kind):
        faults.append(Fault("id unset", INVALID, lambda u: getattr(u.entity, kind).ClearField(id_field)))
        faults.append(Fault("id unknown", INVALID, lambda u: setattr(getattr(u.entity, kind), id_field, UNKNOWN_ID)))
    return [*faults, *_FAULTS_OF[kind](updates, update, trial.writes)]


def _of_message(kind: str, name: str, code: StatusCode, spoil: Callable[[Any], object]) -> Fault:
    return Fault(name, code, lambda update: spoil(getattr(update.entity, kind)))


def _retyped(*types: p4r.Update.Type.ValueType) -> Iterator[Fault]:
    for type_ in types:
        yield Fault(f"type {p4r.Update.Type.Name(type_)}", INVALID, partial(_set_type, type_=type_))


def _set_type(update: p4r.Update, type_: p4r.Update.Type.ValueType) -> None:
    update.type = type_


# ---- table entries --------------------------------------------------------------------------------------------------


def _entry_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    entry = update.entity.table_entry
    table, fault = updates.tables[entry.table_id], partial(_of_message, "table_entry")
    yield fault("constant", INVALID, lambda e: setattr(e, "is_const", True))
    if entry.is_default_action:
        yield from _retyped(INSERT, DELETE)
        yield fault("priority of a default", INVALID, lambda e: setattr(e, "priority", 1))
        yield fault("match of a default", INVALID, lambda e: e.match.add(field_id=1))
    else:
        yield from _key_faults(table, entry)
        if not updates.is_held(entry):
            yield Fault("modified before inserted", MISSING, partial(_set_type, type_=MODIFY))
            yield Fault("deleted before inserted", MISSING, partial(_set_type, type_=DELETE))
    if writes:
        yield from _content_faults(table, entry)


def _key_faults(table: p4i.Table, entry: p4r.TableEntry) -> Iterator[Fault]:
    fault = partial(_of_message, "table_entry")
    wrong_priorities = (0, -1) if has_priority(table) else (1, -1)
    for priority in wrong_priorities:
        yield fault(f"priority {priority}", INVALID, lambda e, p=priority: setattr(e, "priority", p))
    yield fault("field unknown", INVALID, lambda e: e.match.add(field_id=99).exact.MergeFrom(_exact(b"\1")))
    widths = {field.id: field.bitwidth for field in table.match_fields}
    for index, match in enumerate(entry.match):
        for name, spoil in _match_faults(match, widths[match.field_id]):
            yield fault(f"field {name}", INVALID, lambda e, i=index, spoil=spoil: spoil(e.match[i]))
        yield fault("field twice", INVALID, lambda e, i=index: e.match.add().CopyFrom(e.match[i]))
        if match.HasField("exact"):
            yield fault("field missing", INVALID, lambda e, i=index: e.match.pop(i))


def _exact(value: bytes) -> p4r.FieldMatch.Exact:
    return p4r.FieldMatch.Exact(value=value)


def _match_faults(match: p4r.FieldMatch, width: int) -> Iterator[tuple[str, Callable[[p4r.FieldMatch], object]]]:
    kind = match.WhichOneof("field_match_type")
    assert kind is not None
    value = "high" if kind == "range" else "value"
    yield "unset", lambda m: m.ClearField(kind)
    yield "too wide", lambda m: setattr(getattr(m, kind), value, TOO_MANY_BYTES)
    yield "one bit too wide", lambda m: setattr(getattr(m, kind), value, (1 << width).to_bytes(width // 8 + 1, "big"))
    yield "empty", lambda m: getattr(m, kind).ClearField(value)
    if kind == "exact":
        yield "of another kind", lambda m: setattr(m.optional, "value", b"\1")
    else:
        yield "of another kind", lambda m: setattr(m.exact, "value", b"\1")
    if kind == "lpm":
        yield "with a long prefix", lambda m: setattr(m.lpm, "prefix_len", width + 1)
        yield "with a negative prefix", lambda m: setattr(m.lpm, "prefix_len", -1)
        yield "with no prefix", lambda m: setattr(m.lpm, "prefix_len", 0)
        if match.lpm.prefix_len < width:
            ones = ((1 << width) - 1).to_bytes((width + 7) // 8, "big")
            yield "with bits behind its prefix", lambda m: setattr(m.lpm, "value", ones)
    if kind == "ternary":
        no_mask = p4r.FieldMatch.Ternary(value=b"\0", mask=b"\0")
        yield "without mask", lambda m: m.ternary.CopyFrom(no_mask)
        loose = p4r.FieldMatch.Ternary(value=b"\3", mask=b"\1")
        yield "with bits outside of its mask", lambda m: m.ternary.CopyFrom(loose)
    if kind == "range":
        yield "upside down", lambda m: m.range.CopyFrom(p4r.FieldMatch.Range(low=b"\1", high=b"\0"))


def _content_faults(table: p4i.Table, entry: p4r.TableEntry) -> Iterator[Fault]:
    """Of what is written with the key."""
    fault = partial(_of_message, "table_entry")
    yield fault("time since last hit", INVALID, lambda e: e.time_since_last_hit.SetInParent())
    yield fault("timeout negative", INVALID, lambda e: setattr(e, "idle_timeout_ns", -1))
    if not table.idle_timeout_behavior:
        yield fault("timeout where there is none", INVALID, lambda e: setattr(e, "idle_timeout_ns", 1))
    if not table.direct_resource_ids and not entry.is_default_action:
        yield fault("counter where there is none", INVALID, lambda e: e.counter_data.SetInParent())
        yield fault("meter where there is none", INVALID, lambda e: e.meter_config.SetInParent())
        yield fault("colours where there is no meter", INVALID, lambda e: e.meter_counter_data.SetInParent())
    if entry.HasField("meter_counter_data"):
        yield fault("colours set", INVALID, lambda e: setattr(e.meter_counter_data.red, "byte_count", 1))
    if not entry.HasField("action"):
        return
    yield fault("action without content", INVALID, lambda e: e.action.ClearField("type"))
    match entry.action.WhichOneof("type"):
        case "action":
            yield fault("member without profile", INVALID, lambda e: setattr(e.action, "action_profile_member_id", 1))
            for name, spoil in _action_faults(entry.action.action):
                yield fault(name, INVALID, lambda e, spoil=spoil: spoil(e.action.action))
            wrong_scope = Scope.TABLE_ONLY if entry.is_default_action else Scope.DEFAULT_ONLY
            for ref in table.action_refs:
                if ref.scope == wrong_scope:
                    yield fault("action out of scope", DENIED, lambda e, ref=ref: _set_action(e, ref.id))
        case "action_profile_member_id":
            yield fault("member missing", MISSING, lambda e: setattr(e.action, "action_profile_member_id", 999))
        case "action_profile_group_id":
            yield fault("group missing", MISSING, lambda e: setattr(e.action, "action_profile_group_id", 999))
    if table.implementation_id:
        yield fault("direct action", INVALID, lambda e: _set_action(e, table.action_refs[0].id))


def _set_action(entry: p4r.TableEntry, action_id: int) -> None:
    entry.action.action.CopyFrom(p4r.Action(action_id=action_id))


def _action_faults(action: p4r.Action) -> Iterator[tuple[str, Callable[[p4r.Action], object]]]:
    yield "action unset", lambda a: a.ClearField("action_id")
    yield "action unknown", lambda a: setattr(a, "action_id", UNKNOWN_ID)
    yield "parameter unknown", lambda a: a.params.add(param_id=99, value=b"\1")
    if action.params:
        yield "parameter missing", lambda a: a.params.pop()
        yield "parameter twice", lambda a: a.params.append(a.params[0])
        yield "parameter too wide", lambda a: setattr(a.params[0], "value", TOO_MANY_BYTES)
        yield "parameter empty", lambda a: a.params[0].ClearField("value")


# ---- action profiles ------------------------------------------------------------------------------------------------


def _member_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    fault = partial(_of_message, "action_profile_member")
    if update.type != DELETE:
        yield fault("member id unset", INVALID, lambda m: m.ClearField("member_id"))
    if update.type == MODIFY:
        yield fault("member missing", MISSING, lambda m: setattr(m, "member_id", 999))
    if writes:
        for name, spoil in _action_faults(update.entity.action_profile_member.action):
            yield fault(name, INVALID, lambda m, spoil=spoil: spoil(m.action))


def _group_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    fault, members = partial(_of_message, "action_profile_group"), update.entity.action_profile_group.members
    if update.type == MODIFY:
        yield fault("group missing", MISSING, lambda g: setattr(g, "group_id", 999))
        yield fault("max_size changed", INVALID, lambda g: setattr(g, "max_size", 1))
    if writes:
        yield fault("member missing", MISSING, lambda g: g.members.add(member_id=999, weight=1))
        if members:
            yield fault("member twice", INVALID, lambda g: g.members.append(g.members[0]))
            yield fault("weight 0", INVALID, lambda g: g.members[0].ClearField("weight"))
            yield fault("weight negative", INVALID, lambda g: setattr(g.members[0], "weight", -1))
            yield fault("weight too great", FULL, lambda g: setattr(g.members[0], "weight", 2**31 - 1))
            yield fault("port too wide", INVALID, lambda g: setattr(g.members[0], "watch_port", TOO_MANY_BYTES))


# ---- everything else ------------------------------------------------------------------------------------------------


def _replication_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    fault = partial(_of_message, "packet_replication_engine_entry")
    kind = update.entity.packet_replication_engine_entry.WhichOneof("type")
    assert kind is not None
    id_field = "multicast_group_id" if kind == "multicast_group_entry" else "session_id"
    yield fault("kind unset", INVALID, lambda e: e.ClearField(kind))
    yield fault("id 0", INVALID, lambda e: setattr(getattr(e, kind), id_field, 0))
    yield fault("id too large", INVALID, lambda e: setattr(getattr(e, kind), id_field, 1 << 15))
    if update.type != INSERT:
        yield fault("not there", MISSING, lambda e: setattr(getattr(e, kind), id_field, 9))
    if writes:
        for name, replica in {
            "port unset": p4r.Replica(instance=1),
            "port too wide": p4r.Replica(port=TOO_MANY_BYTES),
            "port empty": p4r.Replica(port=b""),
            "instance too large": p4r.Replica(port=b"\1", instance=1 << 16),
        }.items():
            yield fault(
                f"replica's {name}", INVALID, lambda e, replica=replica: getattr(e, kind).replicas.append(replica)
            )
        twice = [p4r.Replica(port=b"\1")] * 2
        yield fault("replica twice", INVALID, lambda e: getattr(e, kind).replicas.extend(twice))


def _cell_faults(kind: str, updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    fault = partial(_of_message, kind)
    yield from _retyped(INSERT, DELETE)
    yield fault("index negative", INVALID, lambda e: setattr(e.index, "index", -1))
    yield fault("index beyond the size", BEYOND, lambda e: setattr(e.index, "index", 1 << 40))
    match kind:
        case "counter_entry":
            yield fault("count negative", INVALID, lambda e: setattr(e.data, "packet_count", -1))
        case "meter_entry":
            yield fault("rate negative", INVALID, lambda e: setattr(e.config, "cir", -1))
            yield fault("rates out of order", INVALID, lambda e: setattr(e.config, "cir", e.config.pir + 1))
            yield fault("colours set", INVALID, lambda e: setattr(e.counter_data.green, "packet_count", 1))
        case _:
            yield fault("data unset", INVALID, lambda e: e.ClearField("data"))
            yield fault("data too wide", INVALID, lambda e: setattr(e.data, "bitstring", TOO_MANY_BYTES))
            yield fault("data of another type", INVALID, lambda e: e.data.tuple.SetInParent())


def _digest_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    if writes:
        for field in ("max_timeout_ns", "max_list_size", "ack_timeout_ns"):
            spoil = partial(_set_of_config, field=field)
            yield _of_message("digest_entry", f"{field} negative", INVALID, spoil)


def _set_of_config(entry: p4r.DigestEntry, field: str) -> None:
    setattr(entry.config, field, -1)


def _value_set_faults(updates: Updates, update: p4r.Update, writes: bool) -> Iterator[Fault]:
    fault, entry = partial(_of_message, "value_set_entry"), update.entity.value_set_entry
    value_set = next(v for v in updates.p4info.value_sets if v.preamble.id == entry.value_set_id)
    yield from _retyped(INSERT, DELETE)
    yield fault("too many members", FULL, lambda e: [e.members.add() for _ in range(value_set.size + 1)])
    yield fault("fields missing", INVALID, lambda e: _set_members(e, p4r.ValueSetMember()))
    if entry.members:
        yield fault("member twice", EXISTS, lambda e: _set_members(e, e.members[0], e.members[0]))
        for name, spoil in _match_faults(entry.members[0].match[0], value_set.match[0].bitwidth):
            yield fault(f"field {name}", INVALID, lambda e, spoil=spoil: spoil(e.members[0].match[0]))


def _set_members(entry: p4r.ValueSetEntry, *members: p4r.ValueSetMember) -> None:
    copies = [p4r.ValueSetMember(match=member.match) for member in members]
    del entry.members[:]
    entry.members.extend(copies)


_FAULTS_OF: dict[str, Callable[[Updates, p4r.Update, bool], Iterator[Fault]]] = {
    "table_entry": _entry_faults,
    "action_profile_member": _member_faults,
    "action_profile_group": _group_faults,
    "packet_replication_engine_entry": _replication_faults,
    "counter_entry": partial(_cell_faults, "counter_entry"),
    "meter_entry": partial(_cell_faults, "meter_entry"),
    "register_entry": partial(_cell_faults, "register_entry"),
    "digest_entry": _digest_faults,
    "value_set_entry": _value_set_faults,
}
