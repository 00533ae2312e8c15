# SPDX-License-Identifier: Apache-2.0
"""Checksums, and the packet put together again."""

from __future__ import annotations

from collections.abc import Callable

from softnic import ir

from .calculations import calculation, header_bits
from .packet import Packet
from .state import State
from .statements import Statements
from .trace import Tracer


class Checksums:
    """Verified after parsing, updated before deparsing, in the order of the program."""

    def __init__(self, program: ir.Program, state: State, statements: Statements, tracer: Tracer | None) -> None:
        self._verified = [self._verify(c, state, statements, tracer) for c in program.checksums if c.verify]
        self._updated = [self._update(c, state, statements, tracer) for c in program.checksums if c.update]

    def verify(self, p: Packet) -> bool:
        """Whether every checksum that applies is right."""
        results = [verify(p) for verify in self._verified]
        return all(results)

    def update(self, p: Packet) -> None:
        for update in self._updated:
            update(p)

    def _verify(
        self, checksum: ir.Checksum, state: State, statements: Statements, tracer: Tracer | None
    ) -> Callable[[Packet], bool]:
        applies, compute = self._parts(checksum, state, statements)
        slot, mask = statements.layout.slot(checksum.target), (1 << checksum.target.field.width) - 1

        def verify(p: Packet) -> bool:
            if not applies(p):
                return True
            right = compute(p) == p.fields[slot] & mask
            if tracer is not None:
                tracer.checksum(checksum, right)
            return right

        return verify

    def _update(
        self, checksum: ir.Checksum, state: State, statements: Statements, tracer: Tracer | None
    ) -> Callable[[Packet], None]:
        applies, compute = self._parts(checksum, state, statements)
        store = statements.expressions.store(checksum.target)
        slot = statements.layout.slot(checksum.target)

        def update(p: Packet) -> None:
            if applies(p):
                before = p.fields[slot]
                store(p, compute(p))
                if tracer is not None:
                    tracer.checksum_update(checksum, before, p.fields[slot])

        return update

    def _parts(
        self, checksum: ir.Checksum, state: State, statements: Statements
    ) -> tuple[Callable[[Packet], bool], Callable[[Packet], int]]:
        """Whether the checksum applies to a packet, and what it should be."""
        compute = calculation(statements.layout, checksum.calculation, state.hash_function(checksum.calculation))
        header = checksum.target.header.index
        if checksum.condition is None:
            return lambda p: p.valid[header], compute
        condition = statements.expressions.value(checksum.condition)
        return lambda p: p.valid[header] and bool(condition(p)), compute


class Deparser:
    """Turns headers back into bytes."""

    def __init__(self, program: ir.Program, statements: Statements, checksums: Checksums) -> None:
        self._checksums = checksums
        self._run = statements.body(program.deparser.statements)
        self._headers = [header_bits(statements.layout, header) for header in program.deparser.order]

    def deparse(self, p: Packet) -> bytes:
        """Checksums updated, the deparser's own statements run, valid headers emitted, payload appended."""
        self._checksums.update(p)
        self._run(p)
        parts: list[bytes] = []
        for header in self._headers:
            word, width = header(p)
            parts.append(word.to_bytes(width // 8, "big"))
        parts.append(p.payload)
        data = b"".join(parts)
        return data if p.truncate_to is None else data[: p.truncate_to]
