# SPDX-License-Identifier: Apache-2.0
"""Type/value objects and operations to typed expressions."""

from __future__ import annotations

from typing import TypeVar, cast

from softnic import ir

from . import mirror
from .scope import Scope

L = TypeVar("L")

_DATA_OPS = frozenset({"+", "-", "*", "/", "%", "<<", ">>", "&", "|", "^", "two_comp_mod", "sat_cast", "usat_cast"})
_ORDER_OPS = frozenset({"<", "<=", ">", ">="})
_EQUALITY_KINDS = frozenset({ir.Kind.DATA, ir.Kind.BOOL, ir.Kind.HEADER, ir.Kind.UNION})


def expression(scope: Scope, value: mirror.Value) -> ir.Expr | None:
    """Any value that is an expression; None for BMv2's empty expression. Raises: ProgramError."""
    match value:
        case mirror.ExpressionValue(value=None):
            return None
        case mirror.ExpressionValue(value=mirror.ExpressionBody(content=content)):
            with scope.trail.at("value"):
                return (
                    _operation(scope, content) if isinstance(content, mirror.Operation) else expression(scope, content)
                )
        case mirror.FieldValue(value=(header, field)):
            return scope.field_value(header, field)
        case mirror.HexValue(value=digits):
            return ir.Const(scope.hex(digits))
        case mirror.BoolValue(value=truth):
            return ir.BoolConst(truth)
        case mirror.LocalValue(value=index) | mirror.RuntimeDataValue(value=index):
            return _param(scope, index)
        case mirror.HeaderValue(value=name):
            return ir.HeaderRef(scope.find(scope.headers, "header", name))
        case mirror.HeaderStackValue(value=name):
            return ir.StackRef(scope.find(scope.stacks, "header stack", name))
        case mirror.HeaderUnionValue(value=name):
            return ir.UnionRef(scope.find(scope.unions, "header union", name))
        case mirror.HeaderUnionStackValue(value=name):
            return ir.StackRef(scope.find(scope.union_stacks, "header union stack", name))
        case mirror.StackFieldValue(value=(name, field)):
            return _stack_field(scope, name, field)
        case mirror.UnionStackFieldValue(value=(name, member, field)):
            return _union_stack_field(scope, name, member, field)
        case mirror.LookaheadValue(value=(offset, width)):
            if width == 0 or not scope.in_parser:
                raise scope.trail.error("a lookahead needs a width, and a parser around it")
            return ir.Lookahead(offset, width)
        case mirror.RegisterValue(value=(name, index)):
            register = scope.find(scope.registers, "register array", name)
            with scope.trail.at("value", 1):
                return ir.RegisterCell(register, data(scope, index))
        case _:
            tag = value.__struct_config__.tag
            raise scope.trail.error(f"a value of type {tag!r} cannot be part of an expression")


def data(scope: Scope, value: mirror.Value) -> ir.Expr:
    """An integer expression; the empty expression is 0. Raises: ProgramError."""
    expr = expression(scope, value)
    return ir.Const(0) if expr is None else _of_kind(scope, expr, ir.Kind.DATA)


def boolean(scope: Scope, value: mirror.Value) -> ir.Expr:
    """A condition; the empty expression is false. Raises: ProgramError."""
    expr = expression(scope, value)
    return ir.BoolConst(False) if expr is None else _of_kind(scope, expr, ir.Kind.BOOL)


def scalar(scope: Scope, value: mirror.Value) -> ir.Expr:
    """An integer or a condition, where the compiler may have put either. Raises: ProgramError."""
    expr = expression(scope, value)
    return ir.Const(0) if expr is None else _of_kind(scope, expr, ir.Kind.DATA, ir.Kind.BOOL)


def lvalue(scope: Scope, value: mirror.Value) -> ir.LValue:
    """Something that can be assigned to. Raises: ProgramError."""
    expr = expression(scope, value)
    if not isinstance(expr, ir.LValue):
        raise scope.trail.error("this cannot be assigned to: a field or a register cell is needed")
    return expr


def header(scope: Scope, value: mirror.Value) -> ir.HeaderExpr:
    """A header, known now or chosen when the packet runs. Raises: ProgramError."""
    expr = expression(scope, value)
    if not isinstance(expr, ir.HeaderExpr):
        raise scope.trail.error("a header is needed here")
    return expr


def union(scope: Scope, value: mirror.Value) -> ir.UnionExpr:
    """A header union. Raises: ProgramError."""
    expr = expression(scope, value)
    if not isinstance(expr, ir.UnionExpr):
        raise scope.trail.error("a header union is needed here")
    return expr


def stack(scope: Scope, value: mirror.Value) -> ir.AnyStack:
    """A stack of headers or of unions. Raises: ProgramError."""
    expr = expression(scope, value)
    if not isinstance(expr, ir.StackRef):
        raise scope.trail.error("a header stack is needed here")
    return expr.stack


def header_type_of(expr: ir.HeaderExpr) -> ir.HeaderType:
    """The type of the header that `expr` yields; all candidates have the same."""
    match expr:
        case ir.HeaderRef(header=h):
            return h.type
        case ir.StackElement(stack=s) | ir.LastElement(stack=s):
            return s.type
        case ir.UnionMember(union=u, member=m):
            return members_of(u)[m].type


def members_of(expr: ir.UnionExpr) -> tuple[ir.Header, ...]:
    """The members of the union that `expr` yields, or of the first candidate: they have the same types."""
    match expr:
        case ir.UnionRef(union=u):
            return u.members
        case ir.UnionStackElement(stack=s) | ir.LastUnion(stack=s):
            return s.elements[0].members


