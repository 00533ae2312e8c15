# SPDX-License-Identifier: Apache-2.0
"""Stores, and copies of whole headers: nothing happens to an invalid header or past a stack's end."""

from __future__ import annotations

from collections.abc import Sequence

from softnic import ir

from .cvalues import CValue, clamped, convert, load_field, masked, store_field
from .expressions import Expressions, cell_bytes, has_effects
from .layout import Place
from .widths import Given, Interval, Type, field_interval

C_TYPES = {Type.WORD: "uint64_t", Type.DOUBLE: "snic_u128", Type.WIDE: "struct snic_wide"}


def block(head: str, lines: Sequence[str]) -> list[str]:
    """``head { lines }``; without braces where C needs none. No lines: nothing."""
    if not lines:
        return []
    if head and len(lines) == 1 and not lines[0].startswith("const "):
        return [head, f"    {lines[0]}"]
    return [f"{head} {{" if head else "{", *(f"    {line}" for line in lines), "}"]


def scope(declarations: Sequence[str], lines: Sequence[str]) -> list[str]:
    """`lines`, in braces of their own if there are declarations."""
    return block("", [*declarations, *lines]) if declarations else list(lines)


def store(expressions: Expressions, target: ir.LValue, value: ir.Expr | Given) -> list[str]:
    """Statements: `value`, cut or clamped, into `target`; no effect on an invalid header or a cell out of range."""
    if isinstance(target, ir.RegisterCell):
        fitted = fit_register(expressions, target.register, value)
        declarations, fitted = _computed_first(value, fitted)
        cell = expressions.register_cell(target.register, target.index)
        return scope([*declarations, f"void *cell = {cell};"], store_cell(target.register, fitted))
    header = ir.HeaderRef(target.header) if isinstance(target, ir.FieldRef) else target.header
    setup, place = expressions.locate(header)
    fitted = _fit(expressions, target.field, value)
    if place.bit is None:
        return [store_field(place, target.field, fitted)]
    declarations, fitted = _computed_first(value, fitted)
    guarded = block(f"if ({place.is_valid})", [store_field(place, target.field, fitted)])
    return scope([*declarations, *setup], guarded)


def _computed_first(value: ir.Expr | Given, fitted: CValue) -> tuple[list[str], CValue]:
    """A value whose computing may be noticed is computed whether or not it is stored."""
    if not has_effects(value):
        return [], fitted
    return [f"const {C_TYPES[fitted.type]} value = {fitted.text};"], CValue("value", fitted.type, fitted.interval)


def _fit(expressions: Expressions, field: ir.Field, value: ir.Expr | Given) -> CValue:
    if field.saturating:
        return clamped(expressions.exact(value), field_interval(field))
    kind = Type.of_bits(field.width)
    return convert(expressions.value(_without_mask(value, field.width), kind), kind)


def _without_mask(value: ir.Expr | Given, width: int) -> ir.Expr | Given:
    """`value` without the masks around it that keep all of its low `width` bits: storing cuts anyway."""
    match value:
        case ir.Binary(op="&", left=inner, right=ir.Const(value=mask)) if ~mask & (1 << width) - 1 == 0:
            return _without_mask(inner, width)
        case _:
            return value


def fit_register(expressions: Expressions, register: ir.Register, value: ir.Expr | Given) -> CValue:
    kind = Type.of_bits(register.width)
    return masked(convert(expressions.value(value, kind), kind), register.width)


def store_cell(register: ir.Register, value: CValue) -> list[str]:
    """Into ``void *cell`` unless it is NULL; `value` is `fit_register`'s."""
    size = cell_bytes(register)
    match value.type:
        case Type.WORD:
            call = f"snic_cell_store64(cell, {size}, {value.text});"
        case Type.DOUBLE:
            call = f"snic_cell_store128(cell, {value.text});"
        case Type.WIDE:
            call = f"snic_wide_cell_store(cell, {size}, {value.text});"
    return block("if (cell != NULL)", [call])


def load_cell(register: ir.Register) -> Given:
    """What ``source``, a pointer to a cell, holds."""
    size, bits = cell_bytes(register), Interval.unsigned(register.width)
    match bits.type:
        case Type.WORD:
            return Given(f"snic_cell_load64(source, {size})", bits)
        case Type.DOUBLE:
            return Given("snic_cell_load128(source)", bits)
        case Type.WIDE:
            return Given(f"snic_wide_cell_load(source, {size})", bits)


def copy_header(target: Place, origin: Place) -> list[str]:
    """Statements: fields, varbit width and validity."""
    if target.storage == origin.storage:
        return []
    copy = _copy_valid(target, origin)
    if origin.bit is None:
        return copy
    lines = block(f"if ({origin.is_valid})", copy)
    otherwise = target.make_invalid()
    if otherwise:
        lines = [f"if ({origin.is_valid}) {{", *(f"    {line}" for line in copy), "} else {"]
        lines += [*(f"    {line}" for line in otherwise), "}"]
    return lines


def copy_members(targets: Sequence[Place], origins: Sequence[Place]) -> list[str]:
    """The headers of a stack's element, or the members of a union, into those of another.

    The invalid ones first: in a union, a header that becomes valid must not be cleared by its siblings.
    """
    pairs = [(to, origin) for to, origin in zip(targets, origins, strict=True) if to.storage != origin.storage]
    if len(pairs) == 1:
        return copy_header(*pairs[0])
    clear = [line for to, origin in pairs for line in block(f"if (!{origin.is_valid})", to.make_invalid())]
    copy = [line for to, origin in pairs for line in block(f"if ({origin.is_valid})", _copy_valid(to, origin))]
    return clear + copy


def _copy_valid(target: Place, origin: Place) -> list[str]:
    lines = [*target.make_valid(), *_copy_fields(target, origin)]
    return block(f"if ({target.exists})", lines) if target.exists else lines


def _copy_fields(target: Place, origin: Place) -> list[str]:
    if not (target.wire and origin.wire):
        return [store_field(target, field, load_field(origin, field)) for field in target.type.fields]
    if target.words and origin.words:
        return [f"snic_copy_words({target.storage}, {origin.storage}, {target.word_count});"]
    lines = [f"memmove({target.storage}, {origin.storage}, sizeof {target.storage});"]
    if target.varbit_bits is not None:
        lines.append(f"{target.varbit_bits} = {origin.varbit_bits};")
    return lines
