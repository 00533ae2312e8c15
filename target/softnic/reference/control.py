# SPDX-License-Identifier: Apache-2.0
"""A pipeline: its nodes to closures, each of which yields the next one."""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir

from .calculations import calculation
from .meters import Marker
from .packet import Packet
from .profiles import Group, Member
from .state import State
from .statements import Run, Statements
from .tables import Entry, TableState
from .trace import Tracer

Node = Callable[[Packet], int | None]


class Control:
    """Compiles one pipeline; `apply` runs a packet through it."""

    def __init__(
        self,
        pipeline: ir.Pipeline,
        bodies: dict[int, Run],
        state: State,
        statements: Statements,
        tracer: Tracer | None,
    ) -> None:
        self._bodies = bodies
        self._state = state
        self._statements = statements
        self._tracer = tracer
        self._first = pipeline.first
        self._nodes = [self._node(node) for node in pipeline.nodes]

    def apply(self, p: Packet) -> None:
        """Until the pipeline ends or the packet exits."""
        nodes, at = self._nodes, self._first
        while at is not None and not p.exited:
            at = nodes[at](p)
        p.exited = False

    def _node(self, node: ir.Node) -> Node:
        match node:
            case ir.Table():
                return self._table(node)
            case ir.Branch():
                return self._branch(node)
            case ir.DirectCall():
                return self._direct_call(node)

    def _branch(self, branch: ir.Branch) -> Node:
        condition = self._statements.expressions.value(branch.condition)
        if_true, if_false, tracer = branch.next_if_true, branch.next_if_false, self._tracer

        def test(p: Packet) -> int | None:
            taken = condition(p)
            if tracer is not None:
                tracer.branch(branch, bool(taken))
            return if_true if taken else if_false

        return test

    def _direct_call(self, call: ir.DirectCall) -> Node:
        run, following = self._bodies[call.action.id], call.next

        def apply(p: Packet) -> int | None:
            p.args = ()
            run(p)
            return following

        return apply

    # ---- tables -----------------------------------------------------------------------------------------------------

    def _table(self, table: ir.Table) -> Node:
        state = self._state.tables[table.name]
        lookup = self._lookup(table, state)
        choose = self._choose(table, state)
        tell = None if self._tracer is None else self._teller(self._tracer, table, state)
        bodies = self._bodies

        def apply(p: Packet) -> int | None:
            entry = lookup(p)
            call = choose(p, entry)
            if tell is not None:
                tell(p, entry, call)
            if call is None:
                return table.next_without_action
            action = call.action
            p.args = call.args
            bodies[action.action.id](p)
            return action.next_on_miss if entry is None else action.next_on_hit

        return apply

    def _teller(
        self, tracer: Tracer, table: ir.Table, state: TableState
    ) -> Callable[[Packet, Entry | None, ir.ActionArgs | None], None]:
        values = [self._statements.expressions.value(field.expr) for field in table.key]

        def tell(p: Packet, entry: Entry | None, call: ir.ActionArgs | None) -> None:
            key = tuple(value(p) for value in values)
            if entry is None:
                tracer.table(table, key, None, state.default(), call)
            else:
                tracer.table(table, key, entry.as_table_entry(), entry.action, call)

        return tell

    def _lookup(self, table: ir.Table, state: TableState) -> Callable[[Packet], Entry | None]:
        """A closure that finds the entry and leaves on it what a hit leaves: counts, colour, time."""
        key, find, touch = self._key(table, state), state.find, self._touch(table)
        if not table.key:
            return lambda p: None
        if touch is None:
            return lambda p: find(key(p))

        def lookup(p: Packet) -> Entry | None:
            entry = find(key(p))
            if entry is not None:
                touch(p, entry)
            return entry

        return lookup

    def _key(self, table: ir.Table, state: TableState) -> Callable[[Packet], int]:
        parts = [
            (self._statements.expressions.value(field.expr), field.mask, shift)
            for field, shift in zip(table.key, state.packer.shifts, strict=True)
        ]
        if len(parts) == 1:
            value, mask, _ = parts[0]
            return lambda p: value(p) & mask

        def key(p: Packet) -> int:
            packed = 0
            for value, mask, shift in parts:
                packed |= (value(p) & mask) << shift
            return packed

        return key

    def _touch(self, table: ir.Table) -> Callable[[Packet, Entry], None] | None:
        effects: list[Callable[[Packet, Entry], None]] = []
        if table.direct_counter:
            effects.append(_count)
        if table.direct_meter is not None:
            effects.append(self._mark(table.direct_meter))
        if table.idle_timeout:
            clock_ns = self._state.clock_ns
            effects.append(lambda p, entry: setattr(entry, "last_hit_ns", clock_ns()))
        if not effects:
            return None
        if len(effects) == 1:
            return effects[0]

        def touch(p: Packet, entry: Entry) -> None:
            for effect in effects:
                effect(p, entry)

        return touch

    def _mark(self, meter: ir.DirectMeter) -> Callable[[Packet, Entry], None]:
        store, in_bytes = self._statements.expressions.store(meter.result), meter.unit == "bytes"

        def mark(p: Packet, entry: Entry) -> None:
            marker: Marker | None = entry.marker
            cost = p.received_length if in_bytes else 1
            store(p, 0 if marker is None else marker.mark(cost, self._state.now_us()))

        return mark

    def _choose(self, table: ir.Table, state: TableState) -> Callable[[Packet, Entry | None], ir.ActionArgs | None]:
        """A closure that yields what to run: the entry's action or that of its member, or the default, or nothing."""
        if table.profile is None:  # then all targets are calls
            return lambda p, entry: state.default_target if entry is None else entry.target  # type: ignore[return-value]
        pick = self._pick(table.profile)

        def choose(p: Packet, entry: Entry | None) -> ir.ActionArgs | None:
            target = state.default_target if entry is None else entry.target
            if isinstance(target, Group):
                target = pick(p, target)
            if isinstance(target, Member):
                return ir.ActionArgs(state.action(target.call.action), target.call.args)
            return target

        return choose

    def _pick(self, profile: ir.ActionProfile) -> Callable[[Packet, Group], Member | None]:
        if profile.selector is None:
            return lambda p, group: None
        calc = profile.selector.calculation
        compute = calculation(self._statements.layout, calc, self._state.hash_function(calc))

        def pick(p: Packet, group: Group) -> Member | None:
            if not group.active:
                self._state.anomalies["selector-group-empty"] += 1
                return None
            return group.active[compute(p) % len(group.active)]

        return pick


def _count(p: Packet, entry: Entry) -> None:
    entry.packets += 1
    entry.bytes += p.received_length
