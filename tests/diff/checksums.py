# SPDX-License-Identifier: Apache-2.0
"""Right checksums for packets: without them, programs that check show only how they drop."""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir
from softnic.reference.calculations import calculation
from softnic.reference.packet import Layout, Packet
from softnic.reference.parser import ParserRunner
from softnic.reference.state import State
from softnic.reference.statements import Statements

Place = tuple[int, int]
"""Of a field on the wire: first bit and width."""


class ChecksumFixer:
    """Sets each checksum that `program` verifies to what it should be, as the reference executor sees the packet."""

    def __init__(self, program: ir.Program) -> None:
        self._layout = Layout(program)
        state = State(program)
        self._parser = ParserRunner(program, state, Statements(program, self._layout, state, None), None)
        self._port_slot = self._layout.slot(program.standard.ingress_port)
        self._checksums = [
            (c.target, calculation(self._layout, c.calculation, state.hash_function(c.calculation)))
            for c in program.checksums
            if c.verify
        ]

    def __call__(self, port: int, data: bytes, place: Callable[[ir.FieldRef], Place | None]) -> bytes:
        """`data` with right checksums; `place` says where a field is."""
        for target, compute in self._checksums:
            where = place(target)
            if where is None:
                continue
            packet = Packet(self._layout, data, len(data))
            packet.fields[self._port_slot] = port
            self._parser.parse(packet)
            if packet.valid[target.header.index]:
                data = _replaced(data, where, compute(packet))
        return data


def _replaced(data: bytes, place: Place, value: int) -> bytes:
    start, width = place
    shift, ones = 8 * len(data) - start - width, (1 << width) - 1
    word = int.from_bytes(data, "big")
    return (word & ~(ones << shift) | (value & ones) << shift).to_bytes(len(data), "big")
