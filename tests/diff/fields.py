# SPDX-License-Identifier: Apache-2.0
"""Fields by name, and which of them have their values from which others."""

from __future__ import annotations

from softnic import ir

from .irwalk import walk

FieldName = tuple[str, str]
"""Header type and field: the elements of a stack share them."""


class Families:
    """Fields whose values come from one another: metadata, and the header fields that are copied to it."""

    def __init__(self, program: ir.Program) -> None:
        self._parents: dict[FieldName, FieldName] = {}
        for node in walk(program):
            match node:
                case ir.Assign(target=ir.FieldRef(header=ir.Header(metadata=True)) as target, value=value):
                    self._join(field_of(target), field_of(value))

    def head(self, field: FieldName) -> FieldName:
        """The one that stands for all fields of its family."""
        while field in self._parents:
            field = self._parents[field]
        return field

    def of(self, expr: ir.Expr) -> FieldName | None:
        """The family of the field that `expr` is, if it is one."""
        field = field_of(expr)
        return None if field is None else self.head(field)

    def _join(self, left: FieldName | None, right: FieldName | None) -> None:
        if left and right and self.head(left) != self.head(right):
            self._parents[self.head(left)] = self.head(right)


def field_of(expr: ir.Expr) -> FieldName | None:
    """The field that `expr` is, or is masked, widened or narrowed from."""
    match expr:
        case ir.FieldRef(header=header, field=field):
            return header.type.name, field.name
        case ir.FieldOf(header=ir.StackElement(stack=stack) | ir.LastElement(stack=stack), field=field):
            return stack.type.name, field.name
        case ir.FieldOf(header=ir.UnionMember(union=ir.UnionRef(union=union), member=member), field=field):
            return union.members[member].type.name, field.name
        case ir.Binary(op="&" | "two_comp_mod", left=left):
            return field_of(left)
    return None
