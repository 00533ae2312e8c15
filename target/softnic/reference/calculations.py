# SPDX-License-Identifier: Apache-2.0
"""What a calculation hashes: its inputs, packed bit by bit."""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir

from .expressions import Value
from .hashes import HashFunction
from .packet import Layout, Packet

_Bits = Callable[[Packet], tuple[int, int]]
"""A value and how many bits of it count."""


def calculation(layout: Layout, calc: ir.Calculation, function: HashFunction) -> Value:
    """A closure that yields the hash of `calc`'s inputs, padded with zero bits to whole bytes."""
    inputs = [_input(layout, item) for item in calc.inputs]

    def compute(p: Packet) -> int:
        packed = total = 0
        for item in inputs:
            value, width = item(p)
            packed = packed << width | value
            total += width
        padding = -total % 8
        data = (packed << padding).to_bytes((total + padding) // 8, "big")
        return function(data + p.visible_payload if calc.payload else data)

    return compute


def header_bits(layout: Layout, header: ir.Header) -> _Bits:
    """A closure that yields a header as on the wire; no bits if it is invalid."""
    index, varbit = header.index, header.type.varbit
    base = layout.bases[index]
    plan = [(base + field.index, field.width, (1 << field.width) - 1) for field in header.type.fields]
    fixed_width = header.type.fixed_width

    def fixed(p: Packet) -> tuple[int, int]:
        if not p.valid[index]:
            return 0, 0
        word, fields = 0, p.fields
        for slot, width, mask in plan:
            word = word << width | fields[slot] & mask
        return word, fixed_width

    def variable(p: Packet) -> tuple[int, int]:
        if not p.valid[index]:
            return 0, 0
        word, fields, varbit_width = 0, p.fields, p.varbit_widths[index]
        for field, (slot, width, mask) in zip(header.type.fields, plan, strict=True):
            word = word << (varbit_width if field.varbit else width) | fields[slot] & mask
        return word, fixed_width + varbit_width

    return fixed if varbit is None else variable


def _input(layout: Layout, item: ir.FieldRef | ir.HeaderRef | ir.PaddedConst) -> _Bits:
    match item:
        case ir.PaddedConst(value=value, width=width):
            return lambda p: (value, width)
        case ir.HeaderRef(header=header):
            return header_bits(layout, header)
        case ir.FieldRef(header=header, field=field):
            slot, index, width = layout.slot(item), header.index, field.width
            mask = (1 << width) - 1
            if field.varbit:
                return lambda p: (p.fields[slot], p.varbit_widths[index])
            return lambda p: (p.fields[slot] & mask, width) if p.valid[index] else (0, 0)
