# SPDX-License-Identifier: Apache-2.0
"""Statements to closures, and their sequence to an action's body."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Sized

from softnic import ir
from softnic.engine import DROP_PORT

from .calculations import calculation
from .expressions import Expressions, Value
from .packet import Layout, Packet
from .state import State
from .trace import Tracer

Run = Callable[[Packet], None]
Step = Callable[[Packet], int | None]
"""A statement; a number is where to go on."""

_MAX_STEPS = 100_000
"""P4's loops become jumps back: an action that takes more steps is stopped."""

_log = logging.getLogger("softnic.log_msg")


class PacketAbortedError(Exception):
    """An assert or assume failed: the packet goes no further."""


class Statements:
    """Compiles statements against the state they touch; with a `tracer`, they tell it what they do."""

    def __init__(self, program: ir.Program, layout: Layout, state: State, tracer: Tracer | None) -> None:
        self.layout = layout
        self.expressions = Expressions(layout, state.registers, state.anomalies)
        self._state = state
        self._tracer = tracer
        self._standard = program.standard

    def body(self, statements: Sequence[ir.Statement]) -> Run:
        """A closure that runs them in order, jumps included."""
        steps = [self.step(statement) for statement in statements]
        if any(isinstance(statement, ir.Jump) for statement in statements):
            return self._jumping(steps)
        if len(steps) == 1:
            return steps[0]  # type: ignore[return-value]

        def run(p: Packet) -> None:
            for step in steps:
                step(p)

        return run

    def step(self, statement: ir.Statement) -> Step:
        step = self._compile(statement)
        return step if self._tracer is None else self._tracer.statement(statement, step, self.expressions)

    def _jumping(self, steps: list[Step]) -> Run:
        def run(p: Packet) -> None:
            position = 0
            for _ in range(_MAX_STEPS):
                if position >= len(steps):
                    return
                target = steps[position](p)
                position = position + 1 if target is None else target
            self._state.anomalies["action-endless"] += 1

        return run

    def _compile(self, statement: ir.Statement) -> Step:
        value, header = self.expressions.value, self.expressions.header
        match statement:
            case ir.Assign(target=target, value=expr):
                return self._assign(self.expressions.store(target), value(expr))
            case ir.AssignVarbit():
                return self._assign_varbit(statement)
            case ir.AssignHeader(target=target, value=origin):
                to, source = header(target), header(origin)
                return lambda p: p.copy_header(to(p), source(p))
            case ir.AssignUnion(target=target, value=origin):
                to, source = self.expressions.union(target), self.expressions.union(origin)
                return lambda p: _copy_headers(p, to(p), source(p))
            case ir.AssignStack(target=target, value=origin):
                return self._assign_stack(target, origin)
            case ir.SetValid(header=target):
                return _set_valid(header(target))
            case ir.SetInvalid(header=target):
                return _set_invalid(header(target))
            case ir.Push(stack=stack, count=count):
                return self._shift_stack(stack, value(count), 1)
            case ir.Pop(stack=stack, count=count):
                return self._shift_stack(stack, value(count), -1)
            case ir.Jump(target=position, unless=condition):
                if condition is None:
                    return lambda p: position
                test = value(condition)
                return lambda p: None if test(p) else position
            case ir.Exit():
                return _exit
            case ir.NoOp():
                return lambda p: None
            case ir.Assert():
                return self._assert(statement)
            case ir.LogMessage(pieces=pieces, arguments=arguments):
                return _log_message(pieces, [value(argument) for argument in arguments])
            case ir.Random():
                return self._random(statement)
            case ir.Hash():
                return self._hash(statement)
            case ir.MarkToDrop():
                return self._mark_to_drop()
            case ir.GenerateDigest(learn_list=learn_list):
                return lambda p: setattr(p, "digest", learn_list)
            case ir.Clone(session=session, fields=fields):
                number = value(session)
                return lambda p: setattr(p, "clone", (number(p), fields))
            case ir.Resubmit(fields=fields):
                return lambda p: setattr(p, "resubmit", fields)
            case ir.Recirculate(fields=fields):
                return lambda p: setattr(p, "recirculate", fields)
            case ir.Truncate(length_bytes=length):
                return _truncate(value(length))
            case ir.Count(counter=counter, index=index):
                return self._count(counter, value(index))
            case ir.ExecuteMeter():
                return self._execute_meter(statement)
            case ir.ReadRegister(target=target, register=register, index=index):
                cells, store = self._state.registers[register.name], self.expressions.store(target)
                return self._indexed(cells, value(index), lambda p, at: store(p, cells[at]), "register")
            case ir.WriteRegister(register=register, index=index, value=expr):
                return self._write_register(register, value(index), value(expr))
        raise TypeError(f"not a statement: {statement!r}")

    def _assign(self, store: Callable[[Packet, int], None], value: Value) -> Step:
        return lambda p: store(p, value(p))

    def _assign_varbit(self, statement: ir.AssignVarbit) -> Step:
        target, origin = statement.target, statement.value
        to, source = self._header_of(target), self._header_of(origin)
        bases = self.layout.bases
        maximum = target.field.width

        def run(p: Packet) -> None:
            receiver, giver = to(p), source(p)
            if p.valid[receiver] and p.varbit_widths[giver] <= maximum:
                p.fields[bases[receiver] + target.field.index] = p.fields[bases[giver] + origin.field.index]
                p.varbit_widths[receiver] = p.varbit_widths[giver]
            else:
                self._state.anomalies["varbit-not-assignable"] += 1

        return run

    def _header_of(self, field: ir.FieldRef | ir.FieldOf) -> Callable[[Packet], int]:
        return self.expressions.header(ir.HeaderRef(field.header) if isinstance(field, ir.FieldRef) else field.header)

    def _assign_stack(self, target: ir.AnyStack, origin: ir.AnyStack) -> Step:
        pairs = list(zip(_rows(target), _rows(origin), strict=True))
        to, source = self.layout.stack_index(target), self.layout.stack_index(origin)

        def run(p: Packet) -> None:
            p.stack_sizes[to] = p.stack_sizes[source]
            for receivers, givers in pairs:
                _copy_headers(p, receivers, givers)

        return run

    def _shift_stack(self, stack: ir.AnyStack, count: Value, direction: int) -> Step:
        """Push (1) towards the end or pop (-1) towards the front; P4_16's semantics, in which size follows."""
        rows, index = _rows(stack), self.layout.stack_index(stack)
        depth = len(rows)

        def run(p: Packet) -> None:
            by = min(max(count(p), 0), depth)
            p.stack_sizes[index] = max(0, min(depth, p.stack_sizes[index] + direction * by))
            targets = range(depth) if direction < 0 else range(depth - 1, -1, -1)
            for at in targets:
                origin = at - direction * by
                if origin == at:
                    continue
                if 0 <= origin < depth:
                    _copy_headers(p, rows[at], rows[origin])
                else:
                    for header in rows[at]:
                        p.make_invalid(header)

        return run

    def _assert(self, statement: ir.Assert) -> Step:
        condition = self.expressions.value(statement.condition)

        def run(p: Packet) -> None:
            if not condition(p):
                raise PacketAbortedError(statement.keyword)

        return run

    def _random(self, statement: ir.Random) -> Step:
        store = self.expressions.store(statement.target)
        low, high = self.expressions.value(statement.low), self.expressions.value(statement.high)

        def run(p: Packet) -> None:
            least, most = low(p), high(p)
            if least > most:
                self._state.anomalies["random-range-empty"] += 1
            else:
                store(p, self._state.rng.randint(least, most))

        return run

    def _hash(self, statement: ir.Hash) -> Step:
        compute = calculation(self.layout, statement.calculation, self._state.hash_function(statement.calculation))
        store = self.expressions.store(statement.target)
        base, limit = self.expressions.value(statement.base), self.expressions.value(statement.max)
        return lambda p: store(p, base(p) + compute(p) % (limit(p) or 1))

    def _mark_to_drop(self) -> Step:
        egress_spec = self.layout.slot(self._standard.egress_spec)
        if self._standard.mcast_grp is None:

            def drop(p: Packet) -> None:
                p.fields[egress_spec] = DROP_PORT

            return drop
        mcast_grp = self.layout.slot(self._standard.mcast_grp)

        def drop_and_unicast(p: Packet) -> None:
            p.fields[egress_spec] = DROP_PORT
            p.fields[mcast_grp] = 0

        return drop_and_unicast

    def _count(self, counter: ir.Counter, index: Value) -> Step:
        cells = self._state.counters[counter.name]

        def count(p: Packet, at: int) -> None:
            cells.packets[at] += 1
            cells.bytes[at] += p.received_length

        return self._indexed(cells.packets, index, count, "counter")

    def _execute_meter(self, statement: ir.ExecuteMeter) -> Step:
        cells = self._state.meters[statement.meter.name]
        store, in_bytes = self.expressions.store(statement.target), statement.meter.unit == "bytes"

        def execute(p: Packet, at: int) -> None:
            store(p, cells[at].mark(p.received_length, in_bytes, self._state.now_us()))

        return self._indexed(cells, self.expressions.value(statement.index), execute, "meter")

    def _write_register(self, register: ir.Register, index: Value, value: Value) -> Step:
        cells, mask = self._state.registers[register.name], (1 << register.width) - 1

        def write(p: Packet, at: int) -> None:
            cells[at] = value(p) & mask

        return self._indexed(cells, index, write, "register")

    def _indexed(self, cells: Sized, index: Value, use: Callable[[Packet, int], None], what: str) -> Step:
        """`use` with an index that is in range; else no effect, but counted."""

        def run(p: Packet) -> None:
            at = index(p)
            if 0 <= at < len(cells):
                use(p, at)
            else:
                self._state.anomalies[f"{what}-index-out-of-range"] += 1

        return run


