# SPDX-License-Identifier: Apache-2.0
"""Table entries, default entries, and the direct counters and meters of both (specification 9.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from finsy.proto import p4r

from softnic.engine import (
    ActionCall,
    CounterValue,
    EngineError,
    EntryAction,
    GroupRef,
    MemberRef,
    MeterRates,
    NoRoom,
    TableEntry,
)

from .. import codec
from ..errors import already_exists, at, denied, exhausted, invalid, not_found, unimplemented
from ..pipeline import Pipeline
from ..schema import Scope, Table
from ..store import EntryKey, OneShot, Remarks, StoredEntry
from . import profiles

Type = p4r.Update.Type

# ---- writing --------------------------------------------------------------------------------------------------------


def write(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.TableEntry) -> None:
    """INSERT, MODIFY or DELETE one entry, or MODIFY a default entry."""
    table = pipeline.schema.table(message.table_id)
    with at(f"table {table.name}"):
        if message.is_const:
            raise invalid("is_const is set; only the program makes constant entries")
        if message.is_default_action:
            _write_default(pipeline, table, update_type, message)
        elif update_type == Type.INSERT:
            _insert(pipeline, table, message)
        elif update_type == Type.MODIFY:
            _modify(pipeline, table, message)
        else:
            _delete(pipeline, table, message)


def decode_entry_key(table: Table, message: p4r.TableEntry) -> EntryKey:
    """Key and priority of `message`. Raises INVALID_ARGUMENT."""
    codec.check_priority(table, message.priority)
    return codec.decode_key(table, message.match), message.priority


def _insert(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> None:
    if table.is_const:
        raise denied("its entries are constant")
    if not table.fields:
        raise invalid("it has no key, so only its default entry can be written; set is_default_action")
    key, priority = decode_entry_key(table, message)
    place = f"entry {codec.describe_key(table, key, priority)}"
    entries = pipeline.store.tables[table.id]
    if (key, priority) in entries:
        raise already_exists(f"{place} is there already; use MODIFY to change it")
    counter, meter = _decode_direct(table, message)
    idle_timeout_ns = _decode_idle_timeout(table, message)
    with pipeline.calling(place) as engine:
        action, one_shot = _decode_entry_action(pipeline, table, message.action)
        entry = TableEntry(key, action, priority, idle_timeout_ns)
        try:
            engine.insert(table.name, entry)
        except EngineError as error:
            profiles.remove_one_shot(pipeline, table.profile, one_shot)
            if isinstance(error, NoRoom):
                raise exhausted(f"the table holds its size of {table.size} entries; delete some first") from error
            raise
        if counter:
            engine.write_direct_counter(table.name, key, priority, counter)
        if meter:
            engine.write_direct_meter(table.name, key, priority, meter)
    entries[key, priority] = StoredEntry(entry, _remarks(message), one_shot)


def _modify(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> None:
    key, priority = decode_entry_key(table, message)
    place = f"entry {codec.describe_key(table, key, priority)}"
    stored = find(pipeline, table, (key, priority))
    counter, meter = _decode_direct(table, message)
    if stored.is_const and message.HasField("action"):
        raise denied(f"{place} is constant; leave its action out to change its direct counter or meter")
    with pipeline.calling(place) as engine:
        # Without an action the entry stays as it is, and only its direct resources change (specification 9.1.2).
        if message.HasField("action"):
            _replace(pipeline, table, stored, message)
        if counter:
            engine.write_direct_counter(table.name, key, priority, counter)
        if table.meter:
            engine.write_direct_meter(table.name, key, priority, meter)


def _replace(pipeline: Pipeline, table: Table, stored: StoredEntry, message: p4r.TableEntry) -> None:
    idle_timeout_ns = _decode_idle_timeout(table, message)
    action, one_shot = _decode_entry_action(pipeline, table, message.action)
    entry = replace(stored.entry, action=action, idle_timeout_ns=idle_timeout_ns)
    try:
        pipeline.engine.modify(table.name, entry)
    except EngineError:
        profiles.remove_one_shot(pipeline, table.profile, one_shot)
        raise
    profiles.remove_one_shot(pipeline, table.profile, stored.one_shot)
    pipeline.store.tables[table.id][entry.key, entry.priority] = StoredEntry(entry, _remarks(message), one_shot)


def _delete(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> None:
    if table.is_const:
        raise denied("its entries are constant")
    key, priority = decode_entry_key(table, message)
    stored = find(pipeline, table, (key, priority))
    with pipeline.calling(f"entry {codec.describe_key(table, key, priority)}") as engine:
        engine.delete(table.name, key, priority)
        profiles.remove_one_shot(pipeline, table.profile, stored.one_shot)
    del pipeline.store.tables[table.id][key, priority]


def _write_default(pipeline: Pipeline, table: Table, update_type: Type.ValueType, message: p4r.TableEntry) -> None:
    with at("default entry"):
        if update_type != Type.MODIFY:
            raise invalid("is always there, so it can't be inserted or deleted; use MODIFY")
        if message.match or message.priority:
            raise invalid("has no match fields and no priority")
        if message.idle_timeout_ns or message.HasField("time_since_last_hit"):
            raise invalid("can't time out; leave idle_timeout_ns and time_since_last_hit unset")
        if table.const_default:
            raise denied("is constant")
        _refuse_direct_of_default(message)
        action = _decode_default_action(pipeline, table, message) if message.HasField("action") else None
        with pipeline.calling(f"table {table.name}") as engine:
            engine.set_default(table.name, action)
    if action is None:
        pipeline.store.default_remarks.pop(table.id, None)
    else:
        pipeline.store.default_remarks[table.id] = _remarks(message)


def _refuse_direct_of_default(message: p4r.TableEntry) -> None:
    if message.HasField("counter_data") or message.HasField("meter_config") or message.HasField("meter_counter_data"):
        # simple_switch counts and meters hits only; a miss touches neither.
        raise unimplemented("has no direct counter and no direct meter on this target, which counts hits only")


def _decode_default_action(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> ActionCall:
    if table.profile:
        raise denied(f"can't be changed in a table with an action profile ({table.profile.name})")
    if message.action.WhichOneof("type") != "action":
        raise invalid("needs an action")
    return _decode_direct_action(table, message.action.action, Scope.TABLE_ONLY)


def _decode_entry_action(
    pipeline: Pipeline, table: Table, message: p4r.TableAction
) -> tuple[EntryAction, OneShot | None]:
    """The engine's action of an entry; a one-shot set is put in place on the way."""
    kind = message.WhichOneof("type")
    match kind:
        case None:
            raise invalid("action is not set")
        case "action" if table.profile is None:
            return _decode_direct_action(table, message.action, Scope.DEFAULT_ONLY), None
        case "action_profile_member_id" if table.profile:
            member_id = message.action_profile_member_id
            profiles.find_member(pipeline, table.profile, member_id)
            return MemberRef(member_id), None
        case "action_profile_group_id" if table.profile and table.profile.has_groups:
            group_id = message.action_profile_group_id
            profiles.find_group(pipeline, table.profile, group_id)
            return GroupRef(group_id), None
        case "action_profile_action_set" if table.profile and table.profile.has_groups:
            one_shot = profiles.insert_one_shot(pipeline, table.profile, message.action_profile_action_set)
            return GroupRef(one_shot.group_id), one_shot
        case _:
            raise invalid(f"action is {kind}; the table takes {_action_kinds(table)}")


