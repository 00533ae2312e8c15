# SPDX-License-Identifier: Apache-2.0
"""A pipeline: its nodes to closures, each of which yields the next one."""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir

from .calculations import calculation
from .packet import Packet
from .profiles import Group, Member, ProfileState
from .state import State
from .statements import Run, Statements
from .tables import Entry, Resources, TableState
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
        """A closure that finds the entry and leaves what a hit leaves on it, or a miss on the default entry."""
        key, find = self._key(table, state), state.find
        hit, missed = self._hit(table), self._missed(table, state)

        def lookup(p: Packet) -> Entry | None:
            entry = find(key(p)) if table.key else None
            if entry is None:
                missed(p)
            else:
                hit(p, entry)
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

    def _hit(self, table: ir.Table) -> Callable[[Packet, Entry], None]:
        mark = None if table.direct_meter is None else self._mark(table.direct_meter)

        def hit(p: Packet, entry: Entry) -> None:
            if table.direct_counter:
                _count(p, entry.resources)
            if mark:
                mark(p, entry.resources)
            if table.idle_timeout:
                entry.last_hit_ns = self._state.clock_ns()

        return hit

    def _missed(self, table: ir.Table, state: TableState) -> Callable[[Packet], None]:
        resources = state.default_resources
        mark = None if table.direct_meter is None else self._mark(table.direct_meter)

        def missed(p: Packet) -> None:
            if table.direct_counter:
                _count(p, resources)
            if mark and resources.meter.rates:  # BMv2 marks hits only, so nothing is marked until a client asks for it
                mark(p, resources)

        return missed

    def _mark(self, meter: ir.DirectMeter) -> Callable[[Packet, Resources], None]:
        store, in_bytes = self._statements.expressions.store(meter.result), meter.unit == "bytes"

        def mark(p: Packet, resources: Resources) -> None:
            store(p, resources.meter.mark(p.received_length, in_bytes, self._state.now_us()))

        return mark

    def _choose(self, table: ir.Table, state: TableState) -> Callable[[Packet, Entry | None], ir.ActionArgs | None]:
        """A closure that yields what to run: the entry's action or that of its member, or the default, or nothing."""
        if table.profile is None:  # then all targets are calls
            return lambda p, entry: state.default_target if entry is None else entry.target  # type: ignore[return-value]
        pick = self._pick(table.profile, self._state.profiles[table.profile.name])

        def choose(p: Packet, entry: Entry | None) -> ir.ActionArgs | None:
            target = state.default_target if entry is None else entry.target
            if isinstance(target, Group):
                target = pick(p, target)
            if isinstance(target, Member):
                return ir.ActionArgs(state.action(target.call.action), target.call.args)
            return target

        return choose

    def _pick(self, profile: ir.ActionProfile, state: ProfileState) -> Callable[[Packet, Group], Member | None]:
        if profile.selector is None:
            return lambda p, group: None
        calc = profile.selector.calculation
        compute = calculation(self._statements.layout, calc, self._state.hash_function(calc))

        def pick(p: Packet, group: Group) -> Member | None:
            if not group.active:
                self._state.anomalies["selector-group-empty"] += 1
                return None
            return state.pick(group, compute(p))

        return pick


def _count(p: Packet, resources: Resources) -> None:
    resources.packets += 1
    resources.bytes += p.received_length
