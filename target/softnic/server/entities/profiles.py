# SPDX-License-Identifier: Apache-2.0
"""Action profile members and groups, and the one-shot action sets that stand for both (specification 9.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from finsy.proto import p4r

from softnic.engine import ActionCall, EngineError, GroupMember, NoRoom

from .. import bits, codec
from ..errors import P4RuntimeError, already_exists, at, exhausted, invalid, not_found
from ..pipeline import Pipeline
from ..schema import Profile
from ..store import OneShot, ProfileState, StoredGroup

Type = p4r.Update.Type

MAX_GROUP_WEIGHT = 65536
"""Bound of a group's weights where P4Info sets none: an engine holds a copy of a member for each unit of its weight."""

# ---- members --------------------------------------------------------------------------------------------------------


def write_member(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.ActionProfileMember) -> None:
    """INSERT, MODIFY or DELETE one member."""
    profile = pipeline.schema.profile(message.action_profile_id)
    member_id, state = message.member_id, pipeline.store.profiles[profile.id]
    with at(f"action profile {profile.name}"), pipeline.calling(f"member {member_id}") as engine:
        if member_id == 0:
            raise invalid("member_id is not set")
        if update_type == Type.INSERT:
            _refuse_mixing(state.one_shots)
            if member_id in state.members:
                raise already_exists("is there already; use MODIFY to change it")
            action = _decode_action(profile, message.action)
            _insert_member(pipeline, profile, member_id, action)
            state.members[member_id] = action
        elif update_type == Type.MODIFY:
            find_member(pipeline, profile, member_id)
            action = _decode_action(profile, message.action)
            engine.modify_member(profile.name, member_id, action)
            state.members[member_id] = action
        else:
            find_member(pipeline, profile, member_id)
            engine.delete_member(profile.name, member_id)
            del state.members[member_id]


def _refuse_mixing(others: int) -> None:
    if others:
        raise invalid("the profile has one-shot action sets or members and groups, never both; it holds the other kind")


def _insert_member(pipeline: Pipeline, profile: Profile, member_id: int, action: ActionCall) -> None:
    try:
        pipeline.engine.insert_member(profile.name, member_id, action)
    except NoRoom as error:
        raise exhausted(f"the profile holds its size of {profile.size} members; delete some first") from error


def _decode_action(profile: Profile, message: p4r.Action) -> ActionCall:
    if message.action_id not in profile.actions:
        names = ", ".join(f"{action.id:#010x} ({action.name})" for action in profile.actions.values())
        raise invalid(f"action id {message.action_id:#010x} is not one of the profile's actions: {names}")
    return codec.decode_action(profile.actions[message.action_id], message)


def find_member(pipeline: Pipeline, profile: Profile, member_id: int) -> ActionCall:
    """Raises: NOT_FOUND."""
    try:
        return pipeline.store.profiles[profile.id].members[member_id]
    except KeyError:
        raise not_found(f"action profile {profile.name} has no member {member_id}; insert it first") from None


def read_members(pipeline: Pipeline, message: p4r.ActionProfileMember) -> Iterator[p4r.Entity]:
    """One member, or all of one profile or of every profile."""
    for profile in _select_profiles(pipeline, message.action_profile_id):
        members = pipeline.store.profiles[profile.id].members
        for member_id in [message.member_id] if message.member_id else members:
            if action := members.get(member_id):
                yield p4r.Entity(
                    action_profile_member=p4r.ActionProfileMember(
                        action_profile_id=profile.id,
                        member_id=member_id,
                        action=codec.encode_action(pipeline.schema, action),
                    )
                )


def _select_profiles(pipeline: Pipeline, profile_id: int) -> Iterable[Profile]:
    return [pipeline.schema.profile(profile_id)] if profile_id else pipeline.schema.profiles.values()


# ---- groups ---------------------------------------------------------------------------------------------------------


def write_group(pipeline: Pipeline, update_type: Type.ValueType, message: p4r.ActionProfileGroup) -> None:
    """INSERT, MODIFY or DELETE one group."""
    profile = pipeline.schema.profile(message.action_profile_id)
    group_id, groups = message.group_id, pipeline.store.profiles[profile.id].groups
    with at(f"action profile {profile.name}"), pipeline.calling(f"group {group_id}") as engine:
        if not profile.has_groups:
            raise invalid("the profile has no selector, so it has no groups")
        if group_id == 0:
            raise invalid("group_id is not set")
        if update_type == Type.INSERT:
            _insert_group(pipeline, profile, message)
        elif update_type == Type.MODIFY:
            _modify_group(pipeline, profile, message)
        else:
            stored = find_group(pipeline, profile, group_id)
            engine.delete_group(profile.name, group_id)
            del groups[group_id]
            pipeline.store.profiles[profile.id].groups_size -= _size(profile.sums_members, stored.members)


