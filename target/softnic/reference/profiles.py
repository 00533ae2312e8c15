# SPDX-License-Identifier: Apache-2.0
"""Action profiles and selectors: members, groups, and who uses them."""

from __future__ import annotations

from collections.abc import Sequence

from softnic import ir
from softnic.engine import ActionCall, EntryExists, EntryInUse, EntryNotFound, GroupMember, NoRoom


class Member:
    """`uses` counts the entries and groups that refer to it."""

    __slots__ = ("call", "member_id", "uses")

    def __init__(self, member_id: int, call: ActionCall) -> None:
        self.member_id = member_id
        self.call = call
        self.uses = 0


class Group:
    """`active` is what the selector's hash picks from: `weight` copies of each member whose port is up, by id."""

    __slots__ = ("active", "group_id", "members", "uses")

    def __init__(self, group_id: int) -> None:
        self.group_id = group_id
        self.members: tuple[GroupMember, ...] = ()
        self.active: tuple[Member, ...] = ()
        self.uses = 0


class ProfileState:
    """The members and groups of one profile.

    Room is for as many members as the profile's size says. What all groups may take together is not known here: it is
    counted by members or by weights, as P4Info says.
    """

    def __init__(self, profile: ir.ActionProfile) -> None:
        self.profile = profile
        self._members: dict[int, Member] = {}
        self._groups: dict[int, Group] = {}
        self._ports_down: set[int] = set()

    def member(self, member_id: int) -> Member:
        """Raises: EntryNotFound."""
        if member_id not in self._members:
            raise EntryNotFound(f"action profile {self.profile.name} has no member {member_id}")
        return self._members[member_id]

    def group(self, group_id: int) -> Group:
        """Raises: EntryNotFound."""
        if group_id not in self._groups:
            raise EntryNotFound(f"action profile {self.profile.name} has no group {group_id}")
        return self._groups[group_id]

    def insert_member(self, member_id: int, call: ActionCall) -> None:
        """Raises: EntryExists, NoRoom."""
        if member_id in self._members:
            raise EntryExists(f"action profile {self.profile.name} has a member {member_id} already")
        if len(self._members) >= self.profile.max_size:
            raise NoRoom(f"action profile {self.profile.name} holds {self.profile.max_size} members, its size")
        self._members[member_id] = Member(member_id, call)

    def modify_member(self, member_id: int, call: ActionCall) -> None:
        """Raises: EntryNotFound."""
        self.member(member_id).call = call

    def delete_member(self, member_id: int) -> None:
        """Raises: EntryNotFound, EntryInUse."""
        member = self.member(member_id)
        if member.uses:
            raise EntryInUse(f"member {member_id} of action profile {self.profile.name} is used {member.uses} times")
        del self._members[member_id]

    def insert_group(self, group_id: int, members: Sequence[GroupMember]) -> None:
        """Raises: EntryExists, EntryNotFound (a member)."""
        if group_id in self._groups:
            raise EntryExists(f"action profile {self.profile.name} has a group {group_id} already")
        group = Group(group_id)
        self._fill(group, members)
        self._groups[group_id] = group

    def modify_group(self, group_id: int, members: Sequence[GroupMember]) -> None:
        """Replaces the members. Raises: EntryNotFound (group or member)."""
        self._fill(self.group(group_id), members)

    def delete_group(self, group_id: int) -> None:
        """Raises: EntryNotFound, EntryInUse."""
        group = self.group(group_id)
        if group.uses:
            raise EntryInUse(f"group {group_id} of action profile {self.profile.name} is used {group.uses} times")
        self._fill(group, ())
        del self._groups[group_id]

    def set_port_up(self, port: int, up: bool) -> None:
        if up:
            self._ports_down.discard(port)
        else:
            self._ports_down.add(port)
        for group in self._groups.values():
            group.active = self._active(group)

    def _fill(self, group: Group, members: Sequence[GroupMember]) -> None:
        incoming = [self.member(member.member_id) for member in members]
        for member in group.members:
            self._members[member.member_id].uses -= 1
        for member in incoming:
            member.uses += 1
        group.members = tuple(members)
        group.active = self._active(group)

    def _active(self, group: Group) -> tuple[Member, ...]:
        up = [member for member in group.members if member.watch_port not in self._ports_down]
        up.sort(key=lambda member: member.member_id)
        return tuple(self._members[member.member_id] for member in up for _ in range(member.weight))
