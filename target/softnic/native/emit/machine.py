# SPDX-License-Identifier: Apache-2.0
"""What snic_machine.h asks of a program: the standard metadata, and metadata that outlives a pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softnic import ir

from .deparser import verifies
from .expressions import Expressions
from .layout import Layout
from .ordering import walk
from .stores import store
from .widths import Given, Interval
from .writer import Writer

_PACKET = "struct packet *p"
_WORKER = "struct snic_worker *w"


class MachineEmitter:
    """Emits the small ``program_*`` functions between and after the pipelines."""

    def __init__(self, program: ir.Program, layout: Layout, expressions: Expressions, is_large: Sequence[str]) -> None:
        self._program = program
        self._standard = program.standard
        self._layout = layout
        self._expressions = expressions
        self._is_read = _fields_read(program)
        self._is_large = is_large

    def emit(self, writer: Writer) -> None:
        self._setters(writer)
        self._getters(writer)
        self._passes(writer)
        self._keep_metadata(writer)
        self._digest(writer)
        self._clear(writer)
        self._parks(writer)
        writer.line('#include "snic_machine.h"')
        writer.line()

    def _set(self, ref: ir.FieldRef | None, value: str) -> list[str]:
        """Stores `value`, cut to the field's width, if the program has the field and anybody reads it."""
        if ref is None or not self._is_read(ref):
            return []
        return store(self._expressions, ref, Given(value, Interval.unsigned(64)))

    # ---- standard metadata ------------------------------------------------------------------------------------------

    def _setters(self, writer: Writer) -> None:
        standard = self._standard
        for name, ref in (
            ("instance_type", standard.instance_type),
            ("packet_length", standard.packet_length),
            ("ingress_port", standard.ingress_port),
            ("egress_rid", standard.egress_rid),
            ("priority", standard.priority),
        ):
            with writer.function(f"SNIC_FOLDED void program_set_{name}({_PACKET}, uint32_t value)"):
                writer.lines(self._set(ref, "value"))

    def _getters(self, writer: Writer) -> None:
        for name, ref in (("egress_spec", self._standard.egress_spec), ("mcast_grp", self._standard.mcast_grp)):
            with writer.function(f"SNIC_FOLDED uint32_t program_{name}(const {_PACKET})"):
                writer.line(f"return {'0' if ref is None else f'(uint32_t){self._expressions.get(ref)}'};")

    def _passes(self, writer: Writer) -> None:
        standard = self._standard
        with writer.function(f"SNIC_FOLDED void program_received({_WORKER}, {_PACKET})"):
            writer.lines(self._set(standard.ingress_port, "p->base.port"))
            writer.lines(self._set(standard.packet_length, "p->base.length"))
            writer.lines(self._set(standard.ingress_global_timestamp, "w->now_us"))
        with writer.function(f"SNIC_FOLDED void program_parsed({_WORKER}, {_PACKET})"):
            writer.lines(self._set(standard.parser_error, "p->base.parser_error"))
            if standard.checksum_error is not None and verifies(self._program):
                wrong = Given("(uint64_t)!program_verify_checksums(w, p)", Interval.unsigned(1))
                writer.lines(store(self._expressions, standard.checksum_error, wrong))
        writer.line("/* Through the queue, which takes no time, into egress. */")
        with writer.function(f"SNIC_FOLDED void program_enter_egress({_WORKER}, {_PACKET})"):
            writer.lines(self._set(standard.enq_timestamp, "w->now_us"))
            writer.lines(self._set(standard.enq_qdepth, "0u"))
            writer.lines(self._set(standard.egress_global_timestamp, "w->now_us"))
            if standard.enq_timestamp is not None and standard.deq_timedelta is not None:
                waited = f"(w->now_us - {self._expressions.get(standard.enq_timestamp)})"
                writer.lines(self._set(standard.deq_timedelta, waited))
            writer.lines(self._set(standard.deq_qdepth, "0u"))
            if standard.priority is not None:
                writer.lines(self._set(standard.qid, self._expressions.get(standard.priority)))
            writer.lines(self._set(standard.egress_port, "p->base.port"))
            writer.line("/* Anything but the drop port: simple_switch has the drop port + 1, which in 9 bits is 0. */")
            writer.lines(self._set(standard.egress_spec, "0u"))
            writer.lines(self._set(standard.packet_length, "p->base.length"))

    # ---- what outlives a pass ---------------------------------------------------------------------------------------

    def _keep_metadata(self, writer: Writer) -> None:
        cleared = self._layout.keep_metadata(None, "origin")
        writer.line(
            "/* Clears all metadata but the fields of a list, 1 + its index (0: of none), which come from `origin`. */"
        )
        signature = f"{_PACKET}, const struct packet *origin, uint32_t fields"
        with writer.function(f"static void program_keep_metadata({signature})"):
            writer.lines(cleared)
            with writer.block("switch (fields)"):
                for number, fields in enumerate(self._program.field_lists, 1):
                    if kept := self._layout.keep_metadata(fields, "origin")[len(cleared) :]:
                        writer.line(f"case {number}: /* {fields.name} */")
                        writer.lines(f"    {line}" for line in (*kept, "break;"))
                writer.line("default: break;")

    def _digest(self, writer: Writer) -> None:
        with (
            writer.function(f"static void program_digest({_WORKER}, {_PACKET})"),
            writer.block("switch (p->base.digest)"),
        ):
            for number, learn_list in enumerate(self._program.learn_lists):
                with writer.block(f"case {number + 1}:", end="} break;"):
                    writer.line(f"uint8_t values[{max(1, digest_bytes(learn_list))}];")
                    offset = 0
                    for element in learn_list.elements:
                        width = element_width(element)
                        writer.lines(self._expressions.to_bytes(element, width, f"(values + {offset})"))
                        offset += (width + 7) // 8
                    writer.line(f"snic_digest(w, {number}, values);")
            writer.line("default: break;")

    # ---- life -------------------------------------------------------------------------------------------------------

    def _clear(self, writer: Writer) -> None:
        """Invalid headers are all zero already: only what is valid is cleared."""
        writer.line("/* Makes a packet all zero; cheaper than that by the headers it does not have. */")
        with writer.function(f"SNIC_FOLDED void program_clear({_PACKET})"):
            writer.lines(self._layout.keep_metadata(None, "p"))
            for header in self._program.headers:
                place = self._layout.place(header)
                if place.bit is not None:
                    with writer.block(f"if ({place.is_valid})"):
                        writer.line(f"memset({place.storage}, 0, sizeof {place.storage});")
                        if place.varbit_bits is not None:
                            writer.line(f"{place.varbit_bits} = 0;")
            writer.line("memset(p->valid, 0, sizeof p->valid);")
            if self._program.stacks or self._program.union_stacks:
                writer.line("memset(p->stack_size, 0, sizeof p->stack_size);")
            writer.line("memset(&p->base, 0, sizeof p->base);")

    def _parks(self, writer: Writer) -> None:
        writer.line("/* Whether it is worth while that packets wait for tables together. */")
        with writer.function(f"SNIC_FOLDED bool program_parks({_WORKER})"):
            writer.line(f"return {' || '.join(self._is_large) or 'false'};")


