# SPDX-License-Identifier: Apache-2.0
"""Action profiles and selectors: members, groups, and who uses them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from softnic import ir
from softnic.engine import ActionCall, EntryExists, EntryInUse, EntryNotFound, GroupMember, NoRoom

RESILIENT_SLOTS = 4096
"""The slots of a resilient group. A member's share is exact to about sqrt(members / slots)."""

_WORD = (1 << 64) - 1


class Member:
    """`uses` counts the entries and groups that refer to it."""

    __slots__ = ("call", "member_id", "uses")

    def __init__(self, member_id: int, call: ActionCall) -> None:
        self.member_id = member_id
        self.call = call
        self.uses = 0


class Group:
    """`active` is what the selector's hash picks from: each member whose port is up, by id, as often as it weighs."""

    __slots__ = ("active", "group_id", "members", "uses", "winners")

    def __init__(self, group_id: int) -> None:
        self.group_id = group_id
        self.members: tuple[GroupMember, ...] = ()
        self.active: tuple[Member, ...] = ()
        self.winners: dict[int, Member] = {}
        """Of a resilient profile: the member of each slot that was asked for since `active` changed."""
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
        self._is_resilient = False

    def set_resilient(self) -> None:
        """See `Engine.set_resilient`."""
        self._is_resilient = True

    def pick(self, group: Group, number: int) -> Member:
        """The member of `group`, which has an active one, for a packet whose hash is `number`."""
        if not self._is_resilient:
            return group.active[number % len(group.active)]
        slot = number % RESILIENT_SLOTS
        if slot not in group.winners:
            group.winners[slot] = _winner(group.active, slot)
        return group.winners[slot]

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
            self._activate(group)

    def _fill(self, group: Group, members: Sequence[GroupMember]) -> None:
        incoming = [self.member(member.member_id) for member in members]
        for member in group.members:
            self._members[member.member_id].uses -= 1
        for member in incoming:
            member.uses += 1
        group.members = tuple(members)
        self._activate(group)

    def _activate(self, group: Group) -> None:
        up = [member for member in group.members if member.watch_port not in self._ports_down]
        up.sort(key=lambda member: member.member_id)
        group.active = tuple(self._members[member.member_id] for member in up for _ in range(member.weight))
        group.winners.clear()


def _winner(active: Sequence[Member], slot: int) -> Member:
    """Rendezvous hashing (Thaler and Ravishankar): who scores best for a slot keeps it when others come or go."""
    copies: Counter[int] = Counter()
    best, winner = -1, active[0]
    for member in active:
        score = _score(slot, member.member_id, copies[member.member_id])
        copies[member.member_id] += 1
        if score > best:
            best, winner = score, member
    return winner


def _score(slot: int, member_id: int, copy: int) -> int:
    """As the native runtime scores (snic_profile.c)."""
    product = ((member_id << 32 | slot) ^ 0xD9B4A7C65E3812F1) * (copy ^ 0x97E58D3BA4C1620F)
    return ((product ^ product >> 64) & _WORD) * 0xC2F96B518E07D3A5 & _WORD
