# SPDX-License-Identifier: Apache-2.0
"""Writing table entries, default entries, and the direct counters and meters of entries (specification 9.1)."""

from __future__ import annotations

from collections.abc import Callable

from finsy.proto import p4r

from softnic.engine import (
    ActionCall,
    ColourCounts,
    CounterValue,
    EngineError,
    EntryExists,
    EntryNotFound,
    GroupRef,
    MemberRef,
    MeterRates,
    NoRoom,
    PackedAction,
    PackedEntry,
    PackedMatch,
)

from .. import codec
from ..errors import (
    P4RuntimeError,
    already_exists,
    at,
    denied,
    exhausted,
    from_engine,
    invalid,
    not_found,
)
from ..pipeline import Pipeline
from ..schema import Action, Scope, Table
from ..store import NO_EXTRAS, Extras, OneShot
from ..table import EntryName, PipelineTable
from . import profiles

Type = p4r.Update.Type
# An enum looks its members up by name, each time.
INSERT, MODIFY = p4r.Update.INSERT, p4r.Update.MODIFY
DEFAULT_ONLY, TABLE_ONLY = Scope.DEFAULT_ONLY, Scope.TABLE_ONLY


def write(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.TableEntry) -> None:
    """INSERT, MODIFY or DELETE one entry, or MODIFY a default entry."""
    table = pipeline.table(message.table_id)
    try:
        if message.is_const:
            raise invalid("is_const is set; only the program makes constant entries")
        if message.is_default_action:
            _write_default(pipeline, table, update_type, message)
        elif update_type == INSERT:
            _insert(pipeline, table, message)
        elif update_type == MODIFY:
            _modify(pipeline, table, message)
        else:
            _delete(pipeline, table, message)
    except P4RuntimeError as error:
        raise error.at(f"table {table.schema.name}") from error.__cause__


def _insert(pipeline: Pipeline, table: PipelineTable, message: p4r.TableEntry) -> None:
    schema = table.schema
    if schema.is_const:
        raise denied("its entries are constant")
    if not schema.fields:
        raise invalid("it has no key, so only its default entry can be written; set is_default_action")
    match = table.key.decode_whole(message)
    counter, rates, counts = _decode_direct(schema, message)
    idle_timeout_ns = _decode_idle_timeout(schema, message)
    with pipeline.calling(EntryName(table, match)):
        if schema.profile and table.find(match):  # refused before a one-shot is put in place
            raise refusal(schema, EntryExists())
        action, one_shot = _decode_entry_action(pipeline, schema, message.action)
        _put(pipeline, table, table.entries.insert, PackedEntry(match, action, idle_timeout_ns), one_shot)
        if counter:
            table.entries.write_counter(match, counter)
        if rates:
            table.entries.write_meter(match, rates)
        if counts:
            table.entries.write_meter_counts(match, counts)
        _keep_extras(table, match, message, one_shot)


def _modify(pipeline: Pipeline, table: PipelineTable, message: p4r.TableEntry) -> None:
    schema = table.schema
    match = table.key.decode_whole(message)
    direct = _decode_direct(schema, message)
    with pipeline.calling(EntryName(table, match)):
        # Without an action the entry stays as it is, and only its direct resources change (specification 9.1.2).
        if message.HasField("action"):
            _replace(pipeline, table, match, message)
        elif not table.find(match):
            raise refusal(schema, EntryNotFound())
        _modify_direct(table, match, direct)


def _replace(pipeline: Pipeline, table: PipelineTable, match: PackedMatch, message: p4r.TableEntry) -> None:
    schema = table.schema
    if (schema.is_const or schema.profile) and not table.find(match):
        raise refusal(schema, EntryNotFound())
    if schema.is_const:
        raise denied("is constant; leave its action out to change its direct counter or meter")
    idle_timeout_ns = _decode_idle_timeout(schema, message)
    action, one_shot = _decode_entry_action(pipeline, schema, message.action)
    _put(pipeline, table, table.entries.modify, PackedEntry(match, action, idle_timeout_ns), one_shot)
    profiles.remove_one_shot(pipeline, schema.profile, table.extras_of(match).one_shot)
    _keep_extras(table, match, message, one_shot)


def _put(
    pipeline: Pipeline,
    table: PipelineTable,
    write_entry: Callable[[PackedEntry], None],
    entry: PackedEntry,
    one_shot: OneShot | None,
) -> None:
    """Raises: P4RuntimeError; then `one_shot`, which was put in place for the entry, is gone too."""
    try:
        write_entry(entry)
    except EngineError as error:
        profiles.remove_one_shot(pipeline, table.schema.profile, one_shot)
        raise refusal(table.schema, error) from error


def _delete(pipeline: Pipeline, table: PipelineTable, message: p4r.TableEntry) -> None:
    if table.schema.is_const:
        raise denied("its entries are constant")
    match = table.key.decode_whole(message)
    with pipeline.calling(EntryName(table, match)):
        try:
            table.entries.delete(match)
        except EngineError as error:
            raise refusal(table.schema, error) from error
        profiles.remove_one_shot(pipeline, table.schema.profile, table.extras.pop(match, NO_EXTRAS).one_shot)


