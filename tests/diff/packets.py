# SPDX-License-Identifier: Apache-2.0
"""Packets that follow a program's parser: a path through its states, and bytes that lead along it.

Select keys are fields already laid out, or lookahead: their bits are set to what the chosen case wants. Where a key is
something else, the parser goes where it goes. Some packets are damaged afterwards.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from softnic import ir
from softnic.engine import DROP_PORT

from .checksums import ChecksumFixer, Place
from .scenario import Frame
from .values import Values
from .wire import Wire

_MAX_STATES = 24
"""Visited for one packet: a loop in the parser is left in the end."""

_MAX_VARBIT_WIDTH = 1 << 12


class Packets:
    """Makes frames for `program`. `value_sets` yields the members of a value set as they are now."""

    def __init__(
        self,
        program: ir.Program,
        rng: random.Random,
        values: Values,
        value_sets: Callable[[str], Sequence[tuple[int, ...]]],
    ) -> None:
        self._program = program
        self._rng = rng
        self._values = values
        self._value_sets = value_sets
        self._fix_checksums = ChecksumFixer(program)

    def frame(self) -> Frame:
        """One frame and its port."""
        rng = self._rng
        self._values.aim()
        walk = _Walk(self._program, rng, self._values, self._value_sets)
        port = walk.run()
        payload = rng.randbytes(rng.choice([0, 0, 1, 4, rng.randrange(64)]))
        walk.tell_lengths(len(payload))
        data = walk.wire.packed() + payload
        if rng.random() < 0.9:
            data = self._fix_checksums(port, data, walk.place)
        return port, self._damaged(data)

    def _damaged(self, data: bytes) -> bytes:
        rng = self._rng
        match rng.randrange(16):
            case 0 | 1 if data:
                return data[: rng.randrange(len(data))]
            case 2 if data:
                at = rng.randrange(len(data))
                return data[:at] + rng.randbytes(1) + data[at + 1 :]
            case 3:
                return rng.randbytes(rng.randrange(80))
            case _:
                return data


class _Walk:
    """One path through the parser, and the wire it leaves."""

    def __init__(
        self,
        program: ir.Program,
        rng: random.Random,
        values: Values,
        value_sets: Callable[[str], Sequence[tuple[int, ...]]],
    ) -> None:
        self.wire = Wire(rng)
        self._program = program
        self._rng = rng
        self._values = values
        self._value_sets = value_sets
        self._places: dict[tuple[int, int], Place] = {}
        """By header and field index."""
        self._starts: list[tuple[ir.Header, int]] = []
        self._sizes: dict[ir.AnyStack, int] = {}
        ingress_port = program.standard.ingress_port
        self._port = values.of_field(ingress_port.header, ingress_port.field) & DROP_PORT

    def run(self) -> int:
        """Follow the parser; yields the port."""
        at = self._program.parser.first
        for _ in range(_MAX_STATES):
            if at is None:
                break
            state = self._program.parser.states[at]
            for op in state.ops:
                self._op(op)
            at = self._select(state)
        return self._port

    def tell_lengths(self, payload_bytes: int) -> None:
        """Let most fields called a length be one: from the start of their header, or from its end, to the packet's."""
        end_bytes = -(-self.wire.position // 8) + payload_bytes
        for header, start in self._starts:
            for field in header.type.fields:
                if "len" in field.name and field.width >= 8 and not field.varbit and self._rng.random() < 0.7:
                    skipped = self._rng.choice([start, start + header.type.fixed_width]) // 8
                    self.wire.put(*self._places[header.index, field.index], end_bytes - skipped)

    def _op(self, op: ir.ParserOp) -> None:
        match op:
            case ir.Assign(target=ir.FieldRef(header=header, field=field), value=value):
                if place := self.place(value):
                    self._places[header.index, field.index] = place
            case ir.Extract(target=target, varbit_width=width):
                header = self._target(target)
                if header is not None:
                    self._extract(header, 0 if width is None else self._varbit_width(width))
            case ir.Advance(width=width):
                bits = self._evaluate(width)
                self.wire.take(
                    bits if bits is not None and 0 <= bits < _MAX_VARBIT_WIDTH else 8, self._rng.getrandbits(8)
                )

    def _target(self, target: ir.Header | ir.HeaderStack | ir.UnionStackSlot) -> ir.Header | None:
        """None: the stack is full."""
        if isinstance(target, ir.Header):
            return target
        stack = target.stack if isinstance(target, ir.UnionStackSlot) else target
        size = self._sizes.get(stack, 0)
        self._sizes[stack] = size + 1
        if size >= len(stack.elements):
            return None
        element = stack.elements[size]
        return element if isinstance(element, ir.Header) else element.members[target.member]  # type: ignore[union-attr]

    def _extract(self, header: ir.Header, varbit_width: int) -> None:
        self._starts.append((header, self.wire.position))
        for field in header.type.fields:
            width = varbit_width if field.varbit else field.width
            value = self._rng.getrandbits(width) if field.varbit else self._values.of_field(header, field)
            self._places[header.index, field.index] = self.wire.take(width, value), width

    def _varbit_width(self, expr: ir.Expr) -> int:
        """What the program will compute from the packet, if it can be known."""
        self._lay_out_ahead(expr)
        width = self._evaluate(expr)
        if width is None:
            return 8 * self._rng.randrange(5)
        return width if 0 <= width <= _MAX_VARBIT_WIDTH else 0

    def _lay_out_ahead(self, expr: ir.Expr) -> None:
        """Settle what `expr` looks ahead at: small lengths are the ones that fit."""
        match expr:
            case ir.Lookahead(offset=offset, width=width):
                self.wire.put(self.wire.position + offset, width, self._values.of_width(width))
            case ir.Binary(left=left, right=right):
                self._lay_out_ahead(left)
                self._lay_out_ahead(right)

    # ---- select -----------------------------------------------------------------------------------------------------

    def _select(self, state: ir.ParserState) -> int | None:
        """Where the packet as it is leads to; or where another case does, as far as the key can be made to match it."""
        if state.cases and self._rng.random() < 0.6:
            key = self._key(state.key)
            if key is not None:
                return self._following(state, key)
        case = self._rng.choice([*state.cases, None])
        match case:
            case ir.SelectCase(value=value, mask=mask, next=following):
                self._want(state.key, value, mask)
                return following
            case ir.ValueSetCase(value_set=value_set, mask=mask, next=following):
                members = self._value_sets(value_set.name)
                if not members:
                    return state.default
                self._want(state.key, _pack(self._rng.choice(members), state.key), mask)
                return following
            case _:
                return state.default

    def _key(self, parts: Sequence[ir.KeyPart]) -> int | None:
        """None: it takes more than the wire to know."""
        values: list[int] = []
        for part in parts:
            if isinstance(part.expr, ir.Lookahead):
                self._lay_out_ahead(part.expr)
            value = self._port if part.expr == self._program.standard.ingress_port else self._evaluate(part.expr)
            if value is None:
                return None
            values.append(value & ((1 << part.width) - 1))
        return _pack(values, parts)

    def _following(self, state: ir.ParserState, key: int) -> int | None:
        for case in state.cases:
            match case:
                case ir.SelectCase(value=value, mask=mask) if key & mask == value:
                    return case.next
                case ir.ValueSetCase(value_set=value_set, mask=mask):
                    if any((_pack(member, state.key) ^ key) & mask == 0 for member in self._value_sets(value_set.name)):
                        return case.next
        return state.default

    def _want(self, key: Sequence[ir.KeyPart], value: int, mask: int) -> None:
        for part in reversed(key):
            self._want_part(part.expr, part.width, value, mask)
            value, mask = value >> part.padded_width, mask >> part.padded_width

    def _want_part(self, expr: ir.Expr, width: int, value: int, mask: int) -> None:
        if expr == self._program.standard.ingress_port:
            self._port = value & mask | self._port & ~mask & 7
        elif place := self.place(expr):
            self.wire.put(*place, value, mask & ((1 << place[1]) - 1))

    def place(self, expr: ir.Expr) -> Place | None:
        """Where on the wire the bits of `expr` are."""
        match expr:
            case ir.FieldRef(header=header, field=field):
                return self._places.get((header.index, field.index))
            case ir.FieldOf(header=ir.LastElement(stack=stack), field=field):
                last = min(self._sizes.get(stack, 0), len(stack.elements)) - 1
                return self._places.get((stack.elements[last].index, field.index)) if last >= 0 else None
            case ir.FieldOf(header=ir.StackElement(stack=stack, index=ir.Const(value=index)), field=field):
                in_range = 0 <= index < len(stack.elements)
                return self._places.get((stack.elements[index].index, field.index)) if in_range else None
            case ir.Lookahead(offset=offset, width=width):
                return self.wire.position + offset, width
            case ir.Binary(op="&", left=left, right=ir.Const(value=mask)) if mask & (mask + 1) == 0:
                return self._low_bits(left, mask.bit_length())
            case ir.Binary(op=">>", left=left, right=ir.Const(value=shift)):
                place = self.place(left)
                return (place[0], place[1] - shift) if place and 0 <= shift < place[1] else None
        return None

    def _low_bits(self, expr: ir.Expr, count: int) -> Place | None:
        place = self.place(expr)
        if place is None:
            return None
        start, width = place
        return (start + width - min(count, width), min(count, width))

    def _evaluate(self, expr: ir.Expr) -> int | None:
        """What `expr` will be when the packet is parsed; None if that takes more than the wire."""
        match expr:
            case ir.Const(value=value):
                return value
            case ir.Binary(op=op, left=left, right=right) if op in _ARITHMETIC:
                a, b = self._evaluate(left), self._evaluate(right)
                return None if a is None or b is None else _ARITHMETIC[op](a, b)
        place = self.place(expr)
        return None if place is None else self.wire.get(*place)


_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "<<": lambda a, b: a << min(b, 64) if b >= 0 else 0,
    ">>": lambda a, b: a >> b if b >= 0 else 0,
}


def _pack(values: Sequence[int], key: Sequence[ir.KeyPart]) -> int:
    packed = 0
    for value, part in zip(values, key, strict=True):
        packed = packed << part.padded_width | value
    return packed
