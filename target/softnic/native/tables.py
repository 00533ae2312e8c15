# SPDX-License-Identifier: Apache-2.0
"""Tables in the runtime's memory, entries as byte strings: one call across for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from struct import Struct, calcsize
from typing import Any

from softnic import ir
from softnic.engine import (
    ColourCounts,
    CounterValue,
    EngineError,
    EntryAction,
    GroupRef,
    MemberRef,
    MeterRates,
    PackedAction,
    PackedCall,
    PackedEntry,
    PackedMatch,
)
from softnic.packing import TableLayout, byte_size
from softnic.program_entries import program_default, program_entries

from .handle import Handle, colour_counts_out, rates_out

_EXACT = (ir.MatchKind.EXACT, ir.MatchKind.VALID)


class NativeTable:
    """Implements `softnic.engine.PackedTable`. `number` is the table's place in the program."""

    def __init__(self, handle: Handle, table: ir.Table, number: int) -> None:
        self.table = table
        self.layout = TableLayout(table)
        self._handle = handle
        self._ffi, self._lib, self._engine = handle.ffi, handle.lib, handle.engine
        self._number = number
        self._actions = Actions(table)
        self._key_bytes = sum(byte_size(field.width) for field in table.key)
        self._mask_bytes = self._key_bytes if any(field.kind not in _EXACT for field in table.key) else 0
        self._hide = _hiding(table.key)
        self._written: dict[PackedMatch, PackedMatch] = {}
        """Where bits of a match are hidden from the runtime, the match as it was written."""
        self._copy = self._copy_layout()
        # The runtime copies what these hold before it returns: one of each will do.
        self._target = self._ffi.new("struct snic_target *")
        self._calls = [
            self._ffi.new("struct snic_target *", (self._lib.SNIC_TARGET_ACTION, number))
            for number in range(len(table.actions))
        ]
        self._found = self._ffi.new("struct snic_entry_view *")
        self._cursor = self._ffi.new("uint64_t *")
        for entry in program_entries(table):
            self._put(self._lib.snic_insert, self.layout.pack(entry))
        self._set_default(program_default(table))

    # ---- entries ----------------------------------------------------------------------------------------------------

    def insert(self, entry: PackedEntry) -> None:
        """Raises: EntryExists, NoRoom, EntryNotFound (member or group), EngineError (constant entries)."""
        self._check_writable()
        self._put(self._lib.snic_insert, entry)

    def modify(self, entry: PackedEntry) -> None:
        """Raises: EntryNotFound (entry, member or group), EngineError (constant entries)."""
        self._check_writable()
        self._put(self._lib.snic_modify, entry)

    def delete(self, match: PackedMatch) -> None:
        """Raises: EntryNotFound, EngineError (constant entries)."""
        self._check_writable()
        self._check(self._lib.snic_delete(*self._at(match)))
        if self._hide:
            del self._written[self._hide(match)]

    def get(self, match: PackedMatch) -> PackedEntry:
        """Raises: EntryNotFound."""
        return self._entry(self._find(match))

    def snapshot(self) -> Iterator[PackedEntry]:
        """See `PackedTable.snapshot`."""
        copies = bytearray(self._lib.snic_entry_count(self._engine, self._number) * self._copy.size)
        self._lib.snic_copy_entries(self._engine, self._number, self._ffi.from_buffer(copies))
        entries = (self._copied(*copy) for copy in self._copy.iter_unpack(copies))
        return iter(list(entries)) if self._hide else entries

    def scan_idle(self, cursor: int, limit: int) -> tuple[Sequence[PackedEntry], int | None]:
        """See `PackedTable.scan_idle`."""
        self._handle.follow_clock()
        views = self._ffi.new("struct snic_entry_view[]", limit)
        self._cursor[0] = cursor
        count = self._lib.snic_idle_entries(self._engine, self._number, self._cursor, limit, views, limit)
        at_end = self._cursor[0] == self._lib.SNIC_CURSOR_END
        return [self._entry(views[i]) for i in range(count)], None if at_end else self._cursor[0]

    def idle_ns(self, match: PackedMatch) -> int:
        """Raises: EntryNotFound."""
        return max(0, self._handle.now_ns() - self._find(match).last_hit_ns)

    def hits(self) -> tuple[int, int]:
        """How many lookups found an entry, and how many found none."""
        hits, misses = self._ffi.new("uint64_t *"), self._ffi.new("uint64_t *")
        self._lib.snic_table_hits(self._engine, self._number, hits, misses)
        return hits[0], misses[0]

    # ---- the default action -----------------------------------------------------------------------------------------

    def set_default(self, action: EntryAction | None) -> None:
        """None restores the program's. Raises: EntryNotFound (member or group), EngineError (constant default)."""
        if self.table.default_constant:
            raise EngineError(f"the default action of table {self.table.name} is constant")
        self._set_default(program_default(self.table) if action is None else action)

    def default(self) -> EntryAction | None:
        """None: a miss runs nothing."""
        self._check(self._lib.snic_get_default(self._engine, self._number, self._target))
        if self._target.kind == self._lib.SNIC_TARGET_NONE:
            return None
        return self.layout.unpack_action(self._target_action(self._target))

    # ---- direct counters and meters ---------------------------------------------------------------------------------

    def read_counter(self, match: PackedMatch | None) -> CounterValue:
        """Raises: EntryNotFound."""
        count = self._ffi.new("struct snic_count *")
        self._check(self._lib.snic_read_direct_counter(*self._at(match), count))
        return CounterValue(count.packets, count.bytes)

    def write_counter(self, match: PackedMatch | None, value: CounterValue) -> None:
        """Raises: EntryNotFound."""
        count = self._ffi.new("struct snic_count *", (value.packets, value.bytes))
        self._check(self._lib.snic_write_direct_counter(*self._at(match), count))

    def read_meter(self, match: PackedMatch | None) -> MeterRates | None:
        """None: unconfigured. Raises: EntryNotFound."""
        rates, configured = self._ffi.new("struct snic_rates *"), self._ffi.new("bool *")
        self._check(self._lib.snic_read_direct_meter(*self._at(match), rates, configured))
        return rates_out(rates) if configured[0] else None

    def write_meter(self, match: PackedMatch | None, rates: MeterRates | None) -> None:
        """Raises: EntryNotFound."""
        self._handle.follow_clock()
        self._check(self._lib.snic_write_direct_meter(*self._at(match), self._handle.rates_in(rates)))

    def read_meter_counts(self, match: PackedMatch | None) -> ColourCounts:
        """Raises: EntryNotFound."""
        counts = self._ffi.new("struct snic_colour_counts *")
        self._check(self._lib.snic_read_direct_meter_counts(*self._at(match), counts))
        return colour_counts_out(counts)

    def write_meter_counts(self, match: PackedMatch | None, counts: ColourCounts) -> None:
        """Raises: EntryNotFound."""
        given = self._handle.colour_counts_in(counts)
        self._check(self._lib.snic_write_direct_meter_counts(*self._at(match), given))

    # ---- between Python and C ---------------------------------------------------------------------------------------

    def _put(self, function: Callable[..., int], entry: PackedEntry) -> None:
        self._handle.follow_clock()
        status = function(*self._at(entry.match), self._aimed_at(entry.action), entry.idle_timeout_ns)
        if status:
            self._check(status, entry.action)
        if self._hide:
            self._written.setdefault(self._hide(entry.match), entry.match)

    def _set_default(self, action: EntryAction | None) -> None:
        if action is None:
            target = self._ffi.new("struct snic_target *", (self._lib.SNIC_TARGET_NONE,))
        else:
            # Bound to a name: the target only points to the arguments.
            packed = self.layout.pack_action(action)
            target = self._aimed_at(packed)
        self._check(self._lib.snic_set_default(self._engine, self._number, target), action)

    def _at(self, match: PackedMatch | None) -> tuple[Any, ...]:
        """The arguments by which the runtime finds an entry; None: the default one."""
        if match is None:
            return self._engine, self._number, self._ffi.NULL, self._ffi.NULL, 0
        key, mask, priority = self._hide(match) if self._hide else match
        return self._engine, self._number, key, mask or self._ffi.NULL, priority

    def _find(self, match: PackedMatch) -> Any:
        self._check(self._lib.snic_get(*self._at(match), self._found))
        return self._found

    def _aimed_at(self, action: PackedAction) -> Any:
        """A target that says `action` until the next call of this; `action` must outlive its use."""
        if isinstance(action, PackedCall):
            target = self._calls[self._actions.number(action.action)]
            if action.args:
                target.args = self._ffi.from_buffer(action.args)
            return target
        self._check_has_profile()
        match action:
            case MemberRef(member_id):
                self._target.kind, self._target.id = self._lib.SNIC_TARGET_MEMBER, member_id
            case GroupRef(group_id):
                self._target.kind, self._target.id = self._lib.SNIC_TARGET_GROUP, group_id
        return self._target

    def _copy_layout(self) -> Struct:
        """Of a ``struct snic_entry_copy`` and its bytes."""
        args_bytes = max((size for _, size in self._actions.described), default=0)
        fields = f"=QIIi{self._key_bytes}s{self._mask_bytes}s{args_bytes}s"
        padding = self._lib.snic_entry_copy_bytes(self._engine, self._number) - calcsize(fields)
        return Struct(f"{fields}{padding}x")

    def _copied(
        self, idle_timeout_ns: int, kind: int, id_: int, priority: int, key: bytes, mask: bytes, args: bytes
    ) -> PackedEntry:
        return PackedEntry(self._match(key, mask, priority), self._action(kind, id_, args), idle_timeout_ns)

    def _match(self, key: bytes, mask: bytes, priority: int) -> PackedMatch:
        match = PackedMatch(key, mask, priority)
        return self._written[match] if self._hide else match

    def _action(self, kind: int, id_: int, args: bytes) -> PackedAction:
        """`args` may be longer than the action's."""
        if kind == self._lib.SNIC_TARGET_MEMBER:
            return MemberRef(id_)
        if kind == self._lib.SNIC_TARGET_GROUP:
            return GroupRef(id_)
        name, args_bytes = self._actions.described[id_]
        return PackedCall(name, args[:args_bytes])

    def _target_action(self, target: Any) -> PackedAction:
        is_call = target.kind == self._lib.SNIC_TARGET_ACTION
        args_bytes = self._actions.described[target.id][1] if is_call else 0
        return self._action(target.kind, target.id, self._ffi.buffer(target.args, args_bytes)[:] if args_bytes else b"")

    def _entry(self, view: Any) -> PackedEntry:
        buffer = self._ffi.buffer
        mask = buffer(view.mask, self._mask_bytes)[:] if self._mask_bytes else b""
        match = self._match(buffer(view.key, self._key_bytes)[:], mask, view.priority)
        return PackedEntry(match, self._target_action(view.target), view.idle_timeout_ns)

    # ---- refusals ---------------------------------------------------------------------------------------------------

    def _check(self, status: int, action: PackedAction | EntryAction | None = None) -> None:
        if status:
            table = f"table {self.table.name}"
            self._handle.check(
                status,
                exists=f"{table} has that entry already",
                not_found=f"{table} has no such entry",
                no_room=f"{table} holds {self.table.max_size} entries, its size",
                no_memory="no memory is left for this entry",
                no_member=f"action profile {self.table.profile and self.table.profile.name} has no {_describe(action)}",
            )

    def _check_writable(self) -> None:
        if self.table.entries_constant:
            raise EngineError(f"the entries of table {self.table.name} are constant")

    def _check_has_profile(self) -> None:
        if self.table.profile is None:
            raise EngineError(f"table {self.table.name} has no action profile")


