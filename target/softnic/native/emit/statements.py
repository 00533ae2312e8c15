# SPDX-License-Identifier: Apache-2.0
"""Statements to C, and their sequence to an action's body.

What a statement asks of the target (a clone, a digest ...) is only noted in ``p->base``. Lists of the program are noted
by 1 + their index, 0 being none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softnic import ir

from .calculations import Calculations
from .cvalues import CValue, flag, store_field
from .errors import UnsupportedError
from .expressions import Expressions, has_effects
from .layout import Layout, Place
from .names import source_comment
from .ordering import walk
from .stores import (
    block,
    copy_header,
    copy_members,
    fit_register,
    load_cell,
    scope,
    store,
    store_cell,
)
from .widths import Given, Interval, Type
from .writer import c_string, jumps_to

_COLOUR = Given("(uint64_t)colour", Interval(0, 2))


class Statements:
    """Prints statements of `program` for packets of `layout`.

    A statement may end its function early: it jumps to the label ``done``.
    """

    def __init__(self, program: ir.Program, layout: Layout, calculations: Calculations) -> None:
        self._program = program
        self._layout = layout
        self._calculations = calculations
        self._counters = {counter.name: number for number, counter in enumerate(program.counters)}
        self._meters = {meter.name: number for number, meter in enumerate(program.meters)}
        self._registers = {register.name: number for number, register in enumerate(program.registers)}

    def body(self, statements: Sequence[ir.Statement], params: Sequence[ir.ActionParam] = ()) -> list[str]:
        """An action's body. While it runs it holds the lock of each register it touches: it is atomic."""
        locked = sorted(self._registers[name] for name in _registers_in(statements))
        lines = [f"snic_register_lock(w, {number});" for number in locked]
        lines += self._sequence(statements, params)
        unlocks = [f"snic_register_unlock(w, {number});" for number in reversed(locked)]
        if jumps_to(lines, "done"):
            lines += ["done:"] if unlocks else ["done:", ";"]
        return lines + unlocks

    def statement(self, statement: ir.Statement, params: Sequence[ir.ActionParam] = ()) -> list[str]:
        """One statement, under the line of P4 it comes from. No jump: those need their `body`."""
        lines = self._statement(statement, Expressions(self._program, self._layout, params))
        comment = source_comment(statement.source)
        return [comment, *lines] if comment and lines else lines

    # ---- sequences and jumps ----------------------------------------------------------------------------------------

    def _sequence(self, statements: Sequence[ir.Statement], params: Sequence[ir.ActionParam]) -> list[str]:
        end = len(statements)
        targets = {min(statement.target, end) for statement in statements if isinstance(statement, ir.Jump)}
        loops = any(
            isinstance(statement, ir.Jump) and statement.target <= at for at, statement in enumerate(statements)
        )
        lines = ["uint32_t steps = 0;"] if loops else []
        for at, statement in enumerate(statements):
            lines += [f"step_{at}:", ";"] if at in targets else []
            lines += block("if (snic_endless(w, &steps))", ["goto done;"]) if loops else []
            if isinstance(statement, ir.Jump):
                lines += _jump(statement, min(statement.target, end), Expressions(self._program, self._layout, params))
            else:
                lines += self.statement(statement, params)
        lines += [f"step_{end}:", ";"] if end in targets else []
        if loops:  # an action that ends with its last step counts as endless too
            lines.append("(void)snic_endless(w, &steps);")
        return lines

    # ---- one statement ----------------------------------------------------------------------------------------------

    def _statement(self, statement: ir.Statement, expressions: Expressions) -> list[str]:
        match statement:
            case ir.Assign(target=target, value=value):
                return store(expressions, target, value)
            case ir.AssignVarbit():
                return _assign_varbit(statement, expressions)
            case ir.AssignHeader() | ir.AssignUnion() | ir.AssignStack():
                return self._copy(statement, expressions)
            case ir.SetValid(header=header):
                return _set_valid(*expressions.locate(header))
            case ir.SetInvalid(header=header):
                return _set_invalid(*expressions.locate(header))
            case ir.Push(stack=stack, count=count):
                return self._shift_stack(stack, count, expressions, push=True)
            case ir.Pop(stack=stack, count=count):
                return self._shift_stack(stack, count, expressions, push=False)
            case ir.NoOp():
                return []
            case ir.LogMessage():
                return _log_message(statement, expressions)
            case ir.Random():
                return _random(statement, expressions)
            case ir.Hash():
                return self._hash(statement, expressions)
            case ir.Count() | ir.ExecuteMeter() | ir.ReadRegister() | ir.WriteRegister():
                return self._extern(statement, expressions)
            case _:
                return self._request(statement, expressions)

    def _request(self, statement: ir.Statement, expressions: Expressions) -> list[str]:
        """What becomes of the packet."""
        match statement:
            case ir.Exit():
                return ["p->base.exited = true;"]
            case ir.Assert(condition=condition, keyword=keyword):
                failed = f"snic_anomaly(w, SNIC_{keyword.upper()}_FAILED);"
                lines = [failed, "p->base.aborted = true;", "goto done;"]
                return block(f"if (!({expressions.condition(condition)}))", lines)
            case ir.MarkToDrop():
                return self._mark_to_drop()
            case ir.GenerateDigest(learn_list=learn_list):
                return [f"p->base.digest = {1 + _index(self._program.learn_lists, learn_list)};"]
            case ir.Resubmit(fields=fields):
                return [f"p->base.resubmit = {self._field_list(fields)};"]
            case ir.Recirculate(fields=fields):
                return [f"p->base.recirculate = {self._field_list(fields)};"]
            case ir.Clone(session=session, fields=fields):
                return [
                    f"p->base.clone_session = snic_index32({expressions.index(session)});",
                    f"p->base.clone_fields = {self._field_list(fields)};",
                    "p->base.clone_requested = true;",
                ]
            case ir.Truncate(length_bytes=length):
                if expressions.interval(length).negative_possible:
                    raise UnsupportedError("truncate to a length that may be negative", statement.source)
                limit = f"const uint32_t limit = snic_index32({expressions.index(length)});"
                lower = block("if (limit < p->base.truncate_to)", ["p->base.truncate_to = limit;"])
                return scope([limit], lower)
            case _:
                raise TypeError(f"not a statement: {statement!r}")

    def _field_list(self, fields: ir.FieldList | None) -> int:
        return 0 if fields is None else 1 + _index(self._program.field_lists, fields)

    def _mark_to_drop(self) -> list[str]:
        standard = self._program.standard
        drop = CValue("SNIC_DROP_PORT", Type.WORD, Interval(511, 511), small=True)
        lines = [self._set(standard.egress_spec, drop)]
        if standard.mcast_grp is not None:
            lines.append(self._set(standard.mcast_grp, CValue("0", Type.WORD, Interval(0, 0), small=True)))
        return lines

    def _set(self, ref: ir.FieldRef, value: CValue) -> str:
        return store_field(self._layout.place(ref.header), ref.field, value)

    def _copy(self, statement: ir.AssignHeader | ir.AssignUnion | ir.AssignStack, e: Expressions) -> list[str]:
        match statement:
            case ir.AssignHeader(target=target, value=origin):
                setup, to = e.locate(target, "to")
                setup_origin, source = e.locate(origin, "from")
                return scope([*setup, *setup_origin], copy_header(to, source))
            case ir.AssignUnion(target=target, value=origin):
                setup, receivers = e.locate_union(target, "to")
                setup_origin, givers = e.locate_union(origin, "from")
                return scope([*setup, *setup_origin], copy_members(receivers, givers))
            case ir.AssignStack(target=target, value=origin):
                lines = [f"{self._layout.stack_size(target)} = {self._layout.stack_size(origin)};"]
                for at in range(len(target.elements)):
                    lines += copy_members(self._row(target, at), self._row(origin, at))
                return lines

    def _row(self, stack: ir.AnyStack, at: int) -> list[Place]:
        """The headers of one element: one, or the members of a union."""
        element = stack.elements[at]
        members = (element,) if isinstance(element, ir.Header) else element.members
        return [self._layout.place(header) for header in members]

    def _shift_stack(self, stack: ir.AnyStack, count: ir.Expr, e: Expressions, *, push: bool) -> list[str]:
        """P4_16's semantics, in which size follows."""
        if e.interval(count).negative_possible:
            raise UnsupportedError("a stack shifted by a number that may be negative")
        depth, size = len(stack.elements), self._layout.stack_size(stack)
        to = [replace(place, exists=None) for place in e.elements(stack, "to")]
        origin = e.elements(stack, "from")
        clear = [line for place in to for line in place.make_invalid()]
        if push:
            resize = f"{size} = {size} + by < {depth} ? {size} + by : {depth};"
            loop, there, where = f"for (uint32_t to = {depth}; by > 0 && to-- > 0;)", "to >= by", "to - by"
        else:
            resize = f"{size} = {size} > by ? {size} - by : 0;"
            loop, there, where = f"for (uint32_t to = 0; by > 0 && to < {depth}; to++)", f"to + by < {depth}", "to + by"
        move = [f"if ({there}) {{", f"    const uint32_t from = {where};"]
        move += [*(f"    {line}" for line in copy_members(to, origin)), "} else {"]
        move += [*(f"    {line}" for line in clear), "}"]
        by = f"const uint32_t by = snic_at_most({e.index(count)}, {depth});"
        return block("", [by, resize, *block(loop, move)])

    def _hash(self, statement: ir.Hash, e: Expressions) -> list[str]:
        limit = e.interval(statement.max)
        if limit.negative_possible:
            raise UnsupportedError("a hash modulo a number that may be negative", statement.source)
        call = f"snic_reduce({self._calculations.call(statement.calculation)}, {e.index(statement.max)})"
        reduced = Given(call, Interval(0, min(max(limit.high - 1, 0), (1 << 64) - 1)))
        if not has_effects(statement.max) and not self._calculations.has_state(statement.calculation):
            return _store_sum(e, statement.target, statement.base, reduced)
        sum_ = _store_sum(e, statement.target, statement.base, Given("hash", reduced.interval))
        return block("", [f"const uint64_t hash = {call};", *sum_])

    def _extern(
        self, statement: ir.Count | ir.ExecuteMeter | ir.ReadRegister | ir.WriteRegister, e: Expressions
    ) -> list[str]:
        index = e.index(statement.index)
        match statement:
            case ir.Count(counter=counter):
                number = self._counters[counter.name]
                return [f"snic_count(w, {number} /* {counter.name} */, {index}, p->base.received_length);"]
            case ir.ExecuteMeter(meter=meter, target=target):
                number, bytes_ = self._meters[meter.name], "p->base.received_length"
                call = f"snic_mark(w, {number} /* {meter.name} */, {index}, {bytes_}, &colour)"
                return block("", ["uint32_t colour;", *block(f"if ({call})", store(e, target, _COLOUR))])
            case ir.ReadRegister(register=register, target=target):
                source = f"const void *source = {e.register_cell(register, statement.index)};"
                return block("", [source, *block("if (source != NULL)", store(e, target, load_cell(register)))])
            case ir.WriteRegister(register=register, value=value):
                cell = f"void *cell = {e.register_cell(register, statement.index)};"
                return block("", [cell, *store_cell(register, fit_register(e, register, value))])


