# SPDX-License-Identifier: Apache-2.0
"""A whole program as one C file: `emit`."""

from __future__ import annotations

import re

from softnic import ir

from .actions import Actions
from .calculations import Calculations
from .control import Control
from .deparser import DeparserEmitter
from .descriptors import Descriptors
from .expressions import Expressions
from .layout import Layout
from .machine import MachineEmitter
from .names import Names
from .ordering import may_overtake
from .parser import ParserEmitter
from .stages import reachable
from .statements import Statements
from .tables import Tables, runnable
from .writer import Writer

_VECTOR = 32
"""Packets that run between two looks at the clock, and wait for memory together."""

_INCLUDES = (
    "snic_packet.h",
    "snic_cursor.h",
    "snic_bits.h",
    "snic_words.h",
    "snic_arith.h",
    "snic_wide.h",
    "snic_packet_api.h",
    "snic_hash.h",
    "snic_checksum.h",
    "snic_text.h",
    "snic_uniform.h",
)


def emit(program: ir.Program, json_sha256: str) -> str:
    """The C file, always the same for the same program. It includes the runtime's headers and exports
    ``snic_program_v1`` only. `json_sha256`, in hexadecimal, is that of the JSON which `program` was loaded from.

    Raises: UnsupportedError where the program needs what only the reference executor has.
    """
    layout = Layout(program)
    expressions = Expressions(program, layout)
    names = Names()
    calculations = Calculations(program, layout, names)
    statements = Statements(program, layout, calculations)
    tables = Tables(program, expressions, calculations)
    actions = Actions(program, _used_actions(program), layout, statements, names)
    parser = ParserEmitter(program, layout, expressions, statements)
    parks = may_overtake(program)
    ingress = Control("ingress", program.ingress, layout, expressions, tables, actions, parks=parks)
    egress = Control("egress", program.egress, layout, expressions, tables, actions, parks=parks)
    is_large = [*ingress.is_large(), *egress.is_large()]
    deparser = DeparserEmitter(program, layout, expressions, statements, calculations)

    code = Writer()
    for title, part in (
        ("calculations", lambda writer: writer.lines(calculations.functions())),
        ("parser", parser.emit),
        ("checksums and deparser", deparser.emit),
        ("actions", actions.emit),
        ("ingress", ingress.emit),
        ("egress", egress.emit),
        ("the architecture", MachineEmitter(program, layout, expressions, is_large).emit),
        ("what the runtime is told", Descriptors(program, json_sha256, len(calculations.round_robins)).emit),
    ):
        code.section(title)
        part(code)

    head = Writer()
    head.line(f"/* {program.name}: compiled by softnic from a BMv2 JSON; do not edit. */")
    head.lines(f'#include "{name}"' for name in _INCLUDES)
    head.line()
    with head.block("enum", end="};"):
        head.line(f"VECTOR = {_VECTOR},")
        head.line(f"INGRESS_STAGES = {ingress.stages},")
        head.line(f"EGRESS_STAGES = {egress.stages},")
        head.line(f"HEADERS_MAX_BYTES = {deparser.headers_max_bytes},")
    head.line(f"#define PACKETS_IN_REGISTERS {int(layout.in_registers)}")
    head.line()
    _structs(head, layout, tables)
    head.lines(line for line in layout.constants if _is_needed(line, code.text()))
    head.line()
    return head.text() + code.text()


def _is_needed(line: str, code: str) -> bool:
    """Anything but the definition of an array that `code` does not name."""
    array = re.match(r"static const \w+ (\w+)\[", line)
    return array is None or re.search(rf"\b{array[1]}\b", code) is not None


def _structs(writer: Writer, layout: Layout, tables: Tables) -> None:
    with writer.block("struct packet", end="};"):
        writer.line("struct snic_packet base;")
        writer.lines(layout.members)
        writer.line("uint8_t pad[16]; /* loads of 8 bytes may touch what follows a header */")
    writer.line()
    writer.line("/* Where a packet that waits for a table goes on, and with what. */")
    with writer.block("struct parked", end="};"):
        writer.line("uint64_t token;")
        writer.line("uint32_t at;")
        writer.line(f"_Alignas(8) uint8_t key[{tables.key_room}];")
    writer.line()


def _used_actions(program: ir.Program) -> list[ir.Action]:
    """Those of nodes that packets can come to."""
    used: list[ir.Action] = []
    for node in (*reachable(program.ingress), *reachable(program.egress)):
        match node:
            case ir.Table():
                used += runnable(node)
            case ir.DirectCall():
                used.append(node.action)
            case ir.Branch():
                pass
    return used
