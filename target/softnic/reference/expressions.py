# SPDX-License-Identifier: Apache-2.0
"""Expressions to Python closures, once, when the program is loaded.

Numbers are Python's: of unlimited precision. What P4 leaves undefined yields 0 here and is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from softnic import ir

from .packet import Layout, Packet

Value = Callable[[Packet], int]
"""Data or a bool of the packet."""
HeaderIndex = Callable[[Packet], int]
Members = Callable[[Packet], tuple[int, ...]]
"""The header indices of a union's members."""
Store = Callable[[Packet, int], None]

_MAX_SHIFT = 1 << 16
"""A shift to the left by more leaves nothing in any field; computing it could exhaust memory."""


class Expressions:
    """Compiles expressions against a layout and the registers they read."""

    def __init__(self, layout: Layout, registers: Mapping[str, list[int]], anomalies: Counter[str]) -> None:
        self.layout = layout
        self._registers = registers
        self._anomalies = anomalies

    def value(self, expr: ir.Expr) -> Value:
        """A closure that yields `expr`, of kind data or bool, for a packet."""
        match expr:
            case ir.Const(value=constant) | ir.BoolConst(value=constant):
                return lambda p: constant
            case ir.ParamRef(index=index):
                return lambda p: p.args[index]
            case ir.FieldRef():
                slot = self.layout.slot(expr)
                return lambda p: p.fields[slot]
            case ir.FieldOf(header=header, field=field):
                which, bases, offset = self.header(header), self.layout.bases, field.index
                return lambda p: p.fields[bases[which(p)] + offset]
            case ir.RegisterCell(register=register, index=index):
                return self._register_cell(register, self.value(index))
            case ir.Lookahead(offset=offset, width=width):
                return lambda p: p.cursor.peek(offset, width)
            case ir.IsValid(header=ir.HeaderRef(header=header)):
                index = header.index
                return lambda p: p.valid[index]
            case ir.IsValid(header=header):
                which = self.header(header)
                return lambda p: p.valid[which(p)]
            case ir.UnionIsValid(union=union):
                members = self.union(union)
                return lambda p: any(p.valid[member] for member in members(p))
            case ir.StackSize(stack=stack):
                index = self.layout.stack_index(stack)
                return lambda p: p.stack_sizes[index]
            case ir.LastIndex(stack=stack):
                index = self.layout.stack_index(stack)
                return lambda p: p.stack_sizes[index] - 1
            case ir.Unary(op=op, operand=operand):
                return _UNARY[op](self.value(operand))
            case ir.Binary():
                return self._binary(expr)
            case ir.Conditional(condition=condition, then=then, otherwise=otherwise):
                test, yes, no = self.value(condition), self.value(then), self.value(otherwise)
                return lambda p: yes(p) if test(p) else no(p)
            case _:
                raise TypeError(f"not a value: {expr!r}")

    def header(self, expr: ir.HeaderExpr) -> HeaderIndex:
        """A closure that yields the index of a header; that of `void` where the expression leaves its stack."""
        match expr:
            case ir.HeaderRef(header=header):
                index = header.index
                return lambda p: index
            case ir.StackElement(stack=stack, index=position):
                indices = [element.index for element in stack.elements]
                return self._checked(indices, self.value(position), self.layout.void)
            case ir.LastElement(stack=stack):
                indices = [element.index for element in stack.elements]
                return self._checked(indices, self.value(ir.LastIndex(stack)), self.layout.void)
            case ir.UnionMember(union=union, member=member):
                members = self.union(union)
                return lambda p: members(p)[member]

    def union(self, expr: ir.UnionExpr) -> Members:
        """A closure that yields the members of a union; `void` for each where the expression leaves its stack."""
        match expr:
            case ir.UnionRef(union=union):
                members = _members(union)
                return lambda p: members
            case ir.UnionStackElement(stack=stack, index=position):
                return self._union_element(stack, self.value(position))
            case ir.LastUnion(stack=stack):
                return self._union_element(stack, self.value(ir.LastIndex(stack)))

    def store(self, target: ir.LValue) -> Store:
        """A closure that stores a number into `target`, cut to its width; no effect on an invalid header."""
        match target:
            case ir.FieldRef(header=header, field=field):
                return self._store_field(header, self.layout.slot(target), fit(field))
            case ir.FieldOf(header=header, field=field):
                which, bases, offset, fitted = self.header(header), self.layout.bases, field.index, fit(field)

                def store(p: Packet, value: int) -> None:
                    index = which(p)
                    if p.valid[index]:
                        p.fields[bases[index] + offset] = fitted(value)

                return store
            case ir.RegisterCell(register=register, index=index):
                cells, position, mask = self._registers[register.name], self.value(index), (1 << register.width) - 1

                def store_cell(p: Packet, value: int) -> None:
                    at = position(p)
                    if 0 <= at < len(cells):
                        cells[at] = value & mask
                    else:
                        self._anomalies["register-index-out-of-range"] += 1

                return store_cell

    def _store_field(self, header: ir.Header, slot: int, fitted: Callable[[int], int]) -> Store:
        if header.metadata:

            def store_metadata(p: Packet, value: int) -> None:
                p.fields[slot] = fitted(value)

            return store_metadata
        index = header.index

        def store(p: Packet, value: int) -> None:
            if p.valid[index]:
                p.fields[slot] = fitted(value)

        return store

    def _register_cell(self, register: ir.Register, index: Value) -> Value:
        cells = self._registers[register.name]

        def load(p: Packet) -> int:
            at = index(p)
            if 0 <= at < len(cells):
                return cells[at]
            self._anomalies["register-index-out-of-range"] += 1
            return 0

        return load

    def _checked(self, indices: list[int], position: Value, void: int) -> HeaderIndex:
        def element(p: Packet) -> int:
            at = position(p)
            if 0 <= at < len(indices):
                return indices[at]
            self._anomalies["stack-index-out-of-range"] += 1
            return void

        return element

    def _union_element(self, stack: ir.HeaderUnionStack, position: Value) -> Members:
        unions = [_members(union) for union in stack.elements]
        nothing = (self.layout.void,) * len(unions[0])

        def element(p: Packet) -> tuple[int, ...]:
            at = position(p)
            if 0 <= at < len(unions):
                return unions[at]
            self._anomalies["stack-index-out-of-range"] += 1
            return nothing

        return element

    def _binary(self, expr: ir.Binary) -> Value:
        if expr.kind is ir.Kind.HEADER:
            return self._header_equality(expr)
        if expr.kind is ir.Kind.UNION:
            return self._union_equality(expr)
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.op in ("/", "%"):
            return self._division(expr.op, left, right)
        if expr.op in ("<<", ">>"):
            return self._shift(expr.op, left, right)
        return _BINARY[expr.op](left, right)

    def _division(self, op: ir.BinaryOp, left: Value, right: Value) -> Value:
        def divide(p: Packet) -> int:
            dividend, divisor = left(p), right(p)
            if divisor <= 0 or dividend < 0:
                self._anomalies["division-undefined"] += 1
                return 0
            return dividend // divisor if op == "/" else dividend % divisor

        return divide

    def _shift(self, op: ir.BinaryOp, left: Value, right: Value) -> Value:
        def shift(p: Packet) -> int:
            value, by = left(p), right(p)
            if by < 0:
                self._anomalies["shift-negative"] += 1
                return 0
            if op == ">>":
                return value >> by
            return value << by if by <= _MAX_SHIFT else 0

        return shift

    def _header_equality(self, expr: ir.Binary) -> Value:
        left, right, wanted = self.header(expr.left), self.header(expr.right), expr.op == "=="  # type: ignore[arg-type]
        return lambda p: _same_header(p, left(p), right(p)) is wanted

    def _union_equality(self, expr: ir.Binary) -> Value:
        left, right, wanted = self.union(expr.left), self.union(expr.right), expr.op == "=="  # type: ignore[arg-type]
        return lambda p: all(_same_header(p, *pair) for pair in zip(left(p), right(p), strict=True)) is wanted


