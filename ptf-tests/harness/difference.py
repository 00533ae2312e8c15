# SPDX-License-Identifier: Apache-2.0
"""From what a device holds to what it has to hold while no packets are on their way: what differs goes, then comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from finsy import P4Schema
from finsy.proto import p4r

from harness.program import Updates
from headgate.reconcile.canonical import canonical
from headgate.systems import Entity

Key = tuple[str, bytes]

_PROFILES = ("action_profile_member", "action_profile_group")
_POINTED_AT_FIRST = (*_PROFILES, "table_entry")


def difference(actual: Sequence[Entity], wanted: Sequence[Entity], schema: P4Schema) -> Iterator[Updates]:
    """Writes that delete what is not wanted and insert what is missing; of wanted ones with one key the last counts.

    A changed entry is deleted and inserted: what it no longer points at may then go as well. Meters and default
    actions, which are always there, are modified.
    """
    held = {_key(message): message for message in (canonical(entity, schema) for entity in actual)}
    needed = {_key(message): message for message in (canonical(entity, schema) for entity in wanted)}
    differing = {key for key in held.keys() | needed.keys() if held.get(key) != needed.get(key)}
    if any(kind in _PROFILES for kind, _ in differing):  # a group that an entry points at can't go alone
        differing |= {key for each in (held, needed) for key, message in each.items() if _of_profile(message)}
    superfluous = [held[key] for key in differing if key in held and not _stays(held[key])]
    missing = [needed[key] for key in differing if key in needed]

    for kind in reversed(_POINTED_AT_FIRST):
        yield _updates(p4r.Update.DELETE, superfluous, _is(kind))
    for kind in _POINTED_AT_FIRST:
        yield _updates(p4r.Update.INSERT, [message for message in missing if not _stays(message)], _is(kind))
    yield _updates(p4r.Update.MODIFY, missing, _stays)


def _key(message: p4r.Entity) -> Key:
    """What a device tells an entity from others by."""
    kind = message.WhichOneof("entity")
    key = p4r.Entity()
    match kind:
        case "table_entry":
            entry = message.table_entry
            key.table_entry.table_id, key.table_entry.priority = entry.table_id, entry.priority
            key.table_entry.is_default_action = entry.is_default_action
            key.table_entry.match.extend(entry.match)
        case "action_profile_member":
            member = message.action_profile_member
            key.action_profile_member.action_profile_id = member.action_profile_id
            key.action_profile_member.member_id = member.member_id
        case "action_profile_group":
            group = message.action_profile_group
            key.action_profile_group.action_profile_id = group.action_profile_id
            key.action_profile_group.group_id = group.group_id
        case "meter_entry":
            key.meter_entry.meter_id = message.meter_entry.meter_id
            key.meter_entry.index.CopyFrom(message.meter_entry.index)
        case _:
            key.CopyFrom(message)
    return str(kind), key.SerializeToString(deterministic=True)


def _stays(message: p4r.Entity) -> bool:
    """Whether it can be neither inserted nor deleted (P4Runtime 9.1.3, 9.4)."""
    return message.HasField("meter_entry") or message.table_entry.is_default_action


def _of_profile(message: p4r.Entity) -> bool:
    """Whether it is of an action profile, or points into one."""
    return message.WhichOneof("entity") in _PROFILES or message.table_entry.action.HasField("action_profile_group_id")


def _is(kind: str) -> Callable[[p4r.Entity], bool]:
    return lambda message: message.WhichOneof("entity") == kind


def _updates(
    type_: p4r.Update.Type.ValueType, messages: Sequence[p4r.Entity], chosen: Callable[[p4r.Entity], bool]
) -> list[p4r.Update]:
    return [p4r.Update(type=type_, entity=message) for message in messages if chosen(message)]
