# SPDX-License-Identifier: Apache-2.0
"""Action bodies run twice, by generated C under sanitizers and by the reference executor: the packets must agree.

One program of its own has a bit of everything: native and wire storage, odd widths and offsets, signed and saturating
fields, numbers beyond 64 and 128 bits, a varbit, a stack, unions, a stack of unions, registers.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from softnic import ir
from softnic.native.emit.calculations import Calculations
from softnic.native.emit.cvalues import CValue, convert, load_field, store_field
from softnic.native.emit.layout import Layout
from softnic.native.emit.names import Names
from softnic.native.emit.statements import Statements
from softnic.native.emit.widths import Type
from softnic.reference.packet import Layout as ReferenceLayout
from softnic.reference.packet import Packet
from softnic.reference.state import State
from softnic.reference.statements import PacketAbortedError
from softnic.reference.statements import Statements as ReferenceStatements

RUNTIME = Path(ir.__file__).parents[1] / "runtime"
PAYLOAD = b"what the parser left"
ANOMALIES = (
    "action-endless", "varbit-not-assignable", "random-range-empty", "counter-index-out-of-range",
    "meter-index-out-of-range", "register-index-out-of-range", "stack-index-out-of-range", "parser-endless",
    "assert-failed", "assume-failed", "ingress-passes-exceeded", "egress-passes-exceeded", "division-undefined",
    "shift-negative",
)  # fmt: skip


def header_type(name: str, *fields: tuple[int, str]) -> ir.HeaderType:
    """Fields as (width, flags): ``s`` signed, ``t`` saturating, ``v`` varbit of at most `width` bits."""
    made: list[ir.Field] = []
    offset = 0
    for index, (width, flags) in enumerate(fields):
        made.append(ir.Field(index, f"f{index}", offset, width, "s" in flags, "t" in flags, "v" in flags))
        offset += 0 if "v" in flags else width
    return ir.HeaderType(name, tuple(made), offset, next((f for f in made if f.varbit), None))


_META = header_type(
    "meta_t", (8, ""), (9, ""), (1, ""), (16, "s"), (13, "s"), (32, ""), (48, ""), (64, ""), (64, "s"), (65, ""),
    (128, ""), (100, "s"), (200, ""), (129, "s"), (16, "t"), (12, "st"), (32, "t"), (48, ""), (3, ""), (16, ""),
)  # fmt: skip
_WIRE = header_type(
    "wire_t", (4, ""), (4, ""), (8, ""), (16, ""), (3, ""), (13, "s"), (1, ""), (64, ""), (7, ""), (48, ""), (128, ""),
    (32, "t"), (67, "s"), (5, ""), (160, ""), (16, ""), (24, ""),
)  # fmt: skip
_OPTIONS = header_type("options_t", (4, ""), (96, "v"), (12, ""), (16, ""))
_LABEL = header_type("label_t", (20, ""), (3, ""), (1, ""), (8, "s"))
_OTHER = header_type("other_t", (16, ""), (40, ""))


def _make_program() -> ir.Program:
    names = [
        ("meta", _META, True), ("wire", _WIRE, False), ("options", _OPTIONS, False), ("options2", _OPTIONS, False),
        *((f"labels[{at}]", _LABEL, False) for at in range(3)), *((f"spare[{at}]", _LABEL, False) for at in range(3)),
        ("u.a", _LABEL, False), ("u.b", _OTHER, False), ("v.a", _LABEL, False), ("v.b", _OTHER, False),
        *((f"us[{at // 2}].{'ab'[at % 2]}", (_LABEL, _OTHER)[at % 2], False) for at in range(4)),
        ("twin", _LABEL, True), ("wire2", _WIRE, False),
    ]  # fmt: skip
    headers = tuple(ir.Header(index, *rest) for index, rest in enumerate(names))
    at = {header.name: header for header in headers}

    def union(index: int, name: str) -> ir.HeaderUnion:
        return ir.HeaderUnion(index, name, ("a", "b"), (at[f"{name}.a"], at[f"{name}.b"]))

    unions = (union(0, "u"), union(1, "v"), union(2, "us[0]"), union(3, "us[1]"))
    stacks = tuple(
        ir.HeaderStack(index, name, _LABEL, tuple(at[f"{name}[{n}]"] for n in range(3)))
        for index, name in enumerate(("labels", "spare"))
    )
    meta = {f.index: ir.FieldRef(at["meta"], f) for f in _META.fields}
    pipeline = ir.Pipeline("ingress", (), None)
    return ir.Program(
        name="snippets.p4", headers=headers, stacks=stacks, unions=unions,
        union_stacks=(ir.HeaderUnionStack(0, "us", unions[2:]),),
        standard=ir.StandardMetadata(meta[1], meta[1], meta[1], meta[5], meta[5], mcast_grp=meta[19]),
        errors={}, enums={}, value_sets=(), parser=ir.Parser((), None), ingress=pipeline, egress=pipeline,
        deparser=ir.Deparser((), ()), checksums=(), actions=(), profiles=(), counters=(), meters=(),
        registers=tuple(ir.Register(f"r{width}", 4, width) for width in (7, 16, 33, 64, 128, 200)),
        learn_lists=(), field_lists=(),
    )  # fmt: skip


PROGRAM = _make_program()
PARAMS = (ir.ActionParam("a", 9), ir.ActionParam("b", 48), ir.ActionParam("c", 100), ir.ActionParam("d", 8))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A packet and the registers, before a body runs or after it.

    `fields` by header and field; `varbits` by header, in bits; `registers` by array and cell. A number that is signed
    is signed here too.
    """

    valid: tuple[bool, ...]
    fields: tuple[tuple[int, ...], ...]
    varbits: tuple[int, ...]
    stack_sizes: tuple[int, ...]
    registers: tuple[tuple[int, ...], ...]
    args: tuple[int, ...] = ()
    length: int = 100
    exited: bool = False
    aborted: bool = False
    anomalies: tuple[int, ...] = (0,) * len(ANOMALIES)


