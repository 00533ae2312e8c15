# SPDX-License-Identifier: Apache-2.0
"""Reading table entries and default entries, by filters or one by its key (specification 9.1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from finsy.proto import p4r

from softnic.engine import (
    ActionCall,
    EntryNotFound,
    GroupRef,
    MemberRef,
    PackedCall,
    PackedEntry,
    PackedMatch,
)

from .. import codec
from ..errors import at, invalid, unimplemented
from ..pipeline import Pipeline
from ..schema import Table
from ..store import NO_EXTRAS, Extras
from ..table import EntryName, PipelineTable
from .tables import check_direct, refusal

_EVERYTHING = p4r.TableEntry(
    counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig(), meter_counter_data=p4r.MeterCounterData()
)
"""Asks for all that can be written."""


def find(table: PipelineTable, message: p4r.TableEntry) -> PackedEntry:
    """The entry with the key of `message`. Raises: NOT_FOUND, or INVALID_ARGUMENT if that is no key of the table."""
    match = table.key.decode_whole(message)
    entry = table.find(match)
    if entry is None:
        raise refusal(table.schema, EntryNotFound()).at(str(EntryName(table, match)))
    return entry


def is_there(pipeline: Pipeline, message: p4r.TableEntry) -> bool:
    """Whether there is an entry with the key of `message`. Raises INVALID_ARGUMENT if that is no key of the table."""
    table = pipeline.table(message.table_id)
    with at(f"table {table.schema.name}"):
        return table.find(table.key.decode_whole(message)) is not None


def read(pipeline: Pipeline, message: p4r.TableEntry) -> Iterator[p4r.Entity]:
    """The entries, or with is_default_action the default entries, that `message` selects (specification 9.1.6).

    They are what they are at the call, and become messages in the iterator, which needs no lock: there may be millions.
    """
    return chain.from_iterable([_read_table(pipeline, table, message) for table in select_tables(pipeline, message)])


def _read_table(pipeline: Pipeline, table: PipelineTable, message: p4r.TableEntry) -> Iterable[p4r.Entity]:
    # Wildcard reads ask each table for the direct resources it has.
    if message.table_id:
        with at(f"table {table.schema.name}"):
            _check_read(table.schema, message)
    if message.is_default_action:
        return [p4r.Entity(table_entry=_read_default(pipeline, table, message))]
    answers = (_encode(pipeline, table, entry, extras, message) for entry, extras in select(table, message))
    return list(answers) if _wants_direct(table.schema, message) else answers


def read_to_restore(pipeline: Pipeline, message: p4r.TableEntry) -> Iterator[p4r.Entity]:
    """The entry or default entry that `message` names, if it is there: what to write to have it back as it is now."""
    table = pipeline.table(message.table_id)
    if message.is_default_action:
        yield p4r.Entity(table_entry=_read_default(pipeline, table, _EVERYTHING))
        return
    with at(f"table {table.schema.name}"):
        entry = table.find(table.key.decode_whole(message))
    if entry is None:
        return
    entity = _encode(pipeline, table, entry, table.extras_of(entry.match), _EVERYTHING)
    if entity.table_entry.is_const:
        entity.table_entry.ClearField("is_const")
        entity.table_entry.ClearField("action")
    yield entity


def select_tables(pipeline: Pipeline, message: p4r.TableEntry) -> Iterator[PipelineTable]:
    """The table that `message` names, or all. Raises INVALID_ARGUMENT for a filter without a table."""
    if message.table_id:
        yield pipeline.table(message.table_id)
        return
    if message.match or message.priority or message.metadata or message.controller_metadata:
        raise invalid("table_id is not set, which reads all tables; no other filter goes with it")
    yield from pipeline.tables.values()


def select(table: PipelineTable, message: p4r.TableEntry) -> Iterator[tuple[PackedEntry, Extras]]:
    """The entries of `table` that `message`, as a filter, selects; with a match, the one entry, if it is there.

    They are what they are at the call.
    """
    with at(f"table {table.schema.name}"):
        candidates = _candidates(table, message)
        action_name = _decode_action_filter(table.schema, message)
    priority, metadata, controller_metadata = message.priority, message.metadata, message.controller_metadata
    return (
        (entry, extras)
        for entry, extras in candidates
        if priority in (0, entry.match.priority)
        and metadata in (b"", extras.metadata)
        and controller_metadata in (0, extras.controller_metadata)
        and (action_name is None or _has_action(entry, action_name))
    )


def _candidates(table: PipelineTable, message: p4r.TableEntry) -> Iterable[tuple[PackedEntry, Extras]]:
    """The entries with the match of `message`, found at once where that and its priority make a whole key."""
    if not message.match:
        return table.snapshot()
    match = table.key.decode(message.match, message.priority)
    if table.schema.has_priority and not message.priority:
        return (found for found in table.snapshot() if found[0].match[:2] == match[:2])
    entry = table.find(match)
    return [(entry, table.extras_of(match))] if entry else []


def _decode_action_filter(table: Table, message: p4r.TableEntry) -> str | None:
    if not message.HasField("action"):
        return None
    if message.action.WhichOneof("type") != "action" or message.action.action.params:
        raise unimplemented("entries can be selected by action id only")
    if message.action.action.action_id not in table.actions:
        raise invalid(f"action id {message.action.action.action_id:#010x} is not one of its actions")
    return table.actions[message.action.action.action_id][0].name


def _has_action(entry: PackedEntry, name: str) -> bool:
    return isinstance(entry.action, PackedCall) and entry.action.action == name


def _check_read(table: Table, message: p4r.TableEntry) -> None:
    check_direct(table, message)
    if message.HasField("time_since_last_hit") and (message.is_default_action or not table.idle_timeout):
        raise invalid("time_since_last_hit is asked for, but these entries have no idle timeout")


def _read_default(pipeline: Pipeline, table: PipelineTable, wanted: p4r.TableEntry) -> p4r.TableEntry:
    schema = table.schema
    with pipeline.lock:
        action = pipeline.engine.default(schema.name)
    extras = pipeline.store.default_extras.get(schema.id, NO_EXTRAS)
    message = p4r.TableEntry(
        table_id=schema.id,
        is_default_action=True,
        is_const=schema.const_default,
        metadata=extras.metadata,
        controller_metadata=extras.controller_metadata,
    )
    match action:
        case ActionCall():
            message.action.action.CopyFrom(codec.encode_action(pipeline.schema, action))
        case MemberRef() | GroupRef():
            _encode_reference(action, message.action)
    _encode_direct(table, None, wanted, message)
    return message


def encode_identity(table: PipelineTable, entry: PackedEntry, extras: Extras, message: p4r.TableEntry) -> None:
    """Set key fields, metadata and timeout of `message`: what tells a client which of its entries this is."""
    message.table_id = table.schema.id
    table.key.encode(entry.match, message.match)
    message.priority = entry.match.priority
    message.idle_timeout_ns = entry.idle_timeout_ns
    message.metadata = extras.metadata
    message.controller_metadata = extras.controller_metadata


def _encode(
    pipeline: Pipeline, table: PipelineTable, entry: PackedEntry, extras: Extras, wanted: p4r.TableEntry
) -> p4r.Entity:
    entity = p4r.Entity()
    message = entity.table_entry
    encode_identity(table, entry, extras, message)
    message.is_const = table.schema.is_const
    if one_shot := extras.one_shot:
        message.action.action_profile_action_set.CopyFrom(one_shot.action_set)
    elif isinstance(entry.action, PackedCall):
        codec.encode_call(pipeline.schema, entry.action, message.action.action)
    else:
        _encode_reference(entry.action, message.action)
    _encode_direct(table, entry.match, wanted, message)
    if table.schema.idle_timeout and wanted.HasField("time_since_last_hit"):
        with table.lock:
            message.time_since_last_hit.elapsed_ns = table.entries.idle_ns(entry.match)
    return entity


def _encode_reference(action: MemberRef | GroupRef, message: p4r.TableAction) -> None:
    match action:
        case MemberRef(member_id):
            message.action_profile_member_id = member_id
        case GroupRef(group_id):
            message.action_profile_group_id = group_id


def _wants_direct(table: Table, wanted: p4r.TableEntry) -> bool:
    """Whether something is asked for that has to be read now, as it is no part of a snapshot."""
    return (
        (table.has_counter and wanted.HasField("counter_data"))
        or (table.meter is not None and (wanted.HasField("meter_config") or wanted.HasField("meter_counter_data")))
        or (table.idle_timeout and wanted.HasField("time_since_last_hit"))
    )


def _encode_direct(
    table: PipelineTable, match: PackedMatch | None, wanted: p4r.TableEntry, message: p4r.TableEntry
) -> None:
    """What `wanted` asks for and the table has. A `match` of None is the default entry."""
    if table.schema.has_counter and wanted.HasField("counter_data"):
        with table.lock:
            count = table.entries.read_counter(match)
        message.counter_data.CopyFrom(codec.encode_counter(count))
    if table.schema.meter and wanted.HasField("meter_config"):
        with table.lock:
            rates = table.entries.read_meter(match)
        if rates:
            message.meter_config.CopyFrom(codec.encode_meter(rates))
    if table.schema.meter and wanted.HasField("meter_counter_data"):
        with table.lock:
            counts = table.entries.read_meter_counts(match)
        message.meter_counter_data.CopyFrom(codec.encode_colour_counts(counts))
