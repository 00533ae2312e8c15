# SPDX-License-Identifier: Apache-2.0
"""Header types, instances, stacks, unions, and the standard metadata."""

from __future__ import annotations

from dataclasses import fields as dataclass_fields

from softnic import ir

from . import mirror
from .scope import Scope

_REQUIRED = ("ingress_port", "egress_spec", "egress_port", "instance_type", "packet_length")
_HOMES = {
    "parser_error": "standard_metadata",
    "checksum_error": "standard_metadata",
    "enq_timestamp": "queueing_metadata",
    "enq_qdepth": "queueing_metadata",
    "deq_timedelta": "queueing_metadata",
    "deq_qdepth": "queueing_metadata",
    "qid": "queueing_metadata",
}
"""Where simple_switch looks for an optional field; the others are in ``intrinsic_metadata``."""


def declare(scope: Scope, program: mirror.Program) -> None:
    """Everything that holds fields, into `scope`. Raises: ProgramError."""
    for decl in scope.trail.each("header_types", program.header_types):
        scope.add(scope.header_types, "header type", decl.name, _header_type(scope, decl))
    for index, decl in enumerate(scope.trail.each("headers", program.headers)):
        header = _header(scope, index, decl)
        scope.add(scope.headers, "header", decl.name, header)
        scope.add(scope.headers_by_id, "header id", decl.id, header)
    for index, decl in enumerate(scope.trail.each("header_stacks", program.header_stacks)):
        scope.add(scope.stacks, "header stack", decl.name, _stack(scope, index, decl))
    _declare_unions(scope, program)
    for alias, target in scope.trail.each("field_aliases", program.field_aliases):
        scope.field_ref(*target)
        scope.aliases[alias] = target  # p4c may write the list twice


def standard_metadata(scope: Scope) -> ir.StandardMetadata:
    """The fields that simple_switch sets and reads. Raises: ProgramError if one can't be used."""
    found: dict[str, ir.FieldRef] = {}
    for entry in dataclass_fields(ir.StandardMetadata):
        name = entry.name
        home = "standard_metadata" if name in _REQUIRED else _HOMES.get(name, "intrinsic_metadata")
        header, field = scope.aliases.get(f"{home}.{name}", (home, name))
        if name in _REQUIRED:
            with scope.trail.at("headers"):
                found[name] = scope.field_ref(header, field)
        elif header in scope.headers and any(f.name == field for f in scope.headers[header].type.fields):
            found[name] = scope.field_ref(header, field)
    for reference in found.values():
        if not reference.header.metadata:
            with scope.trail.at("headers"):
                raise scope.trail.error(
                    f"{reference} is the architecture's: header {reference.header.name!r} has to be metadata"
                )
    return ir.StandardMetadata(**found)


def _header_type(scope: Scope, decl: mirror.HeaderType) -> ir.HeaderType:
    if decl.length_exp is not None:
        with scope.trail.at("length_exp"):
            raise scope.trail.error("a length expression in a header type is P4_14's; p4c writes extract_VL instead")
    fields: list[ir.Field] = []
    offset = 0
    for spec in scope.trail.each("fields", decl.fields):
        field = _field(scope, decl, spec, len(fields), offset)
        if any(other.name == field.name for other in fields):
            raise scope.trail.error(f"field {field.name!r} is declared twice")
        fields.append(field)
        offset += 0 if field.varbit else field.width
    varbits = [field for field in fields if field.varbit]
    if len(varbits) > 1:
        raise scope.trail.error("a header can have one varbit field only")
    if varbits:
        varbit = varbits[0]
        maximum = (decl.max_length or 0) * 8 - offset
        if maximum <= 0:
            raise scope.trail.error("max_length (in bytes) has to leave room for the varbit field")
        varbit = ir.Field(varbit.index, varbit.name, varbit.offset, maximum, varbit=True)
        fields[varbit.index] = varbit
        return ir.HeaderType(decl.name, tuple(fields), offset, varbit)
    return ir.HeaderType(decl.name, tuple(fields), offset)


def _field(scope: Scope, decl: mirror.HeaderType, spec: list[str | int | bool], index: int, offset: int) -> ir.Field:
    match spec:
        case [str(name), "*", *_]:
            return ir.Field(index, name, offset, 0, varbit=True)
        case [str(name), int(width), *flags] if len(flags) <= 2 and 0 < width <= mirror.MAX_WIDTH:
            signed, saturating = [*flags, False, False][:2]
            return ir.Field(index, name, offset, width, bool(signed), bool(saturating))
    raise scope.trail.error(f"{spec} is not a field: [name, width, signed, saturating] of {decl.name!r} is needed")


def _header(scope: Scope, index: int, decl: mirror.Header) -> ir.Header:
    header_type = scope.find(scope.header_types, "header type", decl.header_type)
    if header_type.fixed_width % 8 and not decl.metadata:
        raise scope.trail.error(
            f"header {decl.name!r} is {header_type.fixed_width} bits wide: no whole number of bytes"
        )
    return ir.Header(index, decl.name, header_type, decl.metadata)


def _stack(scope: Scope, index: int, decl: mirror.HeaderStack) -> ir.HeaderStack:
    header_type = scope.find(scope.header_types, "header type", decl.header_type)
    elements = tuple(
        scope.find(scope.headers_by_id, "header with id", number)
        for number in scope.trail.each("header_ids", decl.header_ids)
    )
    if not elements or any(element.type != header_type for element in elements):
        raise scope.trail.error(f"header stack {decl.name!r} needs elements, all of type {decl.header_type!r}")
    return ir.HeaderStack(index, decl.name, header_type, elements)


def _declare_unions(scope: Scope, program: mirror.Program) -> None:
    union_types: dict[str, mirror.HeaderUnionType] = {}
    for decl in scope.trail.each("header_union_types", program.header_union_types):
        scope.add(union_types, "header union type", decl.name, decl)
    for index, decl in enumerate(scope.trail.each("header_unions", program.header_unions)):
        union = _union(scope, index, decl, scope.find(union_types, "header union type", decl.union_type))
        scope.add(scope.unions, "header union", decl.name, union)
        scope.add(scope.unions_by_id, "header union id", decl.id, union)
    for index, decl in enumerate(scope.trail.each("header_union_stacks", program.header_union_stacks)):
        elements = tuple(
            scope.find(scope.unions_by_id, "header union with id", number)
            for number in scope.trail.each("header_union_ids", decl.header_union_ids)
        )
        types = [tuple(member.type for member in union.members) for union in elements]
        if not elements or any(other != types[0] for other in types):
            raise scope.trail.error(f"header union stack {decl.name!r} needs elements, all of one type")
        stack = ir.HeaderUnionStack(index, decl.name, elements)
        scope.add(scope.union_stacks, "header union stack", decl.name, stack)


def _union(scope: Scope, index: int, decl: mirror.HeaderUnion, union_type: mirror.HeaderUnionType) -> ir.HeaderUnion:
    members = tuple(
        scope.find(scope.headers_by_id, "header with id", number)
        for number in scope.trail.each("header_ids", decl.header_ids)
    )
    if [member.type.name for member in members] != [type_name for _, type_name in union_type.headers]:
        raise scope.trail.error(f"the members of header union {decl.name!r} are not those of {decl.union_type!r}")
    return ir.HeaderUnion(index, decl.name, tuple(name for name, _ in union_type.headers), members)
