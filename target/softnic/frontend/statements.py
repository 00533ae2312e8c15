# SPDX-License-Identifier: Apache-2.0
"""Primitive calls to statements: one function for each primitive that simple_switch has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from softnic import ir

from . import expressions, mirror
from .scope import Scope, source_of

T = TypeVar("T")

_NamedValue = mirror.CounterArrayValue | mirror.MeterArrayValue | mirror.RegisterArrayValue | mirror.CalculationValue


@dataclass(frozen=True, slots=True)
class _Call:
    """One call's arguments, each lowered on demand to what the primitive expects in its place."""

    scope: Scope
    arguments: list[mirror.Value]
    source: ir.Source | None

    def _lower(self, position: int, how: Callable[[Scope, mirror.Value], T]) -> T:
        with self.scope.trail.at("parameters", position):
            return how(self.scope, self.arguments[position])

    def data(self, position: int) -> ir.Expr:
        return self._lower(position, expressions.data)

    def scalar(self, position: int) -> ir.Expr:
        return self._lower(position, expressions.scalar)

    def lvalue(self, position: int) -> ir.LValue:
        return self._lower(position, expressions.lvalue)

    def header(self, position: int) -> ir.HeaderExpr:
        return self._lower(position, expressions.header)

    def union(self, position: int) -> ir.UnionExpr:
        return self._lower(position, expressions.union)

    def stack(self, position: int) -> ir.AnyStack:
        return self._lower(position, expressions.stack)

    def varbit(self, position: int) -> ir.FieldRef | ir.FieldOf:
        target = self.lvalue(position)
        if isinstance(target, ir.RegisterCell) or not target.field.varbit:
            raise self.error(position, "a varbit field is needed here")
        return target

    def constant(self, position: int) -> int:
        value = self.data(position)
        if not isinstance(value, ir.Const):
            raise self.error(position, "a constant is needed here")
        return value.value

    def counter(self, position: int) -> ir.Counter:
        return self._named(position, mirror.CounterArrayValue, self.scope.counters, "counter array")

    def meter(self, position: int) -> ir.Meter:
        return self._named(position, mirror.MeterArrayValue, self.scope.meters, "meter array")

    def register(self, position: int) -> ir.Register:
        return self._named(position, mirror.RegisterArrayValue, self.scope.registers, "register array")

    def calculation(self, position: int) -> ir.Calculation:
        return self._named(position, mirror.CalculationValue, self.scope.calculations, "calculation")

    def _named(self, position: int, wanted: type[_NamedValue], table: Mapping[str, T], what: str) -> T:
        argument = self.arguments[position]
        with self.scope.trail.at("parameters", position):
            if not isinstance(argument, wanted):
                raise self.scope.trail.error(f"a {what} is needed here")
            return self.scope.find(table, what, argument.value)

    def field_list(self, position: int) -> ir.FieldList:
        number = self.constant(position)
        with self.scope.trail.at("parameters", position):
            return self.scope.find(self.scope.field_lists, "field list", number)

    def error(self, position: int, reason: str) -> Exception:
        with self.scope.trail.at("parameters", position):
            return self.scope.trail.error(reason)


def statement(scope: Scope, primitive: mirror.Primitive) -> ir.Statement:
    """Raises: ProgramError for a primitive that is unknown or called wrongly."""
    if primitive.op not in _PRIMITIVES:
        with scope.trail.at("op"):
            raise scope.trail.error(f"primitive {primitive.op!r} is not known to simple_switch")
    arity, lower = _PRIMITIVES[primitive.op]
    if len(primitive.parameters) != arity:
        with scope.trail.at("parameters"):
            raise scope.trail.error(
                f"primitive {primitive.op!r} takes {arity} parameters, not {len(primitive.parameters)}"
            )
    return lower(_Call(scope, primitive.parameters, source_of(primitive.source_info)))


