# SPDX-License-Identifier: Apache-2.0
"""The parser: states to closures, and the loop that follows them.

An error ends parsing; what was extracted so far stays valid, what was consumed so far is gone from the packet, and
ingress runs with ``parser_error`` set.
"""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir

from .cursor import PacketTooShortError
from .packet import Packet
from .state import State
from .statements import Statements
from .trace import Tracer

_MAX_STATES = 4096
"""A packet that visits more is in a loop that consumes nothing; BMv2 would never come back."""

Run = Callable[[Packet], object]
Select = Callable[[Packet], int | None]


class ParserError(Exception):
    """Parsing ended with an error of the P4 core library, by name, or with a code that the program chose."""

    def __init__(self, error: str | int) -> None:
        super().__init__(error)
        self.error = error


class ParserRunner:
    """Compiles `program`'s parser; `parse` runs it."""

    def __init__(self, program: ir.Program, state: State, statements: Statements, tracer: Tracer | None) -> None:
        self._program = program
        self._state = state
        self._statements = statements
        self._tracer = tracer
        self._states = [(s, [self._op(op) for op in s.ops], self._select(s)) for s in program.parser.states]

    def parse(self, p: Packet) -> None:
        """Extract headers; sets `p.payload` and `p.parser_error`."""
        p.parser_error = self._program.errors.get("NoError", 0)
        try:
            self._run(p)
        except PacketTooShortError:
            self._fail(p, "PacketTooShort")
        except ParserError as failure:
            self._fail(p, failure.error)
        p.payload = p.cursor.rest()

    def _run(self, p: Packet) -> None:
        at = self._program.parser.first
        for _ in range(_MAX_STATES):
            if at is None:
                return
            state, ops, select = self._states[at]
            if self._tracer is not None:
                self._tracer.parser_state(state)
            for op in ops:
                op(p)
            at = select(p)
        self._state.anomalies["parser-endless"] += 1
        raise ParserError("ParserTimeout")

    def _fail(self, p: Packet, error: str | int) -> None:
        p.parser_error = self._program.errors.get(error, 0) if isinstance(error, str) else error
        if self._tracer is not None:
            self._tracer.parser_error(self._error_name(p.parser_error))

    def _error_name(self, code: int) -> str:
        return next((name for name, number in self._program.errors.items() if number == code), str(code))

    def _op(self, op: ir.ParserOp) -> Run:
        value = self._statements.expressions.value
        match op:
            case ir.Extract():
                return self._extract(op)
            case ir.Verify(condition=condition, error=error):
                return _verify(value(condition), value(error))
            case ir.Advance(width=width):
                return _advance(value(width))
            case _:
                return self._statements.step(op)

    def _extract(self, op: ir.Extract) -> Run:
        match op.target:
            case ir.Header() as header:
                return self._extractor(header, op)
            case ir.HeaderStack() as stack:
                choices = list(stack.elements)
            case ir.UnionStackSlot(stack=stack, member=member):
                choices = [union.members[member] for union in stack.elements]
        extractors = [self._extractor(header, op) for header in choices]
        size_at = self._statements.layout.stack_index(stack)

        def extract_next(p: Packet) -> None:
            size = p.stack_sizes[size_at]
            if size >= len(extractors):
                raise ParserError("StackOutOfBounds")
            extractors[size](p)
            p.stack_sizes[size_at] = size + 1

        return extract_next

    def _extractor(self, header: ir.Header, op: ir.Extract) -> Run:
        extract = self._fixed(header) if op.varbit_width is None else self._variable(header, op.varbit_width)
        return extract if self._tracer is None else self._tracer.extraction(header, extract, op.source)

    def _fixed(self, header: ir.Header) -> Run:
        index, width = header.index, header.type.fixed_width
        base, end = self._slots(header)
        size = width // 8
        plan = [(width - field.offset - field.width, (1 << field.width) - 1) for field in header.type.fields]
        signed = _signed_fields(header, base)

        def extract(p: Packet) -> None:
            word = p.cursor.take(size)
            p.make_valid(index)
            p.fields[base:end] = [word >> shift & mask for shift, mask in plan]
            for slot, half in signed:
                p.fields[slot] = (p.fields[slot] ^ half) - half

        return extract

    def _variable(self, header: ir.Header, width_of: ir.Expr) -> Run:
        """With a varbit: fields behind it move down by as many bits as it is short of nothing."""
        index, varbit, fixed_width = header.index, header.type.varbit, header.type.fixed_width
        value, fields = self._statements.expressions.value(width_of), header.type.fields
        base, end = self._slots(header)
        signed = _signed_fields(header, base)
        if varbit is None:
            raise TypeError(f"{header.name} has no varbit field")

        def extract(p: Packet) -> None:
            varbit_width = value(p)
            if varbit_width < 0 or varbit_width % 8:
                raise ParserError("ParserInvalidArgument")
            total = fixed_width + varbit_width
            p.cursor.require(total // 8)
            if varbit_width > varbit.width:
                raise ParserError("HeaderTooShort")
            word = p.cursor.take(total // 8)
            p.make_valid(index)
            p.varbit_widths[index] = varbit_width
            left, values = total, []
            for field in fields:
                width = varbit_width if field.varbit else field.width
                left -= width
                values.append(word >> left & ((1 << width) - 1))
            p.fields[base:end] = values
            for slot, half in signed:
                p.fields[slot] = (p.fields[slot] ^ half) - half

        return extract

    def _slots(self, header: ir.Header) -> tuple[int, int]:
        layout = self._statements.layout
        base = layout.bases[header.index]
        return base, base + layout.field_counts[header.index]

    def _select(self, state: ir.ParserState) -> Select:
        default = state.default
        if not state.cases:
            return lambda p: default
        key = self._key(state.key)
        cases = [self._case(case, state.key) for case in state.cases]

        def select(p: Packet) -> int | None:
            packed = key(p)
            for matches, target in cases:
                if matches(packed):
                    return target
            return default

        return select

    def _key(self, parts: tuple[ir.KeyPart, ...]) -> Callable[[Packet], int]:
        values = [
            (self._statements.expressions.value(part.expr), part.padded_width, (1 << part.width) - 1) for part in parts
        ]

        def key(p: Packet) -> int:
            packed = 0
            for value, width, mask in values:
                packed = packed << width | value(p) & mask
            return packed

        return key

    def _case(
        self, case: ir.SelectCase | ir.ValueSetCase, key: tuple[ir.KeyPart, ...]
    ) -> tuple[Callable[[int], bool], int | None]:
        mask = case.mask
        if isinstance(case, ir.SelectCase):
            wanted = case.value
            return lambda packed: packed & mask == wanted, case.next
        value_sets, name = self._state.value_sets, case.value_set.name

        def contains(packed: int) -> bool:
            return any((packed ^ _pack(member, key)) & mask == 0 for member in value_sets[name])

        return contains, case.next


def _pack(values: tuple[int, ...], key: tuple[ir.KeyPart, ...]) -> int:
    packed = 0
    for value, part in zip(values, key, strict=True):
        packed = packed << part.padded_width | value
    return packed


def _signed_fields(header: ir.Header, base: int) -> list[tuple[int, int]]:
    """Slot and sign bit of each signed field."""
    return [(base + field.index, 1 << (field.width - 1)) for field in header.type.fields if field.signed]


def _verify(condition: Callable[[Packet], int], error: Callable[[Packet], int]) -> Run:
    def verify(p: Packet) -> None:
        if not condition(p):
            raise ParserError(error(p))

    return verify


def _advance(width: Callable[[Packet], int]) -> Run:
    def advance(p: Packet) -> None:
        bits = width(p)
        if bits < 0 or bits % 8:
            raise ParserError("ParserInvalidArgument")
        p.cursor.skip(bits // 8)

    return advance