def _insert_group(pipeline: Pipeline, profile: Profile, message: p4r.ActionProfileGroup) -> None:
    state = pipeline.store.profiles[profile.id]
    _refuse_mixing(state.one_shots)
    if message.group_id in state.groups:
        raise already_exists("is there already; use MODIFY to change it")
    _check_max_size(profile, message.max_size)
    members = _decode_members(pipeline, profile, message, message.max_size)
    groups_size = _groups_size(profile, state, _size(profile.sums_members, members))
    pipeline.engine.insert_group(profile.name, message.group_id, members)
    state.groups[message.group_id] = StoredGroup(members, message.max_size)
    state.groups_size = groups_size


def _modify_group(pipeline: Pipeline, profile: Profile, message: p4r.ActionProfileGroup) -> None:
    stored = find_group(pipeline, profile, message.group_id)
    # 0 is what clients send that do not keep the size they gave; BMv2 takes it as "unchanged" too.
    if message.max_size not in (0, stored.max_size):
        raise invalid(f"max_size {message.max_size} is not the {stored.max_size} it was inserted with")
    members = _decode_members(pipeline, profile, message, stored.max_size)
    state = pipeline.store.profiles[profile.id]
    growth = _size(profile.sums_members, members) - _size(profile.sums_members, stored.members)
    groups_size = _groups_size(profile, state, growth)
    pipeline.engine.modify_group(profile.name, message.group_id, members)
    state.groups[message.group_id] = StoredGroup(members, stored.max_size)
    state.groups_size = groups_size


def _check_max_size(profile: Profile, max_size: int) -> None:
    if max_size < 0:
        raise invalid(f"max_size {max_size} is negative")
    if profile.max_group_size and max_size > profile.max_group_size:
        raise invalid(f"max_size {max_size} is above the profile's max_group_size {profile.max_group_size}")


def _decode_members(
    pipeline: Pipeline, profile: Profile, message: p4r.ActionProfileGroup, max_size: int
) -> tuple[GroupMember, ...]:
    max_weight = profile.max_member_weight
    members = [
        GroupMember(m.member_id, _decode_weight(profile, m.weight, max_weight), _decode_watch(m))
        for m in message.members
    ]
    ids = [member.member_id for member in members]
    if len(set(ids)) != len(ids):
        raise invalid("a member is listed twice; give it a weight instead")
    for member_id in ids:
        find_member(pipeline, profile, member_id)
    max_size = max_size or profile.max_group_size
    if max_size and _size(profile.sums_members, members) > max_size:
        raise exhausted(f"{_describe_size(profile.sums_members, members)}, above the group's max_size {max_size}")
    _check_total_weight(members)
    return tuple(members)


def _decode_weight(profile: Profile, weight: int, max_weight: int) -> int:
    """`max_weight` 0 sets no bound."""
    if profile.weights_disallowed:
        if weight:
            raise invalid(f"weight {weight} is set, but the profile disallows weights")
        return 1
    if weight < 1:
        raise invalid(f"weight {weight} is below 1")
    if max_weight and weight > max_weight:
        raise invalid(f"weight {weight} is above the profile's max_member_weight {max_weight}")
    return weight


def _decode_watch(message: p4r.ActionProfileGroup.Member | p4r.ActionProfileAction) -> int | None:
    match message.WhichOneof("watch_kind"):
        case "watch_port":
            with at("watch_port"):
                return codec.decode_port(message.watch_port)
        case "watch":
            # Deprecated since 1.1: a port number as an integer; what is read back is its watch_port.
            with at("watch"):
                return codec.decode_port(bits.encode(max(message.watch, 0)))
        case _:
            return None


def _size(sums_members: bool, members: Sequence[GroupMember]) -> int:
    return len(members) if sums_members else sum(member.weight for member in members)


def _describe_size(sums_members: bool, members: Sequence[GroupMember]) -> str:
    return f"the {'number of members' if sums_members else 'sum of weights'} is {_size(sums_members, members)}"


def _groups_size(profile: Profile, state: ProfileState, growth: int) -> int:
    """What all groups take of the profile's size if one of them grows. Raises: RESOURCE_EXHAUSTED."""
    total = state.groups_size + growth
    if growth > 0 and total > profile.size:
        raise exhausted(f"all groups together would take {total} of the profile's size of {profile.size}")
    return total


def _check_total_weight(members: Sequence[GroupMember]) -> None:
    weight = sum(member.weight for member in members)
    if weight > MAX_GROUP_WEIGHT:
        raise exhausted(f"total weight {weight} is above this target's {MAX_GROUP_WEIGHT}")


def find_group(pipeline: Pipeline, profile: Profile, group_id: int) -> StoredGroup:
    """Raises: NOT_FOUND."""
    try:
        return pipeline.store.profiles[profile.id].groups[group_id]
    except KeyError:
        raise not_found(f"action profile {profile.name} has no group {group_id}; insert it first") from None


def read_groups(pipeline: Pipeline, message: p4r.ActionProfileGroup) -> Iterator[p4r.Entity]:
    """One group, or all of one profile or of every profile."""
    for profile in _select_profiles(pipeline, message.action_profile_id):
        groups = pipeline.store.profiles[profile.id].groups
        for group_id in [message.group_id] if message.group_id else groups:
            if group := groups.get(group_id):
                yield p4r.Entity(
                    action_profile_group=p4r.ActionProfileGroup(
                        action_profile_id=profile.id,
                        group_id=group_id,
                        members=[_encode_member(profile, member) for member in group.members],
                        max_size=group.max_size,
                    )
                )


