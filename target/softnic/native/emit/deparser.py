# SPDX-License-Identifier: Apache-2.0
"""Checksums, and headers turned back into bytes."""

from __future__ import annotations

from softnic import ir

from .calculations import Calculations
from .expressions import Expressions
from .layout import Layout
from .names import source_comment
from .statements import Statements
from .stores import store
from .widths import Given, Interval
from .writer import Writer


def verifies(program: ir.Program) -> bool:
    """Whether there are checksums to verify, and a field that tells the program of it."""
    return program.standard.checksum_error is not None and any(checksum.verify for checksum in program.checksums)


class DeparserEmitter:
    """Emits what runs after parsing and what makes a packet leave: ``program_verify_checksums`` and following."""

    def __init__(
        self,
        program: ir.Program,
        layout: Layout,
        expressions: Expressions,
        statements: Statements,
        calculations: Calculations,
    ) -> None:
        self._program = program
        self._layout = layout
        self._expressions = expressions
        self._statements = statements
        self._calculations = calculations

    @property
    def headers_max_bytes(self) -> int:
        """The most that all headers together can take; 1 where there are none, so that it bounds an array."""
        types = (header.type for header in self._program.deparser.order)
        return max(1, sum((t.fixed_width + (t.varbit.width if t.varbit else 0) + 7) // 8 for t in types))

    def emit(self, writer: Writer) -> None:
        self._verify(writer)
        self._before_deparsing(writer)
        self._headers_bytes(writer)
        self._emit_headers(writer)

    def _verify(self, writer: Writer) -> None:
        if not verifies(self._program):
            return
        parameters = "struct snic_worker *w, struct packet *p"
        with writer.function(f"{self._layout.function} bool program_verify_checksums({parameters})"):
            writer.line("bool right = true;")
            for checksum in self._program.checksums:
                if checksum.verify:
                    with writer.block(f"if ({self._applies(checksum)})", comment=source_comment(checksum.source)):
                        computed = self._calculations.call(checksum.calculation)
                        writer.line(f"right &= {computed} == {self._stored(checksum.target)};")
            writer.line("return right;")

    def _before_deparsing(self, writer: Writer) -> None:
        """Checksums are updated, then the deparser's own statements run."""
        parameters = "struct snic_worker *w, struct packet *p"
        with writer.function(f"{self._layout.function} void program_before_deparsing({parameters})"):
            for checksum in self._program.checksums:
                if checksum.update:
                    with writer.block(f"if ({self._applies(checksum)})", comment=source_comment(checksum.source)):
                        computed = self._calculations.call(checksum.calculation)
                        writer.lines(store(self._expressions, checksum.target, Given(computed, Interval.unsigned(64))))
            writer.lines(self._statements.body(self._program.deparser.statements))

    def _applies(self, checksum: ir.Checksum) -> str:
        valid = self._layout.place(checksum.target.header).is_valid
        if checksum.condition is None:
            return valid
        return f"{valid} && ({self._expressions.condition(checksum.condition)})"

    def _stored(self, target: ir.FieldRef) -> str:
        return f"(uint64_t){self._expressions.word(target, min(target.field.width, 64))}"

    def _headers_bytes(self, writer: Writer) -> None:
        with writer.function("SNIC_FOLDED uint32_t program_headers_bytes(const struct packet *p)"):
            writer.line("uint32_t bytes = 0;")
            for header in self._program.deparser.order:
                place = self._layout.place(header)
                with writer.block(f"if ({place.is_valid})"):
                    writer.line(f"bytes += {place.size};")
            writer.line("return bytes;")

    def _emit_headers(self, writer: Writer) -> None:
        """From the last to the first, backwards in front of the payload: no size has to be known beforehand."""
        writer.line("/* Writes all valid headers in front of `at`; returns where the first begins. */")
        with writer.function("SNIC_FOLDED uint8_t *program_emit_headers(const struct packet *p, uint8_t *at)"):
            for header in reversed(self._program.deparser.order):
                place = self._layout.place(header)
                with writer.block(f"if ({place.is_valid})"):
                    writer.line(f"at -= {place.size};")
                    copy = "snic_put_words" if place.words else "memcpy"
                    writer.line(f"{copy}(at, {place.storage}, {place.size});")
            writer.line("return at;")