def _fields_read(program: ir.Program) -> Callable[[ir.FieldRef], bool]:
    """Whether the program, or the machine around it, may read a field of the standard metadata."""
    standard = program.standard
    parts = (
        program.parser, program.ingress, program.egress, program.actions, program.deparser, program.checksums,
        program.profiles, program.learn_lists, program.field_lists,
        standard.egress_spec, standard.mcast_grp, standard.priority,
    )  # fmt: skip
    used = list(walk(parts))
    if any(isinstance(part, ir.HeaderRef) and part.header.metadata for part in used):
        return lambda ref: True
    read = {(part.header.index, part.field.index) for part in used if isinstance(part, ir.FieldRef)}
    if standard.enq_timestamp and standard.deq_timedelta and _place(standard.deq_timedelta) in read:
        read.add(_place(standard.enq_timestamp))
    return lambda ref: _place(ref) in read


def _place(ref: ir.FieldRef) -> tuple[int, int]:
    return ref.header.index, ref.field.index


def element_width(element: ir.Expr) -> int:
    """Bits of a digest's member."""
    if not isinstance(element, ir.FieldRef | ir.FieldOf):
        raise TypeError(f"not a digest's member: {element!r}")
    return element.field.width


def digest_bytes(learn_list: ir.LearnList) -> int:
    return sum((element_width(element) + 7) // 8 for element in learn_list.elements)
