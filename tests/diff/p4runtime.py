# SPDX-License-Identifier: Apache-2.0
"""Writes of a scenario as P4Runtime updates, for targets that are told nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from finsy.proto import p4i, p4r

from softnic.engine import (
    ActionCall,
    CloneSession,
    EntryAction,
    Exact,
    GroupMember,
    GroupRef,
    KeyMatch,
    Lpm,
    MemberRef,
    Range,
    Replica,
    TableEntry,
    Ternary,
)
from softnic.packing import byte_size
from softnic.server import schema
from softnic.server.schema import Field, MatchType

from .entries import FOR_BMV2, Limits
from .scenario import Write

_DEFAULT_ONLY, _TABLE_ONLY = p4i.ActionRef.DEFAULT_ONLY, p4i.ActionRef.TABLE_ONLY


def limits(p4info: p4i.P4Info) -> Limits:
    """What BMv2 can do, and P4Info lets anyone do."""
    actions: dict[tuple[str, bool], Sequence[str]] = {}
    for table in schema.build(p4info).tables.values():
        for is_default, forbidden in ((False, _DEFAULT_ONLY), (True, _TABLE_ONLY)):
            actions[table.name, is_default] = [a.name for a, scope in table.actions.values() if scope != forbidden]
    return replace(FOR_BMV2, actions=actions)


class Translator:
    """Names of the engine into ids of `p4info`."""

    def __init__(self, p4info: p4i.P4Info) -> None:
        built = schema.build(p4info)
        self._tables = built.tables_by_name
        self._actions = built.actions_by_name
        self._profiles = {profile.name: profile.id for profile in built.profiles.values()}
        self._kinds: Mapping[str, Callable[..., p4r.Update | None]] = {
            "insert": self._insert,
            "set_default": self._set_default,
            "insert_member": self._insert_member,
            "insert_group": self._insert_group,
            "set_multicast_group": _multicast_group,
            "set_clone_session": _clone_session,
        }

    def update(self, write: Write) -> p4r.Update | None:
        """None: P4Runtime has no such update for this program, or BMv2 refuses it."""
        return self._kinds[write.method](*write.args)

    def _insert(self, table_name: str, entry: TableEntry) -> p4r.Update:
        table = self._tables[table_name]
        matches = (_match(field, match) for field, match in zip(table.fields, entry.key, strict=True))
        message = p4r.TableEntry(
            table_id=table.id,
            match=[match for match in matches if match],
            action=self._table_action(entry.action),
            priority=entry.priority,
        )
        return _inserted(table_entry=message)

    def _set_default(self, table_name: str, action: EntryAction) -> p4r.Update | None:
        table = self._tables[table_name]
        if table.profile:
            return None
        entry = p4r.TableEntry(table_id=table.id, is_default_action=True, action=self._table_action(action))
        return p4r.Update(type=p4r.Update.MODIFY, entity=p4r.Entity(table_entry=entry))

    def _table_action(self, action: EntryAction) -> p4r.TableAction:
        match action:
            case MemberRef(member_id):
                return p4r.TableAction(action_profile_member_id=member_id)
            case GroupRef(group_id):
                return p4r.TableAction(action_profile_group_id=group_id)
            case ActionCall():
                return p4r.TableAction(action=self._call(action))

    def _call(self, call: ActionCall) -> p4r.Action:
        action = self._actions[call.action]
        params = [
            p4r.Action.Param(param_id=param.id, value=_bytes(value))
            for param, value in zip(action.params, call.args, strict=True)
        ]
        return p4r.Action(action_id=action.id, params=params)

    def _insert_member(self, profile: str, member_id: int, call: ActionCall) -> p4r.Update:
        member = p4r.ActionProfileMember(
            action_profile_id=self._profiles[profile], member_id=member_id, action=self._call(call)
        )
        return _inserted(action_profile_member=member)

    def _insert_group(self, profile: str, group_id: int, members: Sequence[GroupMember]) -> p4r.Update:
        group = p4r.ActionProfileGroup(
            action_profile_id=self._profiles[profile],
            group_id=group_id,
            members=[p4r.ActionProfileGroup.Member(member_id=m.member_id, weight=m.weight) for m in members],
        )
        return _inserted(action_profile_group=group)


def digests(p4info: p4i.P4Info) -> list[p4r.Update]:
    """Every digest asked for, each sample in a list of its own."""
    config = p4r.DigestEntry.Config(max_list_size=1, max_timeout_ns=100_000_000)
    return [
        _inserted(digest_entry=p4r.DigestEntry(digest_id=digest.preamble.id, config=config))
        for digest in p4info.digests
    ]


def _inserted(**entity: object) -> p4r.Update:
    return p4r.Update(type=p4r.Update.INSERT, entity=p4r.Entity(**entity))  # type: ignore[arg-type]


def _bytes(value: int) -> bytes:
    return value.to_bytes(max((value.bit_length() + 7) // 8, 1), "big")


def _match(field: Field, match: KeyMatch) -> p4r.FieldMatch | None:
    """None for don't-care. An optional field takes part with all its bits or not at all."""
    message = p4r.FieldMatch(field_id=field.id)
    match match:
        case Exact(value):
            message.exact.value = _bytes(value)
        case Lpm(value, prefix_len) if prefix_len:
            message.lpm.value, message.lpm.prefix_len = _bytes(value), prefix_len
        case Ternary(value, mask) if mask and field.match_type == MatchType.OPTIONAL:
            message.optional.value = _bytes(value)
        case Ternary(value, mask) if mask:
            message.ternary.value, message.ternary.mask = _bytes(value), _bytes(mask)
        case Range(low, high) if (low, high) != (0, field.ones):
            # Not the shortest form: BMv2's server takes 0..0xff for don't-care, however wide the field is.
            size = byte_size(field.width)
            message.range.low, message.range.high = low.to_bytes(size, "big"), high.to_bytes(size, "big")
        case _:
            return None
    return message


def _replicas(replicas: Sequence[Replica]) -> list[p4r.Replica]:
    return [p4r.Replica(port=_bytes(replica.port), instance=replica.instance) for replica in replicas]


def _multicast_group(group_id: int, replicas: Sequence[Replica]) -> p4r.Update:
    entry = p4r.MulticastGroupEntry(multicast_group_id=group_id, replicas=_replicas(replicas))
    return _inserted(packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(multicast_group_entry=entry))


def _clone_session(session_id: int, session: CloneSession) -> p4r.Update:
    entry = p4r.CloneSessionEntry(session_id=session_id, replicas=_replicas(session.replicas))
    return _inserted(packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(clone_session_entry=entry))