def _index(lists: Sequence[ir.LearnList] | Sequence[ir.FieldList], wanted: ir.LearnList | ir.FieldList) -> int:
    return next(at for at, candidate in enumerate(lists) if candidate is wanted or candidate == wanted)


def _jump(jump: ir.Jump, target: int, e: Expressions) -> list[str]:
    go = f"goto step_{target};"
    return [go] if jump.unless is None else block(f"if (!({e.condition(jump.unless)}))", [go])


def _set_valid(setup: list[str], place: Place) -> list[str]:
    if place.bit is None:
        return []
    lines = [*place.make_valid(), f"p->base.length += {place.type.fixed_width // 8};"]
    exists = f"{place.exists} && " if place.exists else ""
    return scope(setup, block(f"if ({exists}!{place.is_valid})", lines))


def _set_invalid(setup: list[str], place: Place) -> list[str]:
    lines = [f"p->base.length -= {place.size};", *place.make_invalid()]
    return lines if place.bit is None else scope(setup, block(f"if ({place.is_valid})", lines))


def _assign_varbit(statement: ir.AssignVarbit, e: Expressions) -> list[str]:
    setup, to = e.locate(_header_of(statement.target), "to")
    setup_origin, origin = e.locate(_header_of(statement.value), "from")
    field = statement.target.field
    arguments = (
        f"{to.storage}, {to.type.fixed_width}, {field.offset}, &{to.varbit_bits}, "
        f"{origin.storage}, {statement.value.field.offset}, {origin.varbit_bits}"
    )
    assign = block(
        f"if ({to.is_valid} && {origin.varbit_bits} <= {field.width})", [f"snic_assign_varbit({arguments});"]
    )
    return scope([*setup, *setup_origin], [*assign, "else", "    snic_anomaly(w, SNIC_VARBIT_NOT_ASSIGNABLE);"])


