# SPDX-License-Identifier: Apache-2.0
"""Action profiles and selectors in the runtime's memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softnic import ir
from softnic.engine import ActionCall, GroupMember, PackedCall

from .handle import Handle
from .tables import Actions, NativeTable


class NativeProfile:
    """The members and groups of one profile. `number` is its place in the program, `user` a table that has it."""

    def __init__(self, handle: Handle, profile: ir.ActionProfile, number: int, user: NativeTable) -> None:
        self._profile = profile
        self._handle = handle
        self._ffi, self._lib, self._engine = handle.ffi, handle.lib, handle.engine
        self._number = number
        self._layout = user.layout
        self._actions = Actions(user.table)

    def insert_member(self, member_id: int, call: ActionCall) -> None:
        """Raises: EntryExists, NoRoom."""
        self._put_member(self._lib.snic_insert_member, member_id, call)

    def modify_member(self, member_id: int, call: ActionCall) -> None:
        """Raises: EntryNotFound."""
        self._put_member(self._lib.snic_modify_member, member_id, call)

    def delete_member(self, member_id: int) -> None:
        """Raises: EntryNotFound, EntryInUse."""
        self._check(f"member {member_id}", self._lib.snic_delete_member(self._engine, self._number, member_id))

    def insert_group(self, group_id: int, members: Sequence[GroupMember]) -> None:
        """Raises: EntryExists, EntryNotFound (a member)."""
        self._put_group(self._lib.snic_insert_group, group_id, members)

    def modify_group(self, group_id: int, members: Sequence[GroupMember]) -> None:
        """Replaces the members. Raises: EntryNotFound (group or member)."""
        self._put_group(self._lib.snic_modify_group, group_id, members)

    def delete_group(self, group_id: int) -> None:
        """Raises: EntryNotFound, EntryInUse."""
        self._check(f"group {group_id}", self._lib.snic_delete_group(self._engine, self._number, group_id))

    def set_resilient(self) -> None:
        """See `Engine.set_resilient`."""
        self._lib.snic_set_resilient(self._engine, self._number, True)

    def _put_member(self, function: Callable[..., int], member_id: int, call: ActionCall) -> None:
        number = self._actions.number(call.action)
        packed = self._layout.pack_action(call)
        assert isinstance(packed, PackedCall)
        self._check(f"member {member_id}", function(self._engine, self._number, member_id, number, packed.args))

    def _put_group(self, function: Callable[..., int], group_id: int, members: Sequence[GroupMember]) -> None:
        rows = [(m.member_id, m.weight, -1 if m.watch_port is None else m.watch_port) for m in members]
        array = self._ffi.new("struct snic_group_member[]", rows)
        status = function(self._engine, self._number, group_id, array, len(rows))
        self._check(f"group {group_id}", status, members)

    def _check(self, what: str, status: int, members: Sequence[GroupMember] = ()) -> None:
        if status:
            profile = f"action profile {self._profile.name}"
            named = " or ".join(f"member {member.member_id}" for member in members)
            self._handle.check(
                status,
                exists=f"{profile} has a {what} already",
                not_found=f"{profile} has no {what}",
                in_use=f"{what} of {profile} is in use",
                no_room=f"{profile} holds {self._profile.max_size} members, its size",
                no_memory=f"{profile}: no memory is left for {what}",
                no_member=f"{profile} has no {named}",
            )