def refusal(schema: Table, error: EngineError) -> P4RuntimeError:
    """What the engine says of an entry, and what to do about it."""
    match error:
        case EntryExists():
            return already_exists("is there already; use MODIFY to change it")
        case EntryNotFound():
            return not_found("is not there; use INSERT to add it")
        case NoRoom():
            return exhausted(f"the table holds its size of {schema.size} entries; delete some first")
        case _:
            return from_engine(error)


def _keep_extras(
    table: PipelineTable, match: PackedMatch, message: p4r.TableEntry, one_shot: OneShot | None = None
) -> None:
    if one_shot or message.metadata or message.controller_metadata:
        table.extras[match] = Extras(message.metadata, message.controller_metadata, one_shot)
    else:
        table.extras.pop(match, None)


def _write_default(
    pipeline: Pipeline, table: PipelineTable, update_type: Type.ValueType, message: p4r.TableEntry
) -> None:
    schema = table.schema
    with at("default entry"):
        if update_type != MODIFY:
            raise invalid("is always there, so it can't be inserted or deleted; use MODIFY")
        if message.match or message.priority:
            raise invalid("has no match fields and no priority")
        if message.idle_timeout_ns or message.HasField("time_since_last_hit"):
            raise invalid("can't time out; leave idle_timeout_ns and time_since_last_hit unset")
        if schema.const_default:
            raise denied("is constant")
        direct = _decode_direct(schema, message)
        action = _decode_default_action(schema, message) if message.HasField("action") else None
        with pipeline.calling(f"table {schema.name}") as engine:
            engine.set_default(schema.name, action)
            _modify_direct(table, None, direct)
    if action is None:
        pipeline.store.default_extras.pop(schema.id, None)
    else:
        pipeline.store.default_extras[schema.id] = Extras(message.metadata, message.controller_metadata)


def _decode_default_action(table: Table, message: p4r.TableEntry) -> ActionCall:
    if table.profile:
        raise denied(f"can't be changed in a table with an action profile ({table.profile.name})")
    if message.action.WhichOneof("type") != "action":
        raise invalid("needs an action")
    call = message.action.action
    return codec.decode_action(_find_action(table, call, TABLE_ONLY), call)


def _decode_entry_action(
    pipeline: Pipeline, table: Table, message: p4r.TableAction
) -> tuple[PackedAction, OneShot | None]:
    """The engine's action of an entry; a one-shot set is put in place on the way."""
    kind = message.WhichOneof("type")
    match kind:
        case None:
            raise invalid("action is not set")
        case "action" if table.profile is None:
            call = message.action
            return codec.decode_call(_find_action(table, call, DEFAULT_ONLY), call), None
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


def _find_action(table: Table, message: p4r.Action, wrong_scope: Scope.ValueType) -> Action:
    if message.action_id not in table.actions:
        names = ", ".join(f"{action.id:#010x} ({action.name})" for action, _ in table.actions.values())
        raise invalid(f"action id {message.action_id:#010x} is not one of its actions: {names}")
    action, scope = table.actions[message.action_id]
    if scope == wrong_scope:
        raise denied(f"action {action.name} is {Scope.Name(scope)}")
    return action


_Direct = tuple[CounterValue | None, MeterRates | None, ColourCounts | None]
"""Of an entry's direct counter and direct meter; None where a message does not give it."""

_NO_DIRECT: _Direct = (None, None, None)


def _decode_direct(table: Table, message: p4r.TableEntry) -> _Direct:
    """The initial or new values."""
    check_direct(table, message)
    if not (table.has_counter or table.meter):
        return _NO_DIRECT
    counter = rates = counts = None
    if message.HasField("counter_data"):
        counter = codec.decode_counter(message.counter_data)
    if table.meter and message.HasField("meter_config"):
        rates = codec.decode_meter(table.meter, message.meter_config)
    if message.HasField("meter_counter_data"):
        counts = codec.decode_colour_counts(message.meter_counter_data)
    return counter, rates, counts


def _modify_direct(table: PipelineTable, match: PackedMatch | None, direct: _Direct) -> None:
    """What is not given stays, but for the meter's configuration, which becomes the default one (9.1.7).

    A `match` of None is the default entry.
    """
    counter, rates, counts = direct
    if counter:
        table.entries.write_counter(match, counter)
    if table.schema.meter:
        table.entries.write_meter(match, rates)
    if counts:
        table.entries.write_meter_counts(match, counts)


def check_direct(table: Table, message: p4r.TableEntry) -> None:
    """Raises INVALID_ARGUMENT where `message` writes, or asks for, a direct resource that the table does not have."""
    if message.HasField("counter_data") and not table.has_counter:
        raise invalid("counter_data is set, but the table has no direct counter")
    if message.HasField("meter_config") and not table.meter:
        raise invalid("meter_config is set, but the table has no direct meter")
    if message.HasField("meter_counter_data") and not table.meter:
        raise invalid("meter_counter_data is set, but the table has no direct meter")


def _decode_idle_timeout(table: Table, message: p4r.TableEntry) -> int:
    if message.HasField("time_since_last_hit"):
        raise invalid("time_since_last_hit can't be written")
    if message.idle_timeout_ns < 0:
        raise invalid(f"idle_timeout_ns {message.idle_timeout_ns} is negative")
    if message.idle_timeout_ns and not table.idle_timeout:
        raise invalid("idle_timeout_ns is set, but the table was not declared with support_timeout = true")
    return message.idle_timeout_ns
