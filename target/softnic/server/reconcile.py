# SPDX-License-Identifier: Apache-2.0
"""Carry a pipeline's state over to another one: the replay of RECONCILE_AND_COMMIT (specification 14)."""

from __future__ import annotations

from collections.abc import Iterator

from finsy.proto import p4r

from softnic.engine import ColourCounts

from . import codec
from .entities import table_reads
from .pipeline import Pipeline
from .read import read_entity
from .write import restore

Type = p4r.Update.Type

_INSERTED = (
    p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
    p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
    p4r.Entity(
        table_entry=p4r.TableEntry(
            counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig(), meter_counter_data=p4r.MeterCounterData()
        )
    ),
    p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(
            multicast_group_entry=p4r.MulticastGroupEntry()
        )
    ),
    p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(clone_session_entry=p4r.CloneSessionEntry())
    ),
    p4r.Entity(digest_entry=p4r.DigestEntry()),
)
"""Wildcards over what a client inserts; what is referred to comes first."""

_DEFAULT = p4r.TableEntry(is_default_action=True)

_CELLS = (
    p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=_DEFAULT, counter_data=p4r.MeterCounterData())),
    p4r.Entity(counter_entry=p4r.CounterEntry()),
    p4r.Entity(meter_entry=p4r.MeterEntry(counter_data=p4r.MeterCounterData())),
    p4r.Entity(register_entry=p4r.RegisterEntry()),
    p4r.Entity(value_set_entry=p4r.ValueSetEntry()),
)


def carry_over(old: Pipeline, new: Pipeline) -> None:
    """Write what is in `old` to `new`, which is fresh.

    Raises:
        P4RuntimeError: something has no place in `new`, which is then partly filled.
    """
    for update in _updates(old, new):
        restore(new, update)


def _updates(old: Pipeline, new: Pipeline) -> Iterator[p4r.Update]:
    yield from _deletions(old, new)
    for wildcard in _INSERTED:
        for entity in read_entity(old, wildcard):
            if not entity.table_entry.is_const:
                there = entity.HasField("table_entry") and table_reads.is_there(new, entity.table_entry)
                yield p4r.Update(type=Type.MODIFY if there else Type.INSERT, entity=entity)
    for table_id in old.store.default_extras:
        default = p4r.Entity(table_entry=p4r.TableEntry(table_id=table_id, is_default_action=True))
        for entity in read_entity(old, default):
            yield p4r.Update(type=Type.MODIFY, entity=entity)
    for entity in _default_counters(old, new):
        yield p4r.Update(type=Type.MODIFY, entity=entity)
    for wildcard in _CELLS:
        for entity in read_entity(old, wildcard):
            if _is_set(entity):
                yield p4r.Update(type=Type.MODIFY, entity=entity)


def _deletions(old: Pipeline, new: Pipeline) -> Iterator[p4r.Update]:
    """Of the entries that `new` has from its start and that the client has deleted from `old`."""
    for table_id in new.tables.keys() & old.tables.keys():
        table = new.tables[table_id]
        if not table.schema.is_const:
            for entry, extras in table.snapshot():
                entity = p4r.Entity()
                table_reads.encode_identity(table, entry, extras, entity.table_entry)
                if not table_reads.is_there(old, entity.table_entry):
                    yield p4r.Update(type=Type.DELETE, entity=entity)


def _default_counters(old: Pipeline, new: Pipeline) -> Iterator[p4r.Entity]:
    """The misses that `new` counts too; others, which nobody asked to be counted, are no reason to refuse it."""
    for table_id, table in new.tables.items():
        before = old.tables.get(table_id)
        if before and before.schema.has_counter and table.schema.has_counter:
            default = p4r.TableEntry(table_id=table_id, is_default_action=True)
            yield from read_entity(old, p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=default)))


def _is_set(entity: p4r.Entity) -> bool:
    """Differs from what a fresh pipeline has, which is zero or empty everywhere."""
    for meter in (entity.meter_entry, entity.direct_meter_entry):
        if meter.HasField("counter_data"):
            return meter.HasField("config") or codec.decode_colour_counts(meter.counter_data) != ColourCounts()
    if entity.HasField("counter_entry"):
        return entity.counter_entry.data != p4r.CounterData()
    if entity.HasField("value_set_entry"):
        return bool(entity.value_set_entry.members)
    data = entity.register_entry.data
    return data.bool or data.bitstring not in (b"", b"\0") or data.enum_value not in (b"", b"\0")