def _operation(scope: Scope, operation: mirror.Operation) -> ir.Expr:
    op = operation.op
    if op in _DATA_OPS or op in _ORDER_OPS:
        return ir.Binary(cast(ir.BinaryOp, op), _left(scope, operation, data), _right(scope, operation, data))
    match op:
        case "==" | "!=":
            left = _left(scope, operation, _operand)
            return ir.Binary(op, left, _same_kind(scope, operation, left), _equality_kind(scope, left))
        case "and" | "or":
            return ir.Binary(op, _left(scope, operation, boolean), _right(scope, operation, boolean), ir.Kind.BOOL)
        case "not" | "b2d":
            return ir.Unary(op, _right(scope, operation, boolean))
        case "~" | "d2b":
            return ir.Unary(op, _right(scope, operation, data))
        case "?":
            return _conditional(scope, operation)
        case "valid":
            return ir.IsValid(_right(scope, operation, header))
        case "valid_union":
            return ir.UnionIsValid(_right(scope, operation, union))
        case "size_stack":
            return ir.StackSize(_right(scope, operation, stack))
        case "last_stack_index":
            return ir.LastIndex(_right(scope, operation, stack))
        case "dereference_header_stack" | "dereference_stack" | "dereference_union_stack":
            return _element(scope, operation)
        case "access_field":
            base = _left(scope, operation, header)
            fields = header_type_of(base).fields
            return ir.FieldOf(base, fields[_position(scope, operation, len(fields))])
        case "access_union_header":
            base = _left(scope, operation, union)
            return ir.UnionMember(base, _position(scope, operation, len(members_of(base))))
        case _:
            with scope.trail.at("op"):
                raise scope.trail.error(f"operation {op!r} is not known")


def _left(scope: Scope, operation: mirror.Operation, lower):
    """The left operand by `lower`. A missing one is 0 for unary plus and minus, which BMv2 writes so."""
    with scope.trail.at("left"):
        if operation.left is not None:
            return lower(scope, operation.left)
        if operation.op in "+-":
            return lower(scope, mirror.HexValue(value="0"))
        raise scope.trail.error(f"operation {operation.op!r} needs a left operand")


def _right(scope: Scope, operation: mirror.Operation, lower):
    with scope.trail.at("right"):
        if isinstance(operation.right, int):
            raise scope.trail.error(f"operation {operation.op!r} needs a value here, not a bare number")
        return lower(scope, operation.right)


def _position(scope: Scope, operation: mirror.Operation, count: int) -> int:
    with scope.trail.at("right"):
        if isinstance(operation.right, int) and 0 <= operation.right < count:
            return operation.right
        raise scope.trail.error(f"operation {operation.op!r} needs a bare number below {count} here")


def _operand(scope: Scope, value: mirror.Value) -> ir.Expr:
    expr = expression(scope, value)
    if expr is None:
        raise scope.trail.error("an empty expression cannot be compared")
    return expr


def _same_kind(scope: Scope, operation: mirror.Operation, left: ir.Expr) -> ir.Expr:
    right = _right(scope, operation, _operand)
    with scope.trail.at("right"):
        return _of_kind(scope, right, ir.kind_of(left))


def _equality_kind(scope: Scope, left: ir.Expr) -> ir.Kind:
    kind = ir.kind_of(left)
    if kind not in _EQUALITY_KINDS:
        raise scope.trail.error(f"values of kind {kind} cannot be compared")
    return kind


def _conditional(scope: Scope, operation: mirror.Operation) -> ir.Expr:
    with scope.trail.at("cond"):
        if operation.cond is None:
            raise scope.trail.error("operation '?' needs a condition")
        condition = boolean(scope, operation.cond)
    then = _left(scope, operation, _operand)
    return ir.Conditional(condition, then, _same_kind(scope, operation, then))


def _element(scope: Scope, operation: mirror.Operation) -> ir.Expr:
    base = _left(scope, operation, stack)
    index = _right(scope, operation, data)
    if isinstance(base, ir.HeaderStack):
        return ir.StackElement(base, index)
    return ir.UnionStackElement(base, index)


def _stack_field(scope: Scope, name: str, field: str) -> ir.Expr:
    last = ir.LastElement(scope.find(scope.stacks, "header stack", name))
    if field == "last" and all(other.name != field for other in last.stack.type.fields):
        return last  # p4c writes a whole `stack.last` as if it were a field
    return ir.FieldOf(last, scope.field_of_type(last.stack.type, field))


def _union_stack_field(scope: Scope, name: str, member: str, field: str) -> ir.Expr:
    union_stack = scope.find(scope.union_stacks, "header union stack", name)
    first = union_stack.elements[0]
    if member not in first.member_names:
        raise scope.trail.error(f"header union stack {name!r} has no member {member!r}")
    position = first.member_names.index(member)
    return ir.FieldOf(
        ir.UnionMember(ir.LastUnion(union_stack), position),
        scope.field_of_type(first.members[position].type, field),
    )


def _param(scope: Scope, index: int) -> ir.Expr:
    if not 0 <= index < len(scope.params):
        raise scope.trail.error(f"the action has no parameter {index}: it has {len(scope.params)}")
    return ir.ParamRef(index)


def _of_kind(scope: Scope, expr: ir.Expr, *wanted: ir.Kind) -> ir.Expr:
    kind = ir.kind_of(expr)
    if kind not in wanted:
        raise scope.trail.error(f"a value of kind {wanted[0]} is needed here, not {kind}")
    return expr
