# SPDX-License-Identifier: Apache-2.0
"""Direct counters and meters addressed by their table entry (specification 9.3.1, 9.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from .. import codec
from ..errors import at, invalid, unimplemented
from ..pipeline import Pipeline
from ..schema import Meter, Table
from ..store import StoredEntry
from . import tables
from .arrays import refuse_colour_counters, require_modify

Type = p4r.Update.Type


def _table(pipeline: Pipeline, message: p4r.TableEntry) -> Table:
    table = pipeline.schema.table(message.table_id)
    if message.is_default_action:
        # simple_switch counts and meters hits only; a miss touches neither.
        raise unimplemented(f"table {table.name}: the default entry has no direct counter and no direct meter")
    return table


def _find(pipeline: Pipeline, table: Table, message: p4r.TableEntry) -> StoredEntry:
    return tables.find(pipeline, table, tables.decode_entry_key(table, message))


def _require_counter(table: Table) -> None:
    if not table.has_counter:
        raise invalid("has no direct counter")


def _require_meter(table: Table) -> Meter:
    if table.meter is None:
        raise invalid("has no direct meter")
    return table.meter


def write_counter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectCounterEntry) -> None:
    table = _table(pipeline, message.table_entry)
    with pipeline.calling(f"direct counter of table {table.name}") as engine:
        require_modify(update_type)
        _require_counter(table)
        entry = _find(pipeline, table, message.table_entry).entry
        if message.HasField("data"):
            engine.write_direct_counter(table.name, entry.key, entry.priority, codec.decode_counter(message.data))


def write_meter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectMeterEntry) -> None:
    table = _table(pipeline, message.table_entry)
    with pipeline.calling(f"direct meter of table {table.name}") as engine:
        require_modify(update_type)
        meter = _require_meter(table)
        refuse_colour_counters(message)
        entry = _find(pipeline, table, message.table_entry).entry
        rates = codec.decode_meter(meter, message.config) if message.HasField("config") else None
        engine.write_direct_meter(table.name, entry.key, entry.priority, rates)


def _selected(
    pipeline: Pipeline, table: Table, message: p4r.TableEntry
) -> Iterator[tuple[p4r.TableEntry, StoredEntry]]:
    """The entries that `message` selects, each with the message that names it; NOT_FOUND for a match without entry."""
    if message.match:
        with at(f"table {table.name}"):
            _find(pipeline, table, message)
    key = p4r.TableEntry(table_id=table.id, match=message.match, priority=message.priority)
    for stored in tables.select(pipeline, table, key):
        name = p4r.TableEntry(
            table_id=table.id, match=codec.encode_key(table, stored.entry.key), priority=stored.entry.priority
        )
        yield name, stored


def read_counters(pipeline: Pipeline, message: p4r.DirectCounterEntry) -> Iterator[p4r.Entity]:
    """The counter of one entry, of all entries of a table, or (no table id) of all tables that have one."""
    filter_ = message.table_entry
    if filter_.table_id:
        table = _table(pipeline, filter_)
        with at(f"table {table.name}"):
            _require_counter(table)
    for table in tables.select_tables(pipeline, filter_):
        if not table.has_counter:
            continue
        for name, stored in _selected(pipeline, table, filter_):
            with pipeline.lock:
                value = pipeline.engine.read_direct_counter(table.name, stored.entry.key, stored.entry.priority)
            yield p4r.Entity(
                direct_counter_entry=p4r.DirectCounterEntry(table_entry=name, data=codec.encode_counter(value))
            )


def read_meters(pipeline: Pipeline, message: p4r.DirectMeterEntry) -> Iterator[p4r.Entity]:
    """The meter of one entry, of all entries of a table, or (no table id) of all tables that have one."""
    filter_ = message.table_entry
    refuse_colour_counters(message)
    if filter_.table_id:
        table = _table(pipeline, filter_)
        with at(f"table {table.name}"):
            _require_meter(table)
    for table in tables.select_tables(pipeline, filter_):
        if not table.meter:
            continue
        for name, stored in _selected(pipeline, table, filter_):
            with pipeline.lock:
                rates = pipeline.engine.read_direct_meter(table.name, stored.entry.key, stored.entry.priority)
            yield p4r.Entity(
                direct_meter_entry=p4r.DirectMeterEntry(table_entry=name, config=rates and codec.encode_meter(rates))
            )