class Actions:
    """The actions of a table by name and by number; `described`: their names and the bytes of their arguments."""

    def __init__(self, table: ir.Table) -> None:
        self._table = table.name
        actions = [action.action for action in table.actions]
        self.described = [(a.name, sum(byte_size(param.width) for param in a.params)) for a in actions]
        self._numbers = {action.name: number for number, action in enumerate(actions)}

    def number(self, name: str) -> int:
        """Raises: EngineError if it is not one of the table's."""
        if name not in self._numbers:
            raise EngineError(f"table {self._table} has no action {name}")
        return self._numbers[name]


def _hiding(fields: Sequence[ir.KeyField]) -> Callable[[PackedMatch], PackedMatch] | None:
    """What takes the bits off a match that the table's own masks exclude; None: no field has such a mask.

    As in BMv2, only a match's value is cut, not its mask nor the upper end of a range.
    """
    if all(field.mask == (1 << field.width) - 1 for field in fields):
        return None
    bits = b"".join(field.mask.to_bytes(byte_size(field.width), "big") for field in fields)
    return lambda match: match._replace(key=bytes(a & b for a, b in zip(match.key, bits, strict=True)))


def _describe(action: PackedAction | EntryAction | None) -> str:
    match action:
        case MemberRef(member_id):
            return f"member {member_id}"
        case GroupRef(group_id):
            return f"group {group_id}"
    return "such member"
