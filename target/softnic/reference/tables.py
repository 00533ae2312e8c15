# SPDX-License-Identifier: Apache-2.0
"""A table's entries and what the control plane does with them."""

from __future__ import annotations

from itertools import islice

from softnic import ir
from softnic.engine import (
    ActionCall,
    EngineError,
    EntryAction,
    EntryExists,
    EntryNotFound,
    GroupRef,
    KeyMatch,
    MemberRef,
    NoRoom,
    TableEntry,
)
from softnic.program_entries import program_default, program_entries

from .matching import Index, KeyPacker, index_for
from .meters import Meter
from .profiles import Group, Member, ProfileState

Key = tuple[KeyMatch, ...]
Target = ir.ActionArgs | Member | Group


class Resources:
    """The direct counter and the direct meter of an entry, or of the default entry."""

    __slots__ = ("bytes", "meter", "packets")

    def __init__(self) -> None:
        self.packets = 0
        self.bytes = 0
        self.meter = Meter()


class Entry:
    """An entry and what packets leave behind on it. `target` is `action`, resolved."""

    __slots__ = ("action", "idle_timeout_ns", "key", "last_hit_ns", "priority", "resources", "target")

    def __init__(self, entry: TableEntry, target: Target, now_ns: int) -> None:
        self.key = entry.key
        self.priority = entry.priority
        self.action = entry.action
        self.target = target
        self.idle_timeout_ns = entry.idle_timeout_ns
        self.last_hit_ns = now_ns
        self.resources = Resources()

    def as_table_entry(self) -> TableEntry:
        return TableEntry(self.key, self.action, self.priority, self.idle_timeout_ns)

    def is_idle(self, now_ns: int) -> bool:
        """Has a timeout, and was not hit for longer than it."""
        return 0 < self.idle_timeout_ns < now_ns - self.last_hit_ns


class TableState:
    """The entries of one table, found by key and by packet."""

    def __init__(self, table: ir.Table, profile: ProfileState | None, now_ns: int) -> None:
        self.table = table
        self.packer = KeyPacker(table.key)
        self._profile = profile
        self._actions = {action.action.name: action for action in table.actions}
        self._entries: dict[tuple[Key, int], Entry] = {}
        """By what tells entries apart: their keys, as masked, and priorities."""
        self._index: Index[Entry] = index_for(table, self.packer)
        self._default_action: EntryAction | None = program_default(table)
        self.default_target: Target | None = table.default
        self.default_resources = Resources()
        for entry, written in zip(program_entries(table), table.entries, strict=True):
            self._add(entry, written.call, now_ns)

    def find(self, packed: int) -> Entry | None:
        """The entry that wins for a packet's key, packed by `packer`."""
        return self._index.find(packed)

    def action(self, name: str) -> ir.TableAction:
        """Raises: EngineError if it is not one of the table's."""
        if name not in self._actions:
            raise EngineError(f"table {self.table.name} has no action {name}")
        return self._actions[name]

    def get(self, key: Key, priority: int) -> Entry:
        """Raises: EntryNotFound."""
        entry = self._entries.get((self.packer.masked(key), priority))
        if entry is None:
            raise EntryNotFound(f"table {self.table.name} has no such entry")
        return entry

    def resources(self, key: Key | None, priority: int) -> Resources:
        """Of an entry; None: of the default one. Raises: EntryNotFound."""
        return self.default_resources if key is None else self.get(key, priority).resources

    def insert(self, entry: TableEntry, now_ns: int) -> None:
        """Raises: EntryExists, NoRoom, EntryNotFound (member or group), EngineError (constant entries)."""
        self._check_writable()
        if (self.packer.masked(entry.key), entry.priority) in self._entries:
            raise EntryExists(f"table {self.table.name} has that entry already")
        if len(self._entries) >= self.table.max_size:
            raise NoRoom(f"table {self.table.name} holds {self.table.max_size} entries, its size")
        self._add(entry, self._acquire(entry.action), now_ns)

    def modify(self, entry: TableEntry, now_ns: int) -> None:
        """Raises: EntryNotFound (entry, member or group), EngineError (constant entries)."""
        self._check_writable()
        existing = self.get(entry.key, entry.priority)
        target = self._acquire(entry.action)
        _release(existing.target)
        existing.action, existing.target = entry.action, target
        existing.idle_timeout_ns, existing.last_hit_ns = entry.idle_timeout_ns, now_ns

    def delete(self, key: Key, priority: int) -> None:
        """Raises: EntryNotFound, EngineError (constant entries)."""
        self._check_writable()
        entry = self.get(key, priority)
        _release(entry.target)
        masked = self.packer.masked(key)
        self._index.remove(masked, priority, entry)
        del self._entries[masked, priority]

    def set_default(self, action: EntryAction | None) -> None:
        """None restores the program's. Raises: EntryNotFound (member or group), EngineError (constant default)."""
        if self.table.default_constant:
            raise EngineError(f"the default action of table {self.table.name} is constant")
        target = self.table.default if action is None else self._acquire(action)
        _release(self.default_target)
        self._default_action = program_default(self.table) if action is None else action
        self.default_target = target

    def default(self) -> EntryAction | None:
        return self._default_action

    def entries(self, start: int = 0, limit: int | None = None) -> list[Entry]:
        """In the order of insertion, from the `start`-th on."""
        return list(islice(self._entries.values(), start, None if limit is None else start + limit))

    def _add(self, entry: TableEntry, target: Target, now_ns: int) -> None:
        added = Entry(entry, target, now_ns)
        masked = self.packer.masked(entry.key)
        self._index.add(masked, entry.priority, added)
        self._entries[masked, entry.priority] = added

    def _check_writable(self) -> None:
        if self.table.entries_constant:
            raise EngineError(f"the entries of table {self.table.name} are constant")

    def _acquire(self, action: EntryAction) -> Target:
        match action:
            case ActionCall(action=name, args=args):
                return ir.ActionArgs(self.action(name), args)
            case MemberRef(member_id=member_id):
                target = self._profile_state().member(member_id)
            case GroupRef(group_id=group_id):
                target = self._profile_state().group(group_id)
        target.uses += 1
        return target

    def _profile_state(self) -> ProfileState:
        if self._profile is None:
            raise EngineError(f"table {self.table.name} has no action profile")
        return self._profile


def _release(target: Target | None) -> None:
    if isinstance(target, Member | Group):
        target.uses -= 1
