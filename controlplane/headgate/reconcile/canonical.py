# SPDX-License-Identifier: Apache-2.0
"""Entities in a form in which what is the same on a device is equal, and what an update addresses is a key."""

from __future__ import annotations

from finsy import P4Schema
from finsy.proto import p4r

from headgate.systems import Entity

Key = tuple[str | int | bytes, ...]
"""What a device tells an entity from others by: nothing of what MODIFY changes."""


def canonical(entity: Entity, schema: P4Schema) -> p4r.Entity:
    """`entity` as P4Runtime has it, with minimal byte strings (P4Runtime 8.3), match fields, parameters, replicas and
    members of groups in one order, and without what a device counts or notes by itself."""
    message = entity.encode(schema)
    match message.WhichOneof("entity"):
        case "table_entry":
            entry = message.table_entry
            for field in ("counter_data", "meter_counter_data", "time_since_last_hit", "controller_metadata"):
                entry.ClearField(field)
            entry.match.sort(key=lambda field: field.field_id)
            if entry.action.HasField("action_profile_action_set"):
                _sort_members(entry.action.action_profile_action_set)
            else:
                entry.action.action.params.sort(key=lambda param: param.param_id)
        case "meter_entry":
            message.meter_entry.ClearField("counter_data")
        case "packet_replication_engine_entry":
            _replicas(message.packet_replication_engine_entry).sort(key=_replica_order)
    return message


def key_of(entity: p4r.Entity) -> Key:
    """The key of a canonical entity (P4Runtime 9)."""
    match entity.WhichOneof("entity"):
        case "table_entry":
            entry = entity.table_entry
            fields = b"".join(_delimited(field.SerializeToString(deterministic=True)) for field in entry.match)
            return ("table", entry.table_id, entry.is_default_action, entry.priority, fields)
        case "meter_entry":
            return ("meter", entity.meter_entry.meter_id, entity.meter_entry.index.index)
        case "digest_entry":
            return ("digest", entity.digest_entry.digest_id)
        case "packet_replication_engine_entry":
            replication = entity.packet_replication_engine_entry
            if replication.HasField("multicast_group_entry"):
                return ("multicast_group", replication.multicast_group_entry.multicast_group_id)
            return ("clone_session", replication.clone_session_entry.session_id)
        case other:
            raise ValueError(f"no configuration asks for a {other}")


def same(one: p4r.Entity, other: p4r.Entity) -> bool:
    """Whether two canonical entities with the same key hold the same.

    A target may keep a meter's rate as a real number per microsecond, as BMv2 does, and report it rounded down: rates
    that are one unit apart are the same.
    """
    if one.HasField("meter_entry") and one.meter_entry.HasField("config") and other.meter_entry.HasField("config"):
        a, b = one.meter_entry.config, other.meter_entry.config
        bursts_equal = (a.cburst, a.pburst, a.eburst) == (b.cburst, b.pburst, b.eburst)
        return bursts_equal and abs(a.cir - b.cir) <= 1 and abs(a.pir - b.pir) <= 1
    return one == other


def _sort_members(members: p4r.ActionProfileActionSet) -> None:
    for member in members.action_profile_actions:
        member.action.params.sort(key=lambda param: param.param_id)
    members.action_profile_actions.sort(key=lambda member: member.SerializeToString(deterministic=True))


def _replicas(entry: p4r.PacketReplicationEngineEntry):
    if entry.HasField("multicast_group_entry"):
        return entry.multicast_group_entry.replicas
    return entry.clone_session_entry.replicas


def _replica_order(replica: p4r.Replica) -> tuple[int, int]:
    port = int.from_bytes(replica.port, "big") if replica.HasField("port") else replica.egress_port
    return port, replica.instance


def _delimited(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data