def _action_kinds(table: Table) -> str:
    if table.profile is None:
        return "action"
    if not table.profile.has_groups:
        return "action_profile_member_id"
    return "action_profile_member_id, action_profile_group_id or action_profile_action_set"


def _decode_direct_action(table: Table, message: p4r.Action, wrong_scope: Scope.ValueType) -> ActionCall:
    if message.action_id not in table.actions:
        names = ", ".join(f"{action.id:#010x} ({action.name})" for action, _ in table.actions.values())
        raise invalid(f"action id {message.action_id:#010x} is not one of its actions: {names}")
    action, scope = table.actions[message.action_id]
    if scope == wrong_scope:
        raise denied(f"action {action.name} is {Scope.Name(scope)}")
    return codec.decode_action(action, message)


def _decode_direct(table: Table, message: p4r.TableEntry) -> tuple[CounterValue | None, MeterRates | None]:
    """The initial or new values of the entry's direct counter and meter; None where not given."""
    _check_direct(table, message)
    counter = codec.decode_counter(message.counter_data) if message.HasField("counter_data") else None
    if table.meter and message.HasField("meter_config"):
        return counter, codec.decode_meter(table.meter, message.meter_config)
    return counter, None


def _check_direct(table: Table, message: p4r.TableEntry) -> None:
    if message.HasField("counter_data") and not table.has_counter:
        raise invalid("counter_data is set, but the table has no direct counter")
    if message.HasField("meter_config") and not table.meter:
        raise invalid("meter_config is set, but the table has no direct meter")
    if message.HasField("meter_counter_data"):
        raise unimplemented("meter_counter_data: this target does not count packets by colour")