def _encode_member(profile: Profile, member: GroupMember) -> p4r.ActionProfileGroup.Member:
    message = p4r.ActionProfileGroup.Member(
        member_id=member.member_id, weight=0 if profile.weights_disallowed else member.weight
    )
    if member.watch_port is not None:
        message.watch_port = bits.encode(member.watch_port)
    return message


# ---- one-shots ------------------------------------------------------------------------------------------------------


def insert_one_shot(pipeline: Pipeline, profile: Profile, message: p4r.ActionProfileActionSet) -> OneShot:
    """Put the members and the group of an action set in place, under ids of the server's own; all of them or none.

    A profile never holds one-shots and the client's members and groups together, so the ids can't collide.
    """
    state = pipeline.store.profiles[profile.id]
    _refuse_mixing(len(state.members) + len(state.groups))
    sums_members = _sums_members(profile, message)
    _check_selection_mode(message)
    max_weight = profile.max_member_weight if sums_members else 0
    actions = [_decode_action(profile, action.action) for action in message.action_profile_actions]
    weights = [_decode_weight(profile, action.weight, max_weight) for action in message.action_profile_actions]
    watches = [_decode_watch(action) for action in message.action_profile_actions]
    first_id = state.last_one_shot_id + 1
    members = [GroupMember(first_id + i, *member) for i, member in enumerate(zip(weights, watches, strict=True))]
    size = _size(sums_members, members)
    if profile.max_group_size and size > profile.max_group_size:
        place = _describe_size(sums_members, members)
        raise invalid(f"{place}, above the profile's max_group_size {profile.max_group_size}")
    _check_total_weight(members)
    groups_size = _groups_size(profile, state, size)
    _insert_all(pipeline, profile, first_id, members, actions)
    state.groups_size = groups_size
    state.last_one_shot_id += len(members) + 1
    state.one_shots += 1
    member_ids = tuple(member.member_id for member in members)
    return OneShot(_canonical(pipeline, message, actions), first_id, member_ids, size)


def _sums_members(profile: Profile, message: p4r.ActionProfileActionSet) -> bool:
    """How the size of this action set is counted."""
    match message.size_semantics:
        case p4r.ActionProfileActionSet.DEFAULT_SIZE_DETERMINED_BY_ACTION_SELECTOR:
            return profile.sums_members
        case p4r.ActionProfileActionSet.SUM_OF_WEIGHTS:
            return False
        case p4r.ActionProfileActionSet.SUM_OF_MEMBERS:
            return True
        case other:
            raise invalid(f"size_semantics {other} is not one that P4Runtime has")


def _check_selection_mode(message: p4r.ActionProfileActionSet) -> None:
    """The selector's hash is the only mode there is."""
    if message.action_selection_mode == p4r.ActionProfileActionSet.RANDOM:
        raise invalid("action_selection_mode RANDOM is not one that this target has; use HASH, or leave it unset")
    if message.action_selection_mode not in p4r.ActionProfileActionSet.ActionSelectionMode.values():
        raise invalid(f"action_selection_mode {message.action_selection_mode} is not one that P4Runtime has")


def _insert_all(
    pipeline: Pipeline, profile: Profile, group_id: int, members: Sequence[GroupMember], actions: Sequence[ActionCall]
) -> None:
    inserted: list[int] = []
    try:
        for member, action in zip(members, actions, strict=True):
            _insert_member(pipeline, profile, member.member_id, action)
            inserted.append(member.member_id)
        pipeline.engine.insert_group(profile.name, group_id, members)
    except (EngineError, P4RuntimeError):
        for member_id in inserted:
            pipeline.engine.delete_member(profile.name, member_id)
        raise


def _canonical(
    pipeline: Pipeline, message: p4r.ActionProfileActionSet, actions: Sequence[ActionCall]
) -> p4r.ActionProfileActionSet:
    """As the client wrote it, in the same order and with nothing merged, but with canonical byte strings."""
    canonical = p4r.ActionProfileActionSet()
    canonical.CopyFrom(message)
    for item, action in zip(canonical.action_profile_actions, actions, strict=True):
        item.action.CopyFrom(codec.encode_action(pipeline.schema, action))
        if item.watch_port:
            item.watch_port = bits.encode(codec.decode_port(item.watch_port))
    return canonical


def remove_one_shot(pipeline: Pipeline, profile: Profile | None, one_shot: OneShot | None) -> None:
    """Take away what `insert_one_shot` put in place; nothing to do for an entry without one."""
    if profile is None or one_shot is None:
        return
    pipeline.engine.delete_group(profile.name, one_shot.group_id)
    for member_id in one_shot.member_ids:
        pipeline.engine.delete_member(profile.name, member_id)
    state = pipeline.store.profiles[profile.id]
    state.one_shots -= 1
    state.groups_size -= one_shot.size
