# SPDX-License-Identifier: Apache-2.0
"""The mirror of a file to the IR: names become objects, and what contradicts itself is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from softnic import ir

from . import expressions, headers, mirror, parsers, tables
from .scope import Scope, source_of
from .statements import statements

_MAJOR_VERSION = 2
_RATES_PER_METER = 2

N = TypeVar("N", mirror.Parser, mirror.Deparser, mirror.Pipeline)


def lower(program: mirror.Program) -> ir.Program:
    """Raises: ProgramError."""
    scope = Scope()
    _check_version(scope, program.meta)
    _check_ids(scope, program)
    headers.declare(scope, program)
    _declare_externs(scope, program)
    _declare_calculations(scope, program)
    _declare_lists(scope, program)
    _declare_actions(scope, program)
    parser, deparser = _parser(scope, program), _deparser(scope, program)
    ingress, egress = _pipeline(scope, program, "ingress"), _pipeline(scope, program, "egress")
    return ir.Program(
        name=program.program,
        headers=tuple(scope.headers.values()),
        stacks=tuple(scope.stacks.values()),
        unions=tuple(scope.unions.values()),
        union_stacks=tuple(scope.union_stacks.values()),
        standard=headers.standard_metadata(scope),
        errors=dict(program.errors),
        enums={enum.name: dict(enum.entries) for enum in program.enums},
        value_sets=tuple(scope.value_sets.values()),
        parser=parser,
        ingress=ingress,
        egress=egress,
        deparser=deparser,
        checksums=tuple(_checksum(scope, decl) for decl in scope.trail.each("checksums", program.checksums)),
        actions=tuple(scope.actions.values()),
        profiles=tuple(scope.profiles.values()),
        counters=tuple(scope.counters.values()),
        meters=tuple(scope.meters.values()),
        registers=tuple(scope.registers.values()),
        learn_lists=tuple(scope.learn_lists.values()),
        field_lists=tuple(scope.field_lists.values()),
    )


def _check_version(scope: Scope, meta: mirror.Meta) -> None:
    major, minor = meta.version
    if major != _MAJOR_VERSION:
        with scope.trail.at("__meta__", "version"):
            raise scope.trail.error(
                f"version {major}.{minor} of the format is not {_MAJOR_VERSION}.x: recompile with p4c"
            )


def _check_ids(scope: Scope, program: mirror.Program) -> None:
    for section in mirror.NAMED_SECTIONS:
        seen: set[int] = set()
        for decl in scope.trail.each(section, getattr(program, section)):
            if decl.id in seen:
                raise scope.trail.error(f"id {decl.id} is used twice in {section}")
            seen.add(decl.id)


def _declare_externs(scope: Scope, program: mirror.Program) -> None:
    for decl in scope.trail.each("extern_instances", program.extern_instances):
        raise scope.trail.error(f"extern type {decl.type!r} is not part of v1model")
    for decl in scope.trail.each("parse_vsets", program.parse_vsets):
        value_set = ir.ValueSet(decl.name, decl.compressed_bitwidth, decl.max_size)
        scope.add(scope.value_sets, "value set", decl.name, value_set)
    for decl in scope.trail.each("counter_arrays", program.counter_arrays):
        _declare_counter(scope, decl)
    for decl in scope.trail.each("meter_arrays", program.meter_arrays):
        _declare_meter(scope, decl)
    for decl in scope.trail.each("register_arrays", program.register_arrays):
        if decl.bitwidth <= 0:
            raise scope.trail.error(f"register array {decl.name!r} needs a width")
        register = ir.Register(decl.name, decl.size, decl.bitwidth, source_of(decl.source_info))
        scope.add(scope.registers, "register array", decl.name, register)


def _declare_counter(scope: Scope, decl: mirror.CounterArray) -> None:
    if decl.is_direct:  # whether the table counts, its with_counters says
        if decl.binding is not None:
            scope.direct_counters[decl.binding] = decl.name
        return
    if decl.size is None:
        raise scope.trail.error("an indirect counter array needs a size")
    counter = ir.Counter(decl.name, decl.size, source_of(decl.source_info))
    scope.add(scope.counters, "counter array", decl.name, counter)


def _declare_meter(scope: Scope, decl: mirror.MeterArray) -> None:
    source = source_of(decl.source_info)
    if decl.rate_count != _RATES_PER_METER:
        raise scope.trail.error(f"a meter has {_RATES_PER_METER} rates (RFC 2698), not {decl.rate_count}")
    if not decl.is_direct:
        meter = ir.Meter(decl.name, decl.type, decl.size, source)
        scope.add(scope.meters, "meter array", decl.name, meter)
        return
    with scope.trail.at("result_target"):
        if decl.result_target is None:
            raise scope.trail.error("a direct meter needs a field for its colour")
        result = scope.field_ref(*decl.result_target)
    scope.add(scope.direct_meters, "direct meter", decl.name, ir.DirectMeter(decl.name, decl.type, result, source))


def _declare_calculations(scope: Scope, program: mirror.Program) -> None:
    for decl in scope.trail.each("calculations", program.calculations):
        if decl.algo not in ir.HASH_ALGORITHMS:
            with scope.trail.at("algo"):
                raise scope.trail.error(f"hash algorithm {decl.algo!r} is not known")
        payload = any(isinstance(value, mirror.PayloadValue) for value in decl.input)
        inputs = tuple(
            _calculation_input(scope, value)
            for value in scope.trail.each("input", decl.input)
            if not isinstance(value, mirror.PayloadValue)
        )
        calculation = ir.Calculation(decl.name, decl.algo, inputs, payload, source_of(decl.source_info))
        scope.add(scope.calculations, "calculation", decl.name, calculation)


def _calculation_input(
    scope: Scope, value: mirror.FieldValue | mirror.HexValue | mirror.HeaderValue
) -> ir.FieldRef | ir.HeaderRef | ir.PaddedConst:
    match value:
        case mirror.FieldValue(value=(header, field)):
            return scope.field_ref(header, field)
        case mirror.HeaderValue(value=name):
            return ir.HeaderRef(scope.find(scope.headers, "header", name))
        case mirror.HexValue(value=digits, bitwidth=width):
            if width is None or width <= 0:
                raise scope.trail.error("a constant in a calculation needs a bitwidth")
            return ir.PaddedConst(scope.hex(digits) & ((1 << width) - 1), width)


def _declare_lists(scope: Scope, program: mirror.Program) -> None:
    for decl in scope.trail.each("learn_lists", program.learn_lists):
        elements = tuple(scope.field_value(*f.value) for f in scope.trail.each("elements", decl.elements))
        learn_list = ir.LearnList(decl.id, decl.name, elements, source_of(decl.source_info))
        scope.add(scope.learn_lists, "learn list", decl.id, learn_list)
    for decl in scope.trail.each("field_lists", program.field_lists):
        # A constant has no field to be kept in: BMv2 skips it too.
        kept = tuple(
            scope.field_ref(*element.value)
            for element in scope.trail.each("elements", decl.elements)
            if isinstance(element, mirror.FieldValue)
        )
        scope.add(scope.field_lists, "field list", decl.id, ir.FieldList(decl.id, decl.name, kept))


def _declare_actions(scope: Scope, program: mirror.Program) -> None:
    for decl in scope.trail.each("actions", program.actions):
        scope.params = tuple(ir.ActionParam(param.name, param.bitwidth) for param in decl.runtime_data)
        body = statements(scope, decl.primitives)
        action = ir.Action(decl.id, decl.name, scope.params, body, source_of(decl.source_info))
        scope.add(scope.actions, "action with id", decl.id, action)
    scope.params = ()


def _parser(scope: Scope, program: mirror.Program) -> ir.Parser:
    with _the_one(scope, "parsers", program.parsers, "parser") as decl:
        return parsers.parser(scope, decl)


def _deparser(scope: Scope, program: mirror.Program) -> ir.Deparser:
    with _the_one(scope, "deparsers", program.deparsers, "deparser") as decl:
        return parsers.deparser(scope, decl)


def _pipeline(scope: Scope, program: mirror.Program, name: str) -> ir.Pipeline:
    with _the_one(scope, "pipelines", program.pipelines, name) as decl:
        return tables.pipeline(scope, decl)


@contextmanager
def _the_one(scope: Scope, section: str, items: list[N], name: str) -> Iterator[N]:
    """The item that simple_switch looks for under `name`; the trail points at it meanwhile."""
    for index, item in enumerate(items):
        if item.name == name:
            with scope.trail.at(section, index):
                yield item
            return
    with scope.trail.at(section):
        raise scope.trail.error(f"simple_switch needs one that is called {name!r}")


def _checksum(scope: Scope, decl: mirror.Checksum) -> ir.Checksum:
    if decl.type != "generic":
        with scope.trail.at("type"):
            raise scope.trail.error(f"checksum type {decl.type!r} is not known: p4c writes 'generic'")
    with scope.trail.at("target"):
        target = scope.field_ref(*decl.target)
    with scope.trail.at("calculation"):
        calculation = scope.find(scope.calculations, "calculation", decl.calculation)
    condition = None
    if decl.if_cond is not None:
        with scope.trail.at("if_cond"):
            condition = expressions.boolean(scope, decl.if_cond)
    source = source_of(decl.source_info)
    return ir.Checksum(decl.name, target, calculation, condition, decl.verify, decl.update, source)
