# SPDX-License-Identifier: Apache-2.0
"""The packet replication engine: multicast groups and clone sessions (specification 9.5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from finsy.proto import p4r

from softnic.engine import CloneSession, Replica

from .. import bits, codec
from ..errors import already_exists, invalid, not_found
from ..pipeline import Pipeline

Type = p4r.Update.Type
T = TypeVar("T")

MAX_ID = 32767
"""Of groups and of sessions: BMv2 keeps larger ids for itself, and what works here should work there."""

MAX_INSTANCE = 65535
"""``egress_rid`` is ``bit<16>``."""

MAX_CLASS_OF_SERVICE = 7
"""A clone's ``priority`` is ``bit<3>``."""


def write(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.PacketReplicationEngineEntry) -> None:
    """INSERT, MODIFY or DELETE a multicast group or a clone session."""
    match message.WhichOneof("type"):
        case "multicast_group_entry":
            _write_group(pipeline, update_type, message.multicast_group_entry)
        case "clone_session_entry":
            _write_session(pipeline, update_type, message.clone_session_entry)
        case _:
            raise invalid("packet_replication_engine_entry: its type is not set")


def _check_id(update_type: Type.ValueType, entry_id: int, present: Mapping[int, object]) -> None:
    if not 0 < entry_id <= MAX_ID:
        raise invalid(f"its id is not in 1..{MAX_ID}")
    if update_type == Type.INSERT and entry_id in present:
        raise already_exists("is there already; use MODIFY to change it")
    if update_type != Type.INSERT and entry_id not in present:
        raise not_found("is not there; use INSERT to add it")


def _write_group(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.MulticastGroupEntry) -> None:
    group_id, groups = message.multicast_group_id, pipeline.store.multicast_groups
    with pipeline.calling(f"multicast group {group_id}") as engine:
        _check_id(update_type, group_id, groups)
        if update_type == Type.DELETE:
            engine.set_multicast_group(group_id, ())
            del groups[group_id]
            return
        replicas = _decode_replicas(message.replicas)
        engine.set_multicast_group(group_id, replicas)
        groups[group_id] = p4r.MulticastGroupEntry(
            multicast_group_id=group_id, replicas=_canonical(message.replicas), metadata=message.metadata
        )


def _write_session(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.CloneSessionEntry) -> None:
    session_id, sessions = message.session_id, pipeline.store.clone_sessions
    with pipeline.calling(f"clone session {session_id}") as engine:
        _check_id(update_type, session_id, sessions)
        if update_type == Type.DELETE:
            engine.set_clone_session(session_id, None)
            del sessions[session_id]
            return
        if message.packet_length_bytes < 0:
            raise invalid(f"packet_length_bytes {message.packet_length_bytes} is negative; 0 does not truncate")
        if message.class_of_service > MAX_CLASS_OF_SERVICE:
            raise invalid(f"class_of_service {message.class_of_service} is not in 0..{MAX_CLASS_OF_SERVICE}")
        replicas = _decode_replicas(message.replicas)
        session = CloneSession(replicas, message.packet_length_bytes, message.class_of_service)
        engine.set_clone_session(session_id, session)
        sessions[session_id] = p4r.CloneSessionEntry(
            session_id=session_id,
            replicas=_canonical(message.replicas),
            class_of_service=message.class_of_service,
            packet_length_bytes=message.packet_length_bytes,
        )


def _decode_replicas(messages: Iterable[p4r.Replica]) -> tuple[Replica, ...]:
    """Raises INVALID_ARGUMENT where two have the same port and instance; backups count too (specification 9.5.1)."""
    replicas = tuple(map(_decode_replica, messages))
    identities = [(each.port, each.instance) for replica in replicas for each in (replica, *replica.backups)]
    if len(set(identities)) != len(identities):
        raise invalid("two replicas have the same port and instance")
    return replicas


def _decode_replica(message: p4r.Replica) -> Replica:
    port = _decode_port(message)
    backups = tuple(
        Replica(codec.decode_port(backup.port), _checked_instance(backup.instance))
        for backup in message.backup_replicas
    )
    if any(backup.port == port for backup in backups):
        raise invalid(f"a replica and its backup have the same port {port}")
    return Replica(port, _checked_instance(message.instance), backups)


def _decode_port(message: p4r.Replica) -> int:
    match message.WhichOneof("port_kind"):
        case "port":
            return codec.decode_port(message.port)
        case "egress_port":  # deprecated since 1.4, and what older clients and BMv2 know
            return codec.decode_port(bits.encode(message.egress_port))
        case _:
            raise invalid("a replica has no port")


def _checked_instance(instance: int) -> int:
    if instance > MAX_INSTANCE:
        raise invalid(f"instance {instance} is above {MAX_INSTANCE}")
    return instance


def _canonical(messages: Iterable[p4r.Replica]) -> list[p4r.Replica]:
    """The replicas with the kind of port that the client chose, as it compares what it reads with what it wrote."""
    return list(map(_canonical_replica, messages))


def _canonical_replica(message: p4r.Replica) -> p4r.Replica:
    canonical = p4r.Replica()
    canonical.CopyFrom(message)
    for replica in (canonical, *canonical.backup_replicas):
        if replica.port:
            replica.port = bits.encode(codec.decode_port(replica.port))
    return canonical


def read(pipeline: Pipeline, message: p4r.PacketReplicationEngineEntry) -> Iterator[p4r.Entity]:
    """One group or session, or (id 0) all groups or all sessions."""
    store = pipeline.store
    match message.WhichOneof("type"):
        case "multicast_group_entry":
            for group in _select(store.multicast_groups, message.multicast_group_entry.multicast_group_id):
                yield _entity(p4r.PacketReplicationEngineEntry(multicast_group_entry=group))
        case "clone_session_entry":
            for session in _select(store.clone_sessions, message.clone_session_entry.session_id):
                yield _entity(p4r.PacketReplicationEngineEntry(clone_session_entry=session))
        case _:
            raise invalid("packet_replication_engine_entry: its type is not set")


def _select(present: Mapping[int, T], entry_id: int) -> Iterable[T]:
    if entry_id == 0:
        return present.values()
    return [present[entry_id]] if entry_id in present else []


def _entity(entry: p4r.PacketReplicationEngineEntry) -> p4r.Entity:
    return p4r.Entity(packet_replication_engine_entry=entry)
