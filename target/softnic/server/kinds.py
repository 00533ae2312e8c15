# SPDX-License-Identifier: Apache-2.0
"""Which functions write and read an entity, by the name it has in ``p4.v1.Entity``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from finsy.proto import p4r

from .entities import arrays, digest, direct, profiles, replication, table_reads, tables, value_sets
from .errors import unimplemented
from .pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class Kind:
    # The message is the member of ``Entity`` that the kind is named after, which no type can say.
    write: Callable[[Pipeline, p4r.Update.Type.ValueType, Any], None]
    read: Callable[[Pipeline, Any], Iterator[p4r.Entity]]


def _refused(reason: str) -> Kind:
    def refuse(*_: object) -> Any:
        raise unimplemented(reason)

    return Kind(refuse, refuse)


KINDS: Mapping[str, Kind] = {
    "table_entry": Kind(tables.write, table_reads.read),
    "direct_counter_entry": Kind(direct.write_counter, direct.read_counters),
    "direct_meter_entry": Kind(direct.write_meter, direct.read_meters),
    "counter_entry": Kind(arrays.write_counter, arrays.read_counters),
    "meter_entry": Kind(arrays.write_meter, arrays.read_meters),
    "register_entry": Kind(arrays.write_register, arrays.read_registers),
    "action_profile_member": Kind(profiles.write_member, profiles.read_members),
    "action_profile_group": Kind(profiles.write_group, profiles.read_groups),
    "packet_replication_engine_entry": Kind(replication.write, replication.read),
    "digest_entry": Kind(digest.write, digest.read),
    "value_set_entry": Kind(value_sets.write, value_sets.read),
    "extern_entry": _refused("v1model has no externs beyond those with an entity of their own"),
}
