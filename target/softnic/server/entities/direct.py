# SPDX-License-Identifier: Apache-2.0
"""Direct counters and meters addressed by their table entry (specification 9.3.1, 9.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from softnic.engine import PackedMatch

from .. import codec
from ..errors import at, invalid, unimplemented
from ..pipeline import Pipeline
from ..schema import Meter, Table
from ..table import PipelineTable
from . import table_reads
from .arrays import refuse_colour_counters, require_modify

Type = p4r.Update.Type


def _table(pipeline: Pipeline, message: p4r.TableEntry) -> PipelineTable:
    table = pipeline.table(message.table_id)
    if message.is_default_action:
        # simple_switch counts and meters hits only; a miss touches neither.
        raise unimplemented(f"table {table.schema.name}: the default entry has no direct counter and no direct meter")
    return table


def _require_counter(table: Table) -> None:
    if not table.has_counter:
        raise invalid("has no direct counter")


def _require_meter(table: Table) -> Meter:
    if table.meter is None:
        raise invalid("has no direct meter")
    return table.meter


def write_counter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectCounterEntry) -> None:
    table = _table(pipeline, message.table_entry)
    with pipeline.calling(f"direct counter of table {table.schema.name}"):
        require_modify(update_type)
        _require_counter(table.schema)
        entry = table_reads.find(table, message.table_entry)
        if message.HasField("data"):
            table.entries.write_counter(entry.match, codec.decode_counter(message.data))


def write_meter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectMeterEntry) -> None:
    table = _table(pipeline, message.table_entry)
    with pipeline.calling(f"direct meter of table {table.schema.name}"):
        require_modify(update_type)
        meter = _require_meter(table.schema)
        refuse_colour_counters(message)
        entry = table_reads.find(table, message.table_entry)
        rates = codec.decode_meter(meter, message.config) if message.HasField("config") else None
        table.entries.write_meter(entry.match, rates)


def _selected(table: PipelineTable, message: p4r.TableEntry) -> Iterator[tuple[p4r.TableEntry, PackedMatch]]:
    """The entries that `message` selects, each with the message that names it; NOT_FOUND for a match without entry."""
    if message.match:
        with at(f"table {table.schema.name}"):
            table_reads.find(table, message)
    key = p4r.TableEntry(table_id=table.schema.id, match=message.match, priority=message.priority)
    for entry in table_reads.select(table, key):
        name = p4r.TableEntry(table_id=table.schema.id, priority=entry.match.priority)
        table.key.encode(entry.match, name.match)
        yield name, entry.match


def read_counters(pipeline: Pipeline, message: p4r.DirectCounterEntry) -> Iterator[p4r.Entity]:
    """The counter of one entry, of all entries of a table, or (no table id) of all tables that have one."""
    filter_ = message.table_entry
    if filter_.table_id:
        table = _table(pipeline, filter_)
        with at(f"table {table.schema.name}"):
            _require_counter(table.schema)
    for table in table_reads.select_tables(pipeline, filter_):
        if not table.schema.has_counter:
            continue
        for name, match in _selected(table, filter_):
            with table.lock:
                value = table.entries.read_counter(match)
            yield p4r.Entity(
                direct_counter_entry=p4r.DirectCounterEntry(table_entry=name, data=codec.encode_counter(value))
            )


def read_meters(pipeline: Pipeline, message: p4r.DirectMeterEntry) -> Iterator[p4r.Entity]:
    """The meter of one entry, of all entries of a table, or (no table id) of all tables that have one."""
    filter_ = message.table_entry
    refuse_colour_counters(message)
    if filter_.table_id:
        table = _table(pipeline, filter_)
        with at(f"table {table.schema.name}"):
            _require_meter(table.schema)
    for table in table_reads.select_tables(pipeline, filter_):
        if not table.schema.meter:
            continue
        for name, match in _selected(table, filter_):
            with table.lock:
                rates = table.entries.read_meter(match)
            yield p4r.Entity(
                direct_meter_entry=p4r.DirectMeterEntry(table_entry=name, config=rates and codec.encode_meter(rates))
            )