def statements(scope: Scope, primitives: list[mirror.Primitive]) -> tuple[ir.Statement, ...]:
    """The body of an action or of a deparser. Raises: ProgramError."""
    body = tuple(statement(scope, p) for p in scope.trail.each("primitives", primitives))
    for index, step in enumerate(body):
        if isinstance(step, ir.Jump) and not 0 <= step.target <= len(body):
            with scope.trail.at("primitives", index):
                raise scope.trail.error(f"a jump to {step.target} leaves the action, which has {len(body)} primitives")
    return body


def _assign(call: _Call) -> ir.Statement:
    target = call.lvalue(0)
    if not isinstance(target, ir.RegisterCell) and target.field.varbit:
        return ir.AssignVarbit(call.varbit(0), call.varbit(1), call.source)
    return ir.Assign(target, call.data(1), call.source)


def _update(op: ir.BinaryOp) -> Callable[[_Call], ir.Statement]:
    """P4_14's ``add_to_field(f, x)``: ``f = f op x``."""

    def lower(call: _Call) -> ir.Statement:
        target = call.lvalue(0)
        return ir.Assign(target, ir.Binary(op, target, call.data(1)), call.source)

    return lower


def _compute(op: ir.BinaryOp) -> Callable[[_Call], ir.Statement]:
    """P4_14's ``add(f, x, y)``: ``f = x op y``."""

    def lower(call: _Call) -> ir.Statement:
        return ir.Assign(call.lvalue(0), ir.Binary(op, call.data(1), call.data(2)), call.source)

    return lower


def _assign_header(call: _Call) -> ir.Statement:
    target, value = call.header(0), call.header(1)
    if expressions.header_type_of(target) != expressions.header_type_of(value):
        raise call.error(1, "headers of different types cannot be assigned to one another")
    return ir.AssignHeader(target, value, call.source)


def _assign_union(call: _Call) -> ir.Statement:
    target, value = call.union(0), call.union(1)
    if _member_types(target) != _member_types(value):
        raise call.error(1, "unions of different types cannot be assigned to one another")
    return ir.AssignUnion(target, value, call.source)


def _member_types(union: ir.UnionExpr) -> tuple[ir.HeaderType, ...]:
    return tuple(member.type for member in expressions.members_of(union))


def _assign_stack(call: _Call) -> ir.Statement:
    target, value = call.stack(0), call.stack(1)
    if type(target) is not type(value) or len(target.elements) != len(value.elements):
        raise call.error(1, "stacks of different types cannot be assigned to one another")
    return ir.AssignStack(target, value, call.source)


def _generate_digest(call: _Call) -> ir.Statement:
    # Parameter 0 is the receiver, of which simple_switch has one.
    number = call.constant(1)
    with call.scope.trail.at("parameters", 1):
        return ir.GenerateDigest(call.scope.find(call.scope.learn_lists, "learn list", number), call.source)


def _clone(call: _Call) -> ir.Statement:
    # p4c numbers its field lists from 1; 0 is what a P4_14 clone without a list carries.
    fields = call.field_list(1) if call.constant(1) else None
    return ir.Clone(call.data(0), fields, call.source)


def _mark_to_drop(call: _Call) -> ir.Statement:
    if not any(field.name == "egress_spec" for field in expressions.header_type_of(call.header(0)).fields):
        raise call.error(0, "mark_to_drop needs the standard metadata, which has egress_spec")
    return ir.MarkToDrop(call.source)


def _log_msg(call: _Call) -> ir.Statement:
    template, vector = call.arguments
    if not isinstance(template, mirror.StringValue) or not isinstance(vector, mirror.VectorValue):
        raise call.error(0, "log_msg takes a format string and a vector of values")
    pieces = _pieces(template.value)
    values = [] if isinstance(vector.value, mirror.NoValues) else vector.value
    with call.scope.trail.at("parameters", 1):
        if len(pieces) != len(values) + 1:
            raise call.scope.trail.error(f"{template.value!r} takes {len(pieces) - 1} values, not {len(values)}")
        arguments = tuple(expressions.scalar(call.scope, v) for v in call.scope.trail.each("value", values))
    return ir.LogMessage(pieces, arguments, call.source)