def _header_of(field: ir.FieldRef | ir.FieldOf) -> ir.HeaderExpr:
    return ir.HeaderRef(field.header) if isinstance(field, ir.FieldRef) else field.header


def _store_sum(e: Expressions, target: ir.LValue, base: ir.Expr, addend: Given) -> list[str]:
    if base == ir.Const(0):
        return store(e, target, addend)
    return store(e, target, ir.Binary("+", base, addend))  # type: ignore[arg-type]


def _random(statement: ir.Random, e: Expressions) -> list[str]:
    bounds = e.interval(statement.low) | e.interval(statement.high)
    if bounds.negative_possible or bounds.type is Type.WIDE:
        raise UnsupportedError("a random number that may be negative or beyond 128 bits", statement.source)
    bits, c_type = bounds.type.value, {Type.WORD: "uint64_t", Type.DOUBLE: "snic_u128"}[bounds.type]
    limits = [
        f"const {c_type} low = {e.exact(statement.low).text};",
        f"const {c_type} high = {e.exact(statement.high).text};",
    ]
    chosen = store(e, statement.target, Given(f"snic_random{bits}(w, low, high)", bounds))
    lines = ["if (low <= high) {", *(f"    {line}" for line in chosen), "} else {"]
    return block("", [*limits, *lines, "    snic_anomaly(w, SNIC_RANDOM_RANGE_EMPTY);", "}"])


def _log_message(statement: ir.LogMessage, e: Expressions) -> list[str]:
    lines = ["struct snic_text text = {.length = 0};"]
    for piece, argument in zip(statement.pieces, [*statement.arguments, None], strict=True):
        lines += [f"snic_text_add(&text, {c_string(piece)});"] if piece else []
        if argument is not None:
            lines.append(_add_number(e.exact(argument)))
    return block("", [*lines, "snic_text_log(w, &text);"])


def _add_number(value: CValue) -> str:
    if value.type is Type.WIDE:
        return f"snic_text_add_wide(&text, {value.text});"
    return f"snic_text_add{value.type.value}(&text, {value.text}, {flag(value.negative_possible)});"


def _registers_in(statements: Sequence[ir.Statement]) -> set[str]:
    """Names of the registers that any of `statements` reads or writes, wherever they occur in them."""
    return {part.name for part in walk(tuple(statements)) if isinstance(part, ir.Register)}