def _rows(stack: ir.AnyStack) -> list[tuple[int, ...]]:
    """The headers of each element: one, or the members of a union."""
    if isinstance(stack, ir.HeaderStack):
        return [(element.index,) for element in stack.elements]
    return [tuple(member.index for member in union.members) for union in stack.elements]


def _copy_headers(p: Packet, targets: tuple[int, ...], origins: tuple[int, ...]) -> None:
    """The invalid ones first: in a union, a header that becomes valid must not be cleared by its siblings."""
    pairs = sorted(zip(targets, origins, strict=True), key=lambda pair: p.valid[pair[1]])
    for target, origin in pairs:
        p.copy_header(target, origin)


def _set_valid(header: Callable[[Packet], int]) -> Step:
    def run(p: Packet) -> None:
        index = header(p)
        if not p.valid[index]:
            p.make_valid(index)
            p.length += p.layout.fixed_bytes[index]

    return run


def _set_invalid(header: Callable[[Packet], int]) -> Step:
    def run(p: Packet) -> None:
        index = header(p)
        if p.valid[index]:
            p.length -= p.header_bytes(index)
            p.make_invalid(index)

    return run


def _exit(p: Packet) -> None:
    p.exited = True


def _log_message(pieces: tuple[str, ...], arguments: list[Value]) -> Step:
    def run(p: Packet) -> None:
        texts = [str(int(argument(p))) for argument in arguments]
        _log.info("%s", "".join(piece + text for piece, text in zip(pieces, [*texts, ""], strict=True)))

    return run


def _truncate(length: Value) -> Step:
    def run(p: Packet) -> None:
        limit = max(0, length(p))
        p.truncate_to = limit if p.truncate_to is None else min(p.truncate_to, limit)

    return run