def _pieces(template: str) -> tuple[str, ...]:
    r"""What stands around the braces of a log_msg; ``\{`` and ``\}`` are braces that stand for themselves."""
    pieces = re.split(r"(?<!\\)\{.*?(?<!\\)\}", template)
    return tuple(piece.replace(r"\{", "{").replace(r"\}", "}") for piece in pieces)


_PRIMITIVES: dict[str, tuple[int, Callable[[_Call], ir.Statement]]] = {
    "assign": (2, _assign),
    "assign_VL": (2, lambda c: ir.AssignVarbit(c.varbit(0), c.varbit(1), c.source)),
    "assign_header": (2, _assign_header),
    "assign_union": (2, _assign_union),
    "assign_header_stack": (2, _assign_stack),
    "assign_union_stack": (2, _assign_stack),
    "modify_field": (2, _assign),
    "add_to_field": (2, _update("+")),
    "subtract_from_field": (2, _update("-")),
    "add": (3, _compute("+")),
    "subtract": (3, _compute("-")),
    "bit_xor": (3, _compute("^")),
    "bit_or": (3, _compute("|")),
    "bit_and": (3, _compute("&")),
    "shift_left": (3, _compute("<<")),
    "shift_right": (3, _compute(">>")),
    "modify_field_rng_uniform": (3, lambda c: ir.Random(c.lvalue(0), c.data(1), c.data(2), c.source)),
    "modify_field_with_hash_based_offset": (
        4,
        lambda c: ir.Hash(c.lvalue(0), c.data(1), c.calculation(2), c.data(3), c.source),
    ),
    "add_header": (1, lambda c: ir.SetValid(c.header(0), c.source)),
    "add_header_fast": (1, lambda c: ir.SetValid(c.header(0), c.source)),
    "remove_header": (1, lambda c: ir.SetInvalid(c.header(0), c.source)),
    "copy_header": (2, _assign_header),
    "push": (2, lambda c: ir.Push(c.stack(0), c.data(1), c.source)),
    "pop": (2, lambda c: ir.Pop(c.stack(0), c.data(1), c.source)),
    "_jump": (1, lambda c: ir.Jump(c.constant(0), None, c.source)),
    "_jump_if_zero": (2, lambda c: ir.Jump(c.constant(1), c.scalar(0), c.source)),
    "exit": (0, lambda c: ir.Exit(c.source)),
    "no_op": (0, lambda c: ir.NoOp(c.source)),
    "assert": (1, lambda c: ir.Assert(c.scalar(0), "assert", c.source)),
    "assume": (1, lambda c: ir.Assert(c.scalar(0), "assume", c.source)),
    "log_msg": (2, _log_msg),
    "drop": (0, lambda c: ir.MarkToDrop(c.source)),
    "mark_to_drop": (1, _mark_to_drop),
    "generate_digest": (2, _generate_digest),
    "clone_ingress_pkt_to_egress": (2, _clone),
    "clone_egress_pkt_to_egress": (2, _clone),
    "resubmit": (1, lambda c: ir.Resubmit(c.field_list(0), c.source)),
    "recirculate": (1, lambda c: ir.Recirculate(c.field_list(0), c.source)),
    "truncate": (1, lambda c: ir.Truncate(c.data(0), c.source)),
    "count": (2, lambda c: ir.Count(c.counter(0), c.data(1), c.source)),
    "execute_meter": (3, lambda c: ir.ExecuteMeter(c.meter(0), c.data(1), c.lvalue(2), c.source)),
    "register_read": (3, lambda c: ir.ReadRegister(c.lvalue(0), c.register(1), c.data(2), c.source)),
    "register_write": (3, lambda c: ir.WriteRegister(c.register(0), c.data(1), c.data(2), c.source)),
}
