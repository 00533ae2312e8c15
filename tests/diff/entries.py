# SPDX-License-Identifier: Apache-2.0
"""Random control-plane state for any program, from its IR: every kind of object, overlapping, at the edges, too many.

Writes that an engine refuses are part of it: what one refuses, all have to refuse, for the same reason.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from softnic import ir
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
    MeterRates,
    Range,
    Replica,
    TableEntry,
    Ternary,
)

from .scenario import Write
from .values import PORTS, Values

_IDS = 7
"""Members, groups, multicast groups and clone sessions have ids from 1 to below."""

_CELLS = 8
"""So many cells of an array are written at first."""

_SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What must not be in a scenario because another executor lacks it or leaves it undefined.

    `actions` are the names an entry or a default of a table may have (P4Info's scopes); None: all of the table.
    """

    actions: Mapping[tuple[str, bool], Sequence[str]] | None = None
    """By table, and whether it is the default."""

    equal_priorities: bool = True
    """BMv2 orders them by how they came to be."""

    empty_groups: bool = True
    """BMv2 has no entries that refer to one."""

    first_replica_port: int = 0
    """P4Runtime has no port 0."""

    weights: bool = True
    """BMv2 orders copies of members by when they came."""

    watched_ports: bool = True
    """BMv2's own idea of ports that are up."""

    meters: bool = True
    """They follow the clock, which only in process stands still."""

    extensions: bool = True
    """What BMv2 can't do by P4Runtime: registers, value sets, backup replicas, truncated clones, timeouts."""


EVERYTHING = Limits()
FOR_BMV2 = Limits(
    equal_priorities=False,
    empty_groups=False,
    first_replica_port=1,
    weights=False,
    watched_ports=False,
    meters=False,
    extensions=False,
)