def _decode_idle_timeout(table: Table, message: p4r.TableEntry) -> int:
    if message.HasField("time_since_last_hit"):
        raise invalid("time_since_last_hit can't be written")
    if message.idle_timeout_ns < 0:
        raise invalid(f"idle_timeout_ns {message.idle_timeout_ns} is negative")
    if message.idle_timeout_ns and not table.idle_timeout:
        raise invalid("idle_timeout_ns is set, but the table was not declared with support_timeout = true")
    return message.idle_timeout_ns


def _remarks(message: p4r.TableEntry) -> Remarks:
    return Remarks(message.metadata, message.controller_metadata)


# ---- reading --------------------------------------------------------------------------------------------------------


def find(pipeline: Pipeline, table: Table, key: EntryKey) -> StoredEntry:
    """Raises: NOT_FOUND."""
    try:
        return pipeline.store.tables[table.id][key]
    except KeyError:
        raise not_found(f"entry {codec.describe_key(table, *key)} is not there; use INSERT to add it") from None


def is_there(pipeline: Pipeline, message: p4r.TableEntry) -> bool:
    """Whether there is an entry with the key of `message`. Raises INVALID_ARGUMENT if that is no key of the table."""
    table = pipeline.schema.table(message.table_id)
    with at(f"table {table.name}"):
        return decode_entry_key(table, message) in pipeline.store.tables[table.id]


def read(pipeline: Pipeline, message: p4r.TableEntry) -> Iterator[p4r.Entity]:
    """The entries, or with is_default_action the default entries, that `message` selects (specification 9.1.6)."""
    for table in select_tables(pipeline, message):
        # Wildcard reads ask each table for the direct resources it has.
        if message.table_id:
            with at(f"table {table.name}"):
                _check_read(table, message)
        if message.is_default_action:
            yield p4r.Entity(table_entry=_read_default(pipeline, table))
        else:
            for stored in select(pipeline, table, message):
                yield p4r.Entity(table_entry=_encode(pipeline, table, stored, message))


def select_tables(pipeline: Pipeline, message: p4r.TableEntry) -> Iterator[Table]:
    """The table that `message` names, or all. Raises INVALID_ARGUMENT for a filter without a table."""
    if message.table_id:
        yield pipeline.schema.table(message.table_id)
        return
    if message.match or message.priority or message.metadata or message.controller_metadata:
        raise invalid("table_id is not set, which reads all tables; no other filter goes with it")
    yield from pipeline.schema.tables.values()