def fit(field: ir.Field) -> Callable[[int], int]:
    """What storing into `field` makes of a number: cut, or clamped where the field saturates."""
    mask = (1 << field.width) - 1
    if not field.signed:
        if field.saturating:
            return lambda value: max(0, min(value, mask))
        return lambda value: value & mask
    low, high = -(1 << (field.width - 1)), (1 << (field.width - 1)) - 1
    if field.saturating:
        return lambda value: max(low, min(value, high))
    return lambda value: ((value - low) & mask) + low


def _members(union: ir.HeaderUnion) -> tuple[int, ...]:
    return tuple(member.index for member in union.members)


def _same_header(p: Packet, left: int, right: int) -> bool:
    """Both invalid, or both valid with equal fields (P4_16 section 8.17)."""
    if not (p.valid[left] and p.valid[right]):
        return p.valid[left] == p.valid[right]
    bases, count = p.layout.bases, p.layout.field_counts[left]
    a, b = bases[left], bases[right]
    return p.fields[a : a + count] == p.fields[b : b + count] and p.varbit_widths[left] == p.varbit_widths[right]


def two_complement(value: int, width: int) -> int:
    """The low `width` bits of `value` as a signed number."""
    if width <= 0:
        return 0
    half = 1 << (width - 1)
    return ((value + half) & ((1 << width) - 1)) - half


def _saturate_signed(value: int, width: int) -> int:
    half = 1 << max(width - 1, 0)
    return max(-half, min(value, half - 1))


def _saturate_unsigned(value: int, width: int) -> int:
    return max(0, min(value, (1 << max(width, 0)) - 1))


_UNARY: dict[str, Callable[[Value], Value]] = {
    "not": lambda a: lambda p: not a(p),
    "~": lambda a: lambda p: ~a(p),
    "d2b": lambda a: lambda p: a(p) != 0,
    "b2d": lambda a: lambda p: 1 if a(p) else 0,
}

_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: lambda p: a(p) + b(p),
    "-": lambda a, b: lambda p: a(p) - b(p),
    "*": lambda a, b: lambda p: a(p) * b(p),
    "&": lambda a, b: lambda p: a(p) & b(p),
    "|": lambda a, b: lambda p: a(p) | b(p),
    "^": lambda a, b: lambda p: a(p) ^ b(p),
    "==": lambda a, b: lambda p: a(p) == b(p),
    "!=": lambda a, b: lambda p: a(p) != b(p),
    "<": lambda a, b: lambda p: a(p) < b(p),
    "<=": lambda a, b: lambda p: a(p) <= b(p),
    ">": lambda a, b: lambda p: a(p) > b(p),
    ">=": lambda a, b: lambda p: a(p) >= b(p),
    # No side effects in P4 expressions: whether the right side is evaluated cannot be seen.
    "and": lambda a, b: lambda p: a(p) and b(p),
    "or": lambda a, b: lambda p: a(p) or b(p),
    "two_comp_mod": lambda a, b: lambda p: two_complement(a(p), min(b(p), _MAX_SHIFT)),
    "sat_cast": lambda a, b: lambda p: _saturate_signed(a(p), min(b(p), _MAX_SHIFT)),
    "usat_cast": lambda a, b: lambda p: _saturate_unsigned(a(p), min(b(p), _MAX_SHIFT)),
}
