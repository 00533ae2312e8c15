# SPDX-License-Identifier: Apache-2.0
"""A running P4Runtime device, read without disturbing it: its program and the updates that would make another like it.

Reading needs no arbitration (P4Runtime specification, 11): the device's controller is not in the way, nor we in its.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

import grpc
from finsy.proto import p4i, p4r, p4r_grpc

TIMEOUT_S = 10.0

_INSERTED = {"action_profile_member", "action_profile_group", "packet_replication_engine_entry", "table_entry"}


class SnapshotError(Exception):
    """The device can't be read. The message names its address and the reason."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a device holds. `unread` names the kinds of entity that the device does not let anyone read."""

    program_json: bytes
    p4info: p4i.P4Info
    updates: tuple[p4r.Update, ...]
    unread: tuple[str, ...]


def take_snapshot(address: str, device_id: int) -> Snapshot:
    """Read program, P4Info and all entities of the device that serves P4Runtime at `address` (``host:port``).

    The updates are in an order in which they can be applied. Entries that are part of the program are not among them.

    Raises:
        SnapshotError: it is not reachable, has another device id, or has no pipeline.
    """
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        stub = p4r_grpc.P4RuntimeStub(channel)
        try:
            return _take(stub, device_id)
        except grpc.RpcError as error:
            raise SnapshotError(f"{address}: {error.code().name}: {error.details()}") from error


def _take(stub: p4r_grpc.P4RuntimeStub, device_id: int) -> Snapshot:
    request = p4r.GetForwardingPipelineConfigRequest(device_id=device_id)
    config = stub.GetForwardingPipelineConfig(request, timeout=TIMEOUT_S).config
    entities: list[p4r.Entity] = []
    unread = []
    for name, wanted in _wildcards(config.p4info).items():
        try:
            for response in stub.Read(p4r.ReadRequest(device_id=device_id, entities=wanted), timeout=TIMEOUT_S):
                entities += response.entities
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNIMPLEMENTED:
                raise
            unread.append(name)
    return Snapshot(config.p4_device_config, config.p4info, _updates(entities, config.p4info), tuple(unread))


def _wildcards(p4info: p4i.P4Info) -> Mapping[str, list[p4r.Entity]]:
    """What to ask for, by a name for people, each before what refers to it. Only kinds that the program has."""
    defaults = [
        p4r.Entity(table_entry=p4r.TableEntry(table_id=table.preamble.id, is_default_action=True))
        for table in p4info.tables
        if not table.const_default_action_id
    ]
    direct_meters = [
        p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=p4r.TableEntry(table_id=meter.direct_table_id)))
        for meter in p4info.direct_meters
    ]
    groups = p4r.PacketReplicationEngineEntry(multicast_group_entry=p4r.MulticastGroupEntry())
    sessions = p4r.PacketReplicationEngineEntry(clone_session_entry=p4r.CloneSessionEntry())
    has_selectors = any(profile.with_selector for profile in p4info.action_profiles)
    kinds = {
        "action profile members": (
            p4info.action_profiles,
            [p4r.Entity(action_profile_member=p4r.ActionProfileMember())],
        ),
        "action profile groups": (has_selectors, [p4r.Entity(action_profile_group=p4r.ActionProfileGroup())]),
        "multicast groups": (True, [p4r.Entity(packet_replication_engine_entry=groups)]),
        "clone sessions": (True, [p4r.Entity(packet_replication_engine_entry=sessions)]),
        "table entries": (p4info.tables, [p4r.Entity(table_entry=p4r.TableEntry())]),
        "default actions": (defaults, defaults),
        "meters": (p4info.meters, [p4r.Entity(meter_entry=p4r.MeterEntry())]),
        "direct meters": (p4info.direct_meters, direct_meters),
        "registers": (p4info.registers, [p4r.Entity(register_entry=p4r.RegisterEntry())]),
        "value sets": (p4info.value_sets, [p4r.Entity(value_set_entry=p4r.ValueSetEntry())]),
    }
    return {name: entities for name, (present, entities) in kinds.items() if present}


def _updates(entities: Iterable[p4r.Entity], p4info: p4i.P4Info) -> tuple[p4r.Update, ...]:
    const_tables = {table.preamble.id for table in p4info.tables if table.is_const_table}
    # BMv2 1.15 lists a member of a group once for each unit of its weight: what was said before is left out.
    updates: dict[bytes, p4r.Update] = {}
    for entity in entities:
        if not _is_of_program(entity, const_tables) and _says_something(entity):
            updates.setdefault(entity.SerializeToString(deterministic=True), _update(entity))
    return tuple(updates.values())


def _is_of_program(entity: p4r.Entity, const_tables: Set[int]) -> bool:
    """An entry that comes with the program. (BMv2 1.15 does not set ``is_const``.)"""
    entry = entity.table_entry
    return entry.is_const or (entry.table_id in const_tables and not entry.is_default_action)


def _says_something(entity: p4r.Entity) -> bool:
    """False for a default action or a meter that was never set."""
    match entity.WhichOneof("entity"):
        case "table_entry":
            return entity.table_entry.HasField("action")
        case "meter_entry":
            return entity.meter_entry.HasField("config")
        case "direct_meter_entry":
            return entity.direct_meter_entry.HasField("config")
    return True


def _update(entity: p4r.Entity) -> p4r.Update:
    """INSERT what can come and go, MODIFY what is always there."""
    is_inserted = entity.WhichOneof("entity") in _INSERTED and not entity.table_entry.is_default_action
    return p4r.Update(type=p4r.Update.INSERT if is_inserted else p4r.Update.MODIFY, entity=entity)