def select(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> Iterator[StoredEntry]:
    """The entries of `table` that `message`, as a filter, selects; with a match, the one entry, if it is there."""
    with at(f"table {table.name}"):
        candidates = _candidates(pipeline, table, message)
        action_name = _decode_action_filter(table, message)
    for stored in candidates:
        if (
            message.priority in (0, stored.entry.priority)
            and message.metadata in (b"", stored.remarks.metadata)
            and message.controller_metadata in (0, stored.remarks.controller_metadata)
            and (action_name is None or _has_action(stored, action_name))
        ):
            yield stored


def _candidates(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> Iterable[StoredEntry]:
    """The entries with the match of `message`, found without a scan where that and its priority make a whole key."""
    entries = pipeline.store.tables[table.id]
    if not message.match:
        return entries.values()
    key = codec.decode_key(table, message.match)
    if table.has_priority and not message.priority:
        return [stored for stored in entries.values() if stored.entry.key == key]
    stored = entries.get((key, message.priority))
    return [stored] if stored else []


def _decode_action_filter(table: Table, message: p4r.TableEntry) -> str | None:
    if not message.HasField("action"):
        return None
    if message.action.WhichOneof("type") != "action" or message.action.action.params:
        raise unimplemented("entries can be selected by action id only")
    if message.action.action.action_id not in table.actions:
        raise invalid(f"action id {message.action.action.action_id:#010x} is not one of its actions")
    return table.actions[message.action.action.action_id][0].name


def _has_action(stored: StoredEntry, name: str) -> bool:
    return isinstance(stored.entry.action, ActionCall) and stored.entry.action.action == name


def _check_read(table: Table, message: p4r.TableEntry) -> None:
    _check_direct(table, message)
    if message.is_default_action:
        _refuse_direct_of_default(message)
    if message.HasField("time_since_last_hit") and (message.is_default_action or not table.idle_timeout):
        raise invalid("time_since_last_hit is asked for, but these entries have no idle timeout")


def _read_default(pipeline: Pipeline, table: Table) -> p4r.TableEntry:
    with pipeline.lock:
        action = pipeline.engine.default(table.name)
    remarks = pipeline.store.default_remarks.get(table.id, Remarks())
    return p4r.TableEntry(
        table_id=table.id,
        action=action and _encode_action(pipeline, action),
        is_default_action=True,
        is_const=table.const_default,
        metadata=remarks.metadata,
        controller_metadata=remarks.controller_metadata,
    )


def encode_identity(table: Table, stored: StoredEntry) -> p4r.TableEntry:
    """Key fields, remarks and timeout: what tells a client which of its entries this is."""
    return p4r.TableEntry(
        table_id=table.id,
        match=codec.encode_key(table, stored.entry.key),
        priority=stored.entry.priority,
        metadata=stored.remarks.metadata,
        controller_metadata=stored.remarks.controller_metadata,
        idle_timeout_ns=stored.entry.idle_timeout_ns,
    )


def _encode(pipeline: Pipeline, table: Table, stored: StoredEntry, wanted: p4r.TableEntry) -> p4r.TableEntry:
    message = encode_identity(table, stored)
    message.is_const = stored.is_const
    if stored.one_shot:
        message.action.action_profile_action_set.CopyFrom(stored.one_shot.action_set)
    else:
        message.action.CopyFrom(_encode_action(pipeline, stored.entry.action))
    name, key, priority = table.name, stored.entry.key, stored.entry.priority
    with pipeline.lock:
        if table.has_counter and wanted.HasField("counter_data"):
            message.counter_data.CopyFrom(
                codec.encode_counter(pipeline.engine.read_direct_counter(name, key, priority))
            )
        wants_meter = table.meter and wanted.HasField("meter_config")
        if wants_meter and (rates := pipeline.engine.read_direct_meter(name, key, priority)):
            message.meter_config.CopyFrom(codec.encode_meter(rates))
        if table.idle_timeout and wanted.HasField("time_since_last_hit"):
            message.time_since_last_hit.elapsed_ns = pipeline.engine.idle_ns(name, key, priority)
    return message


def _encode_action(pipeline: Pipeline, action: EntryAction) -> p4r.TableAction:
    match action:
        case ActionCall():
            return p4r.TableAction(action=codec.encode_action(pipeline.schema, action))
        case MemberRef(member_id):
            return p4r.TableAction(action_profile_member_id=member_id)
        case GroupRef(group_id):
            return p4r.TableAction(action_profile_group_id=group_id)
