# SPDX-License-Identifier: Apache-2.0
"""Parser states and the deparser."""

from __future__ import annotations

from softnic import ir

from . import expressions, mirror
from .scope import Scope, source_of
from .statements import statement, statements


def parser(scope: Scope, decl: mirror.Parser) -> ir.Parser:
    """Raises: ProgramError."""
    indices: dict[str, int] = {}
    for state in scope.trail.each("parse_states", decl.parse_states):
        scope.add(indices, "parser state", state.name, len(indices))
    scope.in_parser = True
    states = tuple(_state(scope, state, indices) for state in scope.trail.each("parse_states", decl.parse_states))
    scope.in_parser = False
    with scope.trail.at("init_state"):
        return ir.Parser(states, scope.find(indices, "parser state", decl.init_state))


def deparser(scope: Scope, decl: mirror.Deparser) -> ir.Deparser:
    """Raises: ProgramError."""
    order = tuple(_wire_header(scope, name) for name in scope.trail.each("order", decl.order))
    return ir.Deparser(statements(scope, decl.primitives), order)


def _wire_header(scope: Scope, name: str) -> ir.Header:
    header = scope.find(scope.headers, "header", name)
    if header.metadata:
        raise scope.trail.error(f"{name!r} is metadata: it is neither extracted nor emitted")
    return header


def _state(scope: Scope, decl: mirror.ParserState, indices: dict[str, int]) -> ir.ParserState:
    ops = tuple(_op(scope, op) for op in scope.trail.each("parser_ops", decl.parser_ops))
    key = tuple(_key_part(scope, part) for part in scope.trail.each("transition_key", decl.transition_key))
    cases: list[ir.SelectCase | ir.ValueSetCase] = []
    default: int | None = None
    for transition in scope.trail.each("transitions", decl.transitions):
        target = None
        if transition.next_state is not None:
            target = scope.find(indices, "parser state", transition.next_state)
        match transition:
            case mirror.DefaultTransition():
                default = target
            case mirror.HexTransition():
                cases.append(_select_case(scope, transition, key, target))
            case mirror.ValueSetTransition():
                cases.append(_value_set_case(scope, transition, key, target))
    return ir.ParserState(decl.name, ops, key, tuple(cases), default, _state_source(decl))


def _state_source(decl: mirror.ParserState) -> ir.Source | None:
    """p4c locates what a state does, not the state."""
    located = [decl.source_info, *(op.source_info for op in decl.parser_ops)]
    return next((source_of(info) for info in located if info is not None), None)


def _op(scope: Scope, op: mirror.ParserOp) -> ir.ParserOp:
    source = source_of(op.source_info)
    match op:
        case mirror.Extract(parameters=(target,)):
            return _extract(scope, target, None, source)
        case mirror.ExtractVL(parameters=(target, length)):
            with scope.trail.at("parameters", 1):
                width = expressions.data(scope, length)
            return _extract(scope, target, width, source)
        case mirror.Set(parameters=(target, value)):
            return _set(scope, target, value, source)
        case mirror.Verify(parameters=(condition, error)):
            with scope.trail.at("parameters", 0):
                check = expressions.boolean(scope, condition)
            with scope.trail.at("parameters", 1):
                code = ir.Const(error) if isinstance(error, int) else expressions.data(scope, error)
            return ir.Verify(check, code, source)
        case mirror.Shift(parameters=(count,)):
            return ir.Advance(ir.Const(count * 8), source)
        case mirror.Advance(parameters=(width,)):
            with scope.trail.at("parameters", 0):
                return ir.Advance(expressions.data(scope, width), source)
        case mirror.ParserPrimitive(parameters=(primitive,)):
            with scope.trail.at("parameters", 0):
                return _primitive(scope, primitive)


def _primitive(scope: Scope, primitive: mirror.Primitive) -> ir.Statement:
    lowered = statement(scope, primitive)
    if isinstance(lowered, ir.Jump):
        raise scope.trail.error("a parser state has no place to jump to")
    return lowered


def _set(scope: Scope, target: mirror.FieldValue, value: mirror.Value, source: ir.Source | None) -> ir.Statement:
    with scope.trail.at("parameters", 0):
        field = scope.field_ref(*target.value)
    with scope.trail.at("parameters", 1):
        source_value = expressions.data(scope, value)
        if not field.field.varbit:
            return ir.Assign(field, source_value, source)
        if isinstance(source_value, ir.FieldRef) and source_value.field.varbit:
            return ir.AssignVarbit(field, source_value, source)
        raise scope.trail.error("a varbit field can only be set from another")


def _extract(scope: Scope, target: mirror.ExtractTarget, width: ir.Expr | None, source: ir.Source | None) -> ir.Extract:
    with scope.trail.at("parameters", 0):
        destination, header_type = _extract_target(scope, target)
        if (header_type.varbit is None) != (width is None):
            raise scope.trail.error("extract_VL is for headers with a varbit field, extract for those without")
    return ir.Extract(destination, width, source)


def _extract_target(
    scope: Scope, target: mirror.ExtractTarget
) -> tuple[ir.Header | ir.HeaderStack | ir.UnionStackSlot, ir.HeaderType]:
    match target:
        case mirror.RegularTarget(value=name):
            header = _wire_header(scope, name)
            return header, header.type
        case mirror.StackTarget(value=name):
            stack = scope.find(scope.stacks, "header stack", name)
            return stack, stack.type
        case mirror.UnionStackTarget(value=(name, member)):
            union_stack = scope.find(scope.union_stacks, "header union stack", name)
            first = union_stack.elements[0]
            if member not in first.member_names:
                raise scope.trail.error(f"header union stack {name!r} has no member {member!r}")
            position = first.member_names.index(member)
            return ir.UnionStackSlot(union_stack, position), first.members[position].type


def _key_part(scope: Scope, part: mirror.KeyPart) -> ir.KeyPart:
    expr = expressions.data(scope, part)
    match expr:
        case ir.FieldRef(field=field) | ir.FieldOf(field=field):
            return ir.KeyPart(expr, field.width)
        case ir.Lookahead(width=width):
            return ir.KeyPart(expr, width)
        case _:  # the validity bit
            return ir.KeyPart(expr, 1)


def _select_case(
    scope: Scope, transition: mirror.HexTransition, key: tuple[ir.KeyPart, ...], target: int | None
) -> ir.SelectCase:
    width = _padded_width(key)
    mask = (1 << width) - 1
    if transition.mask is not None:
        with scope.trail.at("mask"):
            mask = scope.unsigned(transition.mask, width)
    with scope.trail.at("value"):
        return ir.SelectCase(scope.unsigned(transition.value, width) & mask, mask, target)


def _value_set_case(
    scope: Scope, transition: mirror.ValueSetTransition, key: tuple[ir.KeyPart, ...], target: int | None
) -> ir.ValueSetCase:
    width = _padded_width(key)
    with scope.trail.at("value"):
        value_set = scope.find(scope.value_sets, "value set", transition.value)
        if value_set.width != sum(part.width for part in key):
            raise scope.trail.error(f"the key is not as wide as value set {value_set.name!r}: {value_set.width} bits")
    mask = (1 << width) - 1
    if transition.mask is not None:
        with scope.trail.at("mask"):
            mask = scope.unsigned(transition.mask, width)
    return ir.ValueSetCase(value_set, mask, target)


def _padded_width(key: tuple[ir.KeyPart, ...]) -> int:
    return sum(part.padded_width for part in key)
