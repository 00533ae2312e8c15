# SPDX-License-Identifier: Apache-2.0
"""The parser as one C function: a label for each state.

An error ends parsing: what was extracted so far stays valid, what was consumed so far is gone from the packet, and
ingress runs with ``parser_error`` set.
"""

from __future__ import annotations

from collections.abc import Iterator

from softnic import ir

from .expressions import Expressions
from .keys import select_key
from .layout import Layout, Place
from .names import Names, source_comment
from .statements import Statements
from .writer import Writer, c_bytes

MAX_STATES = 4096
"""A packet that visits more is in a loop that consumes nothing; BMv2 would never come back."""

_ERRORS = {
    "packet_too_short": "PacketTooShort",
    "stack_out_of_bounds": "StackOutOfBounds",
    "header_too_short": "HeaderTooShort",
    "invalid_argument": "ParserInvalidArgument",
}
"""Label and P4 error of each way to fail."""


class ParserEmitter:
    """Emits ``program_parse``."""

    def __init__(self, program: ir.Program, layout: Layout, expressions: Expressions, statements: Statements) -> None:
        self._program = program
        self._layout = layout
        self._expressions = expressions
        self._statements = statements
        self._states = program.parser.states
        self._order = _reachable(program.parser)
        self._counted = _has_loop(program.parser, self._order)
        names = Names(("accept", "ended", "endless", "done", *_ERRORS))
        self._labels = {at: names.unique(self._states[at].name) for at in self._order}

    def emit(self, writer: Writer) -> None:
        with writer.function(f"{self._layout.function} void program_parse(struct snic_worker *w, struct packet *p)"):
            writer.line("struct snic_cursor cursor = {p->base.bytes, p->base.bytes + p->base.bytes_length};")
            writer.line("struct snic_cursor *c = &cursor;")
            if self._counted:
                writer.line(f"uint32_t states_left = {MAX_STATES};")
            writer.line(f"p->base.parser_error = {self._error('NoError')};")
            for at in self._order:
                self._state(writer, at)
            self._end(writer)

    def _end(self, writer: Writer) -> None:
        writer.label("accept")
        if self._counted:
            writer.line("if (states_left == 0)")
            writer.line("    goto endless;")
        writer.line("goto ended;")
        for label, error in _ERRORS.items():
            if writer.jumps_to(label):
                writer.label(label)
                writer.line(f"p->base.parser_error = {self._error(error)};")
                writer.line("goto ended;")
        if self._counted:
            writer.label("endless")
            writer.line("snic_anomaly(w, SNIC_PARSER_ENDLESS);")
            writer.line(f"p->base.parser_error = {self._error('ParserTimeout')};")
        writer.label("ended")
        writer.label("done")
        writer.line("p->base.payload = c->p;")
        writer.line("p->base.payload_length = (uint32_t)(c->end - c->p);")

    def _error(self, name: str) -> int:
        return self._program.errors.get(name, 0)

    # ---- states -----------------------------------------------------------------------------------------------------

    def _state(self, writer: Writer, at: int) -> None:
        state = self._states[at]
        writer.label(self._labels[at])
        if self._counted:
            writer.line("if (states_left-- == 0)")
            writer.line("    goto endless;")
        for op in state.ops:
            self._op(writer, op)
        if state.cases:
            self._select(writer, state)
        writer.line(self._goto(state.default))

    def _goto(self, at: int | None) -> str:
        return "goto accept;" if at is None else f"goto {self._labels[at]};"

    def _op(self, writer: Writer, op: ir.ParserOp) -> None:
        match op:
            case ir.Extract():
                self._extract(writer, op)
            case ir.Verify(condition=condition, error=error):
                with writer.block(
                    f"if (!({self._expressions.condition(condition)}))", comment=source_comment(op.source)
                ):
                    writer.line(f"p->base.parser_error = (uint32_t){self._expressions.word(error, 32)};")
                    writer.line("goto ended;")
            case ir.Advance(width=width):
                with writer.block(comment=source_comment(op.source)):
                    writer.line(f"uint64_t bits = {self._expressions.index(width)};")
                    _fail(writer, "bits % 8 != 0", "invalid_argument")
                    _fail(writer, "snic_take(c, bits / 8) == NULL", "packet_too_short")
            case _:
                writer.lines(self._statements.statement(op))

    # ---- extraction -------------------------------------------------------------------------------------------------

    def _extract(self, writer: Writer, op: ir.Extract) -> None:
        with writer.block(comment=source_comment(op.source)):
            match op.target:
                case ir.Header() as header:
                    self._extract_to(writer, self._layout.place(header), op.varbit_width)
                case ir.HeaderStack() as stack:
                    self._extract_next(writer, stack, 0, op.varbit_width)
                case ir.UnionStackSlot(stack=stack, member=member):
                    self._extract_next(writer, stack, member, op.varbit_width)

    def _extract_next(self, writer: Writer, stack: ir.AnyStack, member: int, varbit_width: ir.Expr | None) -> None:
        size = self._layout.stack_size(stack)
        writer.line(f"uint32_t at = {size};")
        _fail(writer, f"at >= {len(stack.elements)}", "stack_out_of_bounds")
        self._extract_to(writer, self._layout.element(stack, "at", member), varbit_width)
        writer.line(f"{size}++;")

    def _extract_to(self, writer: Writer, place: Place, varbit_width: ir.Expr | None) -> None:
        fixed_bytes = place.type.fixed_width // 8
        if varbit_width is None:
            writer.line(f"const uint8_t *bytes = snic_take(c, {fixed_bytes});")
            _fail(writer, "bytes == NULL", "packet_too_short")
            writer.lines(place.make_valid())
            copy = "snic_take_words" if place.words else "memcpy"
            writer.line(f"{copy}({place.storage}, bytes, {fixed_bytes});")
            return
        if place.type.varbit is None or place.varbit_bits is None:
            raise TypeError(f"{place.type.name} has no varbit field")
        writer.line(f"uint64_t bits = {self._expressions.index(varbit_width)};")
        _fail(writer, "bits % 8 != 0", "invalid_argument")
        _fail(writer, f"!snic_has(c, {fixed_bytes} + bits / 8)", "packet_too_short")
        _fail(writer, f"bits > {place.type.varbit.width}", "header_too_short")
        writer.line(f"size_t length = {fixed_bytes} + bits / 8;")
        writer.lines(place.make_valid())
        writer.line(f"memcpy({place.storage}, snic_take(c, length), length);")
        writer.line(f"memset({place.storage} + length, 0, sizeof {place.storage} - length);")
        writer.line(f"{place.varbit_bits} = (uint32_t)bits;")

    # ---- transitions ------------------------------------------------------------------------------------------------

    def _select(self, writer: Writer, state: ir.ParserState) -> None:
        """Jumps to the first case that matches; falls through if none does."""
        width = sum(part.padded_width for part in state.key)
        looked_up = any(isinstance(case, ir.ValueSetCase) for case in state.cases)
        with writer.block():
            if width > 64 or looked_up:
                self._select_bytes(writer, state, width // 8)
            else:
                self._select_word(writer, state)

    def _select_word(self, writer: Writer, state: ir.ParserState) -> None:
        writer.line(f"uint64_t key = {self._packed(state.key)};")
        bits = _significant(state.key)
        cases = [case for case in state.cases if isinstance(case, ir.SelectCase) and _can_match(case, bits)]
        if all(case.mask & bits == bits for case in cases):
            with writer.block("switch (key)"):
                for case in {case.value: case for case in reversed(cases)}.values():
                    writer.line(f"case 0x{case.value:x}: {self._goto(case.next)}")
                writer.line("default: break;")
            return
        for case in cases:
            writer.line(f"if ((key & 0x{case.mask:x}) == 0x{case.value:x})")
            writer.line(f"    {self._goto(case.next)}")

    def _packed(self, key: tuple[ir.KeyPart, ...]) -> str:
        left = sum(part.padded_width for part in key)
        parts: list[str] = []
        for part in key:
            left -= part.padded_width
            word = f"(uint64_t){self._expressions.word(part.expr, part.width)}"
            parts.append(f"{word} << {left}" if left else word)
        return " | ".join(parts)

    def _select_bytes(self, writer: Writer, state: ir.ParserState, size: int) -> None:
        writer.line(f"_Alignas(8) uint8_t key[{size}];")
        writer.lines(select_key(state.key, self._expressions, "key"))
        bits = _significant(state.key)
        for case in state.cases:
            mask = f"(const uint8_t[]){c_bytes(case.mask & bits, size)}"
            if isinstance(case, ir.ValueSetCase):
                number = self._program.value_sets.index(case.value_set)
                writer.line(f"if (snic_value_set_contains(w, {number}, key, {mask}))")
                writer.line(f"    {self._goto(case.next)}")
            elif _can_match(case, bits):
                value = f"(const uint8_t[]){c_bytes(case.value, size)}"
                writer.line(f"if (snic_masked_equal(key, {value}, {mask}, {size}))")
                writer.line(f"    {self._goto(case.next)}")


def _fail(writer: Writer, condition: str, label: str) -> None:
    writer.line(f"if ({condition})")
    writer.line(f"    goto {label};")


def _can_match(case: ir.SelectCase, bits: int) -> bool:
    """Whether a key without other bits than `bits` can equal the case's value under its mask."""
    return not case.value & ~(case.mask & bits)


def _significant(key: tuple[ir.KeyPart, ...]) -> int:
    """The bits of a packed key that can be 1."""
    bits = 0
    for part in key:
        bits = bits << part.padded_width | ((1 << part.width) - 1)
    return bits


def _next_states(state: ir.ParserState) -> Iterator[int]:
    for at in (*(case.next for case in state.cases), state.default):
        if at is not None:
            yield at


def _reachable(parser: ir.Parser) -> tuple[int, ...]:
    """States that can be reached, the first one first, each near to where it is reached from."""
    order: dict[int, None] = {}
    waiting = [] if parser.first is None else [parser.first]
    while waiting:
        at = waiting.pop()
        if at not in order:
            order[at] = None
            waiting += reversed(list(_next_states(parser.states[at])))
    return tuple(order)


def _has_loop(parser: ir.Parser, reachable: tuple[int, ...]) -> bool:
    """Whether a state can be visited twice: what is left after states without unvisited ones in front are removed."""
    left = set(reachable)
    while left:
        targets = {target for at in left for target in _next_states(parser.states[at])}
        free = left - targets
        if not free:
            return True
        left -= free
    return False
