# SPDX-License-Identifier: Apache-2.0
"""Direct counters and meters addressed by their table entry, or as the default entry's (specification 9.3.1, 9.4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from softnic.engine import PackedMatch

from .. import codec
from ..errors import at, invalid
from ..pipeline import Pipeline
from ..schema import Meter, Table
from ..table import PipelineTable
from . import table_reads
from .arrays import require_modify

Type = p4r.Update.Type


def _require_counter(table: Table) -> None:
    if not table.has_counter:
        raise invalid("has no direct counter")


def _require_meter(table: Table) -> Meter:
    if table.meter is None:
        raise invalid("has no direct meter")
    return table.meter


def _find(table: PipelineTable, message: p4r.TableEntry) -> PackedMatch | None:
    """The match of the entry that `message` names, as the engine wants it: None for the default entry.

    Raises: NOT_FOUND, INVALID_ARGUMENT.
    """
    if not message.is_default_action:
        return table_reads.find(table, message).match
    if message.match or message.priority:
        raise invalid("the default entry has no match fields and no priority")
    return None


def write_counter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectCounterEntry) -> None:
    table = pipeline.table(message.table_entry.table_id)
    with pipeline.calling(f"direct counter of table {table.schema.name}"):
        require_modify(update_type)
        _require_counter(table.schema)
        match = _find(table, message.table_entry)
        if message.HasField("data"):
            table.entries.write_counter(match, codec.decode_counter(message.data))


def write_meter(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.DirectMeterEntry) -> None:
    table = pipeline.table(message.table_entry.table_id)
    with pipeline.calling(f"direct meter of table {table.schema.name}"):
        require_modify(update_type)
        meter = _require_meter(table.schema)
        match = _find(table, message.table_entry)
        rates = codec.decode_meter(meter, message.config) if message.HasField("config") else None
        counts = codec.decode_colour_counts(message.counter_data) if message.HasField("counter_data") else None
        table.entries.write_meter(match, rates)
        if counts:
            table.entries.write_meter_counts(match, counts)


def _selected(table: PipelineTable, message: p4r.TableEntry) -> Iterator[tuple[p4r.TableEntry, PackedMatch | None]]:
    """The entries that `message` selects, each with the message that names it; NOT_FOUND for a match without entry."""
    if message.is_default_action:
        with at(f"table {table.schema.name}"):
            yield p4r.TableEntry(table_id=table.schema.id, is_default_action=True), _find(table, message)
        return
    if message.match:
        with at(f"table {table.schema.name}"):
            table_reads.find(table, message)
    key = p4r.TableEntry(table_id=table.schema.id, match=message.match, priority=message.priority)
    for entry, _ in table_reads.select(table, key):
        name = p4r.TableEntry(table_id=table.schema.id, priority=entry.match.priority)
        table.key.encode(entry.match, name.match)
        yield name, entry.match


def read_counters(pipeline: Pipeline, message: p4r.DirectCounterEntry) -> Iterator[p4r.Entity]:
    """The counter of one entry, of all entries of a table, or (no table id) of all tables that have one."""
    filter_ = message.table_entry
    if filter_.table_id:
        table = pipeline.table(filter_.table_id)
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
    filter_, wants_counts = message.table_entry, message.HasField("counter_data")
    if filter_.table_id:
        table = pipeline.table(filter_.table_id)
        with at(f"table {table.schema.name}"):
            _require_meter(table.schema)
    for table in table_reads.select_tables(pipeline, filter_):
        if not table.schema.meter:
            continue
        for name, match in _selected(table, filter_):
            with table.lock:
                rates = table.entries.read_meter(match)
                counts = table.entries.read_meter_counts(match) if wants_counts else None
            yield p4r.Entity(
                direct_meter_entry=p4r.DirectMeterEntry(
                    table_entry=name,
                    config=rates and codec.encode_meter(rates),
                    counter_data=counts and codec.encode_colour_counts(counts),
                )
            )