class Entries:
    """Draws writes for `program`."""

    def __init__(self, program: ir.Program, rng: random.Random, values: Values, limits: Limits = EVERYTHING) -> None:
        self._program = program
        self._rng = rng
        self._values = values
        self._limits = limits
        self._priorities = iter(range(1, 1 << 30))
        self._written: list[tuple[str, TableEntry]] = []
        self._value_sets: dict[str, tuple[tuple[int, ...], ...]] = {}

    def value_set(self, name: str) -> Sequence[tuple[int, ...]]:
        """The members that were written last."""
        return self._value_sets.get(name, ())

    def at_first(self) -> Iterator[Write]:
        """Something of everything, in an order in which references hold."""
        for profile in self._program.profiles:
            yield from self._profile(profile)
        for table in self._program.tables:
            for _ in range(self._how_many(table)):
                yield self._insert(table)
            if not table.default_constant and self._rng.random() < 0.4:
                yield self._set_default(table)
        for group in range(1, _IDS):
            if self._rng.random() < 0.8:
                yield Write("set_multicast_group", (group, self._replicas()))
            if self._rng.random() < 0.8:
                yield Write("set_clone_session", (group, self._clone_session()))
        if self._limits.meters:
            yield from self._meters()
        if self._limits.extensions:
            yield from self._registers()
            for value_set in self._program.value_sets:
                yield self._set_value_set(value_set)

    def later(self) -> Write | None:
        """One change of what is there; None: the program has nothing that this draw could change."""
        tables = [table for table in self._program.tables if table.key and not table.entries_constant]
        match self._rng.randrange(12):
            case 0 | 1 | 2 if tables:
                return self._insert(self._rng.choice(tables))
            case 3 | 4 if self._written:
                table, entry = self._rng.choice(self._written)
                return Write("modify", (table, TableEntry(entry.key, self._action_for(table), entry.priority)))
            case 5 | 6 if self._written:
                table, entry = self._written.pop(self._rng.randrange(len(self._written)))
                return Write("delete", (table, entry.key, entry.priority))
            case 7 if self._program.profiles:
                return self._profile_change(self._rng.choice(self._program.profiles))
            case 8 if self._program.value_sets:
                return self._set_value_set(self._rng.choice(self._program.value_sets))
            case 9:
                return Write("set_port_up", (self._rng.randrange(PORTS), self._rng.random() < 0.6))
            case 10:
                return Write("set_multicast_group", (self._rng.randrange(1, _IDS), self._replicas()))
            case 11:
                session = self._clone_session() if self._rng.random() < 0.8 else None
                return Write("set_clone_session", (self._rng.randrange(1, _IDS), session))
        return None

    # ---- tables -----------------------------------------------------------------------------------------------------

    def _how_many(self, table: ir.Table) -> int:
        if not table.key or table.entries_constant:
            return 0
        return min(self._rng.choice([0, 1, 3, 10, 40, 150]), table.max_size + 2)

    def _insert(self, table: ir.Table) -> Write:
        key = tuple(self._match(field) for field in table.key)
        timeout_ns = self._rng.choice([0, _SECOND_NS, 5 * _SECOND_NS])
        has_timeout = table.idle_timeout and self._limits.extensions
        entry = TableEntry(key, self._action(table), self._priority(key), timeout_ns if has_timeout else 0)
        write = Write("insert", (table.name, entry))
        self._written.append((table.name, entry))
        self._values.learn(write)
        return write

    def _priority(self, key: Sequence[KeyMatch]) -> int:
        if not any(isinstance(match, Ternary | Range) for match in key):
            return 0
        return self._rng.randrange(1, 50) if self._limits.equal_priorities else next(self._priorities)

    def _match(self, field: ir.KeyField) -> KeyMatch:
        rng, ones = self._rng, (1 << field.width) - 1
        value = self._values.of_expression(field.expr, field.width) & field.mask
        match field.kind:
            case ir.MatchKind.LPM:
                length = rng.choice([0, field.width, rng.randrange(field.width + 1), rng.randrange(field.width + 1)])
                return Lpm(value & (ones ^ ones >> length), length)
            case ir.MatchKind.TERNARY:
                mask = rng.choice([0, ones, ones, self._values.of_width(field.width)])
                return Ternary(value & mask, mask)
            case ir.MatchKind.RANGE:
                other = rng.choice([value, ones, 0, self._values.of_width(field.width)])
                return Range(min(value, other), max(value, other))
            case _:
                return Exact(value & ones)

    def _set_default(self, table: ir.Table) -> Write:
        action = None if self._limits.actions is None and self._rng.random() < 0.2 else self._action(table, True)
        return Write("set_default", (table.name, action))

    def _action_for(self, name: str) -> EntryAction:
        return self._action(next(table for table in self._program.tables if table.name == name))

    def _action(self, table: ir.Table, is_default: bool = False) -> EntryAction:
        profile = table.profile
        if profile is None or (is_default and not self._limits.extensions):
            return self._call(table, is_default)
        number = self._rng.randrange(1, _IDS)
        return GroupRef(number) if profile.selector and self._rng.random() < 0.6 else MemberRef(number)

    def _call(self, table: ir.Table, is_default: bool = False) -> ActionCall:
        actions = [action.action for action in table.actions]
        if self._limits.actions is not None:
            allowed = self._limits.actions[table.name, is_default]
            actions = [action for action in actions if action.name in allowed]
        action = self._rng.choice(actions)
        return ActionCall(action.name, tuple(self._argument(action, index) for index in range(len(action.params))))

    def _argument(self, action: ir.Action, index: int) -> int:
        """Of 9 bits it is a port, most likely."""
        is_port = action.params[index].width == 9 and self._rng.random() < 0.9
        return self._rng.randrange(PORTS) if is_port else self._values.of_argument(action, index)

    # ---- profiles ---------------------------------------------------------------------------------------------------

    def _profile(self, profile: ir.ActionProfile) -> Iterator[Write]:
        users = [table for table in self._program.tables if table.profile == profile]
        if not users:
            return
        if profile.selector and self._limits.extensions and self._rng.random() < 0.4:
            yield Write("set_resilient", (profile.name,))
        for member in range(1, _IDS):
            if self._rng.random() < 0.9:
                yield Write("insert_member", (profile.name, member, self._call(users[0])))
        for group in range(1, _IDS if profile.selector else 0):
            if self._rng.random() < 0.9:
                yield Write("insert_group", (profile.name, group, self._group_members()))

    def _group_members(self) -> tuple[GroupMember, ...]:
        rng, limits = self._rng, self._limits
        ids = rng.sample(range(1, _IDS), rng.randrange(0 if limits.empty_groups else 1, 5))
        return tuple(
            GroupMember(
                member,
                rng.randrange(1, 4) if limits.weights else 1,
                rng.choice([None, rng.randrange(PORTS)]) if limits.watched_ports else None,
            )
            for member in ids
        )

    def _profile_change(self, profile: ir.ActionProfile) -> Write | None:
        users = [table for table in self._program.tables if table.profile == profile]
        if not users:
            return None
        number = self._rng.randrange(1, _IDS)
        changes = [
            Write("modify_member", (profile.name, number, self._call(users[0]))),
            Write("delete_member", (profile.name, number)),
            Write("insert_member", (profile.name, number, self._call(users[0]))),
        ]
        if profile.selector:
            changes += [
                Write("modify_group", (profile.name, number, self._group_members())),
                Write("delete_group", (profile.name, number)),
                Write("insert_group", (profile.name, number, self._group_members())),
            ]
        return self._rng.choice(changes)

    # ---- all else ---------------------------------------------------------------------------------------------------

    def _replicas(self) -> tuple[Replica, ...]:
        """No two with the same port and instance."""
        rng = self._rng
        first = self._limits.first_replica_port
        wanted = {(rng.randrange(first, PORTS), rng.randrange(4)) for _ in range(rng.randrange(1, 5))}
        return tuple(Replica(port, instance, self._backups()) for port, instance in sorted(wanted))

    def _backups(self) -> tuple[Replica, ...]:
        if not self._limits.extensions or self._rng.random() < 0.7:
            return ()
        return tuple(Replica(self._rng.randrange(PORTS), 9) for _ in range(self._rng.randrange(1, 3)))

    def _clone_session(self) -> CloneSession:
        is_cut = self._limits.extensions and self._rng.random() < 0.4
        return CloneSession(self._replicas(), self._rng.choice([1, 14, 40]) if is_cut else 0)

    def _meters(self) -> Iterator[Write]:
        for meter in self._program.meters:
            for index in range(min(meter.size, _CELLS)):
                if self._rng.random() < 0.7:
                    yield Write("write_meter", (meter.name, index, self._rates()))
        direct = {table.name for table in self._program.tables if table.direct_meter}
        if self._limits.extensions:
            for table in sorted(direct):
                if self._rng.random() < 0.5:
                    yield Write("write_direct_meter", (table, None, 0, self._rates()))
        for table, entry in self._written:
            if table in direct and self._rng.random() < 0.7:
                yield Write("write_direct_meter", (table, entry.key, entry.priority, self._rates()))

    def _rates(self) -> MeterRates:
        """Low enough for a burst to go through all colours."""
        rng = self._rng
        committed, peak = sorted((rng.choice([0, 1, 100, 1000]), rng.choice([1, 100, 1000, 100_000])))
        excess_burst = rng.choice([0, 1, 5, 300]) if self._limits.extensions else 0
        return MeterRates(committed, rng.choice([0, 1, 3, 200]), peak, rng.choice([0, 2, 5, 400]), excess_burst)

    def _registers(self) -> Iterator[Write]:
        for register in self._program.registers:
            for index in range(min(register.size, _CELLS)):
                if self._rng.random() < 0.5:
                    yield Write("write_register", (register.name, index, self._values.of_width(register.width)))

    def _set_value_set(self, value_set: ir.ValueSet) -> Write:
        key = next(
            state.key
            for state in self._program.parser.states
            for case in state.cases
            if isinstance(case, ir.ValueSetCase) and case.value_set == value_set
        )
        drawn = [
            tuple(self._values.of_expression(part.expr, part.width) for part in key)
            for _ in range(self._rng.randrange(value_set.max_size + 1))
        ]
        self._value_sets[value_set.name] = tuple(dict.fromkeys(drawn))
        return Write("set_value_set", (value_set.name, self._value_sets[value_set.name]))