def _widths(*, with_args: bool) -> list[int]:
    """The widths of a snapshot's numbers, in the order in which they are packed."""
    widths: list[int] = []
    for header in PROGRAM.headers:
        widths += [8, 16, *(f.width for f in header.type.fields)]
    widths += [8] * 3
    widths += [register.width for register in PROGRAM.registers for _ in range(register.size)]
    return widths + ([param.width for param in PARAMS] if with_args else [32, 8, 8, *[32] * len(ANOMALIES)])


def _pack(before: Snapshot) -> bytes:
    numbers: list[int] = []
    for index in range(len(PROGRAM.headers)):
        numbers += [before.valid[index], before.varbits[index], *before.fields[index]]
    numbers += [*before.stack_sizes, *(cell for cells in before.registers for cell in cells), *before.args]
    packed = zip(numbers, _widths(with_args=True), strict=True)
    return b"".join((number & (1 << width) - 1).to_bytes((width + 7) // 8, "big") for number, width in packed)


def _unpack(data: bytes, args: tuple[int, ...]) -> Snapshot:
    numbers: list[int] = []
    at = 0
    for width in _widths(with_args=False):
        size = (width + 7) // 8
        numbers.append(int.from_bytes(data[at : at + size], "big"))
        at += size
    source = iter(numbers)
    valid, varbits, fields = [], [], []
    for header in PROGRAM.headers:
        valid.append(bool(next(source)))
        varbits.append(next(source))
        fields.append(tuple(_with_sign(next(source), f) for f in header.type.fields))
    sizes = tuple(next(source) for _ in range(3))
    registers = tuple(tuple(next(source) for _ in range(register.size)) for register in PROGRAM.registers)
    length, exited, aborted = next(source), bool(next(source)), bool(next(source))
    return Snapshot(
        tuple(valid), tuple(fields), tuple(varbits), sizes, registers, args, length, exited, aborted, tuple(source)
    )


def _with_sign(number: int, of: ir.Field) -> int:
    return number - (1 << of.width) if of.signed and number >> (of.width - 1) else number


# ---- the reference executor -----------------------------------------------------------------------------------------


def expected(body: Sequence[ir.Statement], before: Snapshot) -> Snapshot:
    """What the reference executor makes of `before`."""
    state = State(PROGRAM)
    layout = ReferenceLayout(PROGRAM)
    packet = Packet(layout, b"", before.length)
    packet.length, packet.args, packet.payload = before.length, before.args, PAYLOAD
    packet.valid[:-1] = before.valid
    packet.varbit_widths[:-1] = before.varbits
    packet.stack_sizes[:] = before.stack_sizes
    for index, values in enumerate(before.fields):
        packet.fields[layout.bases[index] : layout.bases[index] + len(values)] = values
    for register, cells in zip(PROGRAM.registers, before.registers, strict=True):
        state.registers[register.name][:] = cells
    aborted = False
    try:
        ReferenceStatements(PROGRAM, layout, state, None).body(body)(packet)
    except PacketAbortedError as error:
        aborted = True
        state.anomalies[f"{error}-failed"] += 1
    fields = tuple(
        tuple(packet.fields[layout.bases[h.index] : layout.bases[h.index] + len(h.type.fields)])
        for h in PROGRAM.headers
    )
    return Snapshot(
        tuple(bool(bit) for bit in packet.valid[:-1]),
        fields,
        tuple(packet.varbit_widths[:-1]),
        tuple(packet.stack_sizes),
        tuple(tuple(state.registers[register.name]) for register in PROGRAM.registers),
        before.args,
        packet.length % (1 << 32),
        packet.exited,
        aborted,
        tuple(state.anomalies[name] for name in ANOMALIES),
    )


# ---- generated C ----------------------------------------------------------------------------------------------------

_HEAD = """
#include <stdio.h>
#include <stdlib.h>
#include "snic_packet.h"
#include "snic_arith.h"
#include "snic_wide.h"
#include "snic_hash.h"
#include "snic_checksum.h"
static struct snic_worker worker;
static uint64_t cells[{registers}][4][8];
static inline void *snic_register_cell(struct snic_worker *w, uint32_t number, uint64_t index, uint32_t bytes)
{{
    (void)bytes;
    if (index < 4)
        return cells[number][index];
    snic_anomaly(w, SNIC_REGISTER_INDEX_OUT_OF_RANGE);
    return NULL;
}}
static inline void snic_register_lock(struct snic_worker *w, uint32_t number) {{ (void)w, (void)number; }}
static inline void snic_register_unlock(struct snic_worker *w, uint32_t number) {{ (void)w, (void)number; }}
struct packet {{
    struct snic_packet base;
    {members}
}};
{constants}
static uint8_t in[{in_bytes}], out[{out_bytes}];
"""
_MAIN = """
static struct packet packet;
typedef void action(struct snic_worker *w, struct packet *p, const uint8_t *args);
static action *const actions[] = {{{actions}}};
int main(void)
{{
    while (fread(in, sizeof in, 1, stdin) == 1) {{
        for (size_t at = 0; at < sizeof actions / sizeof *actions; at++) {{
            memset(&worker, 0, sizeof worker);
            memset(&packet, 0, sizeof packet);
            memset(cells, 0, sizeof cells);
            read_snapshot(&packet);
            uint8_t *args = malloc({args_bytes});
            memcpy(args, in + sizeof in - {args_bytes}, {args_bytes});
            actions[at](&worker, &packet, args);
            free(args);
            write_snapshot(&packet);
            fwrite(out, sizeof out, 1, stdout);
        }}
    }}
    return 0;
}}
"""


class Snippets:
    """`bodies` compiled to one C program."""

    def __init__(self, bodies: Sequence[Sequence[ir.Statement]], directory: Path) -> None:
        self._bodies = bodies
        self._layout = Layout(PROGRAM)
        self._program = directory / "snippets"
        source = directory / "snippets.c"
        source.write_text(self._text())
        subprocess.run(
            [
                os.environ.get("CC", "cc"), "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror",
                "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-I{RUNTIME}", "-o", self._program,
                source, RUNTIME / "snic_hash.c",
            ],
            check=True,
        )  # fmt: skip

    def run(self, before: Sequence[Snapshot]) -> list[list[Snapshot]]:
        """For each of `before`, what each body makes of it."""
        out = subprocess.run([self._program], input=b"".join(map(_pack, before)), capture_output=True, check=False)
        if out.returncode:
            raise AssertionError(out.stderr.decode())
        size = sum((width + 7) // 8 for width in _widths(with_args=False))
        records = [out.stdout[at : at + size] for at in range(0, len(out.stdout), size)]
        count = len(self._bodies)
        return [
            [_unpack(record, snapshot.args) for record in records[number * count : (number + 1) * count]]
            for number, snapshot in enumerate(before)
        ]

    def _text(self) -> str:
        layout = self._layout
        names = Names()
        hashed = [part for body in self._bodies for part in body if isinstance(part, ir.Hash)]
        action = ir.Action(0, "all", (), tuple(hashed))
        ingress = ir.Pipeline("ingress", (ir.DirectCall("all", action, None),), 0)
        calculations = Calculations(replace(PROGRAM, ingress=ingress), layout, names)
        statements = Statements(PROGRAM, layout, calculations)
        head = _HEAD.format(
            registers=len(PROGRAM.registers),
            members="\n    ".join(layout.members),
            constants="\n".join(layout.constants),
            in_bytes=sum((width + 7) // 8 for width in _widths(with_args=True)),
            out_bytes=sum((width + 7) // 8 for width in _widths(with_args=False)),
        )
        functions = []
        for number, body in enumerate(self._bodies):
            functions += [f"static void action_{number}(struct snic_worker *w, struct packet *p, const uint8_t *args)"]
            functions += ["{", "(void)w, (void)p, (void)args;", *statements.body(body, PARAMS), "}"]
        main = _MAIN.format(
            args_bytes=sum((param.width + 7) // 8 for param in PARAMS),
            actions=", ".join(f"action_{number}" for number in range(len(self._bodies))),
        )
        return "\n".join([head, *calculations.functions(), *functions, *self._copying()]) + main

    def _copying(self) -> list[str]:
        """Functions that fill a packet from ``in`` and describe it in ``out``."""
        reading, writing = [], []
        for header in PROGRAM.headers:
            place = self._layout.place(header)
            if place.bit is not None:
                reading.append(f"if (snic_load64(next, 0, 8)) snic_set_bit(p->valid, {place.bit});")
            writing.append(f"snic_store64(next, 0, 8, {place.is_valid});")
            if place.varbit_bits is not None:
                reading.append(f"{place.varbit_bits} = snic_load64(next + 1, 0, 16);")
            writing.append(f"snic_store64(next + 1, 0, 16, {place.varbit_bits or 0});")
            for line in (reading, writing):
                line.append("next += 3;")
            for f in header.type.fields:
                size = (f.width + 7) // 8
                given = CValue(f"snic_wide_load(next, 0, {size * 8})", Type.WIDE, None)
                if f.varbit:
                    reading.append(f"snic_wide_store({place.storage}, {f.offset}, {place.varbit_bits}, {given.text});")
                else:
                    reading.append(store_field(place, f, given))
                number = convert(load_field(place, f), Type.WIDE).text
                writing.append(f"snic_wide_store(next, {size * 8 - f.width}, {f.width}, {number});")
                for line in (reading, writing):
                    line.append(f"next += {size};")
        for at in range(3):
            reading.append(f"p->stack_size[{at}] = *next++;")
            writing.append(f"*next++ = (uint8_t)p->stack_size[{at}];")
        for number, register in enumerate(PROGRAM.registers):
            size = (register.width + 7) // 8
            for cell in range(register.size):
                place = f"cells[{number}][{cell}]"
                load = f"snic_wide_load(next, 0, {size * 8})"
                reading.append(f"snic_wide_cell_store({place}, 64, {load}); next += {size};")
                held = f"snic_wide_cell_load({place}, 64)"
                writing.append(f"snic_wide_store(next, 0, {size * 8}, {held}); next += {size};")
        reading.append("p->base.length = 100;")
        reading.append("p->base.truncate_to = SNIC_NOT_TRUNCATED;")
        reading.append(f'p->base.payload = (const uint8_t *)"{PAYLOAD.decode()}";')
        reading.append(f"p->base.payload_length = {len(PAYLOAD)};")
        writing.append("snic_store64(next, 0, 32, p->base.length); next += 4;")
        writing.append("*next++ = p->base.exited; *next++ = p->base.aborted;")
        count = len(ANOMALIES)
        writing.append(f"for (int at = 0; at < {count}; at++, next += 4)")
        writing.append("    snic_store64(next, 0, 32, worker.anomalies[at]);")
        return [
            "static void read_snapshot(struct packet *p)", "{", "const uint8_t *next = in;", *reading, "}",
            "static void write_snapshot(const struct packet *p)", "{", "uint8_t *next = out;",
            "memset(out, 0, sizeof out);", *writing, "}",
        ]  # fmt: skip
