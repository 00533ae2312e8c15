# SPDX-License-Identifier: Apache-2.0
"""A packet on its way through the program: all its fields in one flat list, and what it has asked the target for.

An invalid header's fields are 0, always: making a header invalid clears them, and a store to an invalid header is
ignored. So a load needs no check, and a header that becomes valid starts from 0, as code compiled for BMv2 expects.
"""

from __future__ import annotations

from softnic import ir

from .cursor import Cursor


class Layout:
    """Where each field lives, worked out once for a program.

    One more header, `void`, stands behind those of the program: what a stack index out of range yields. It is never
    valid, and has as many fields as the largest header.
    """

    def __init__(self, program: ir.Program) -> None:
        self.headers = program.headers
        self.void = len(program.headers)
        self.field_counts = [len(header.type.fields) for header in program.headers]
        self.field_counts.append(max(self.field_counts, default=0))
        self.bases: list[int] = []
        total = 0
        for count in self.field_counts:
            self.bases.append(total)
            total += count
        self.blank_fields = [0] * total
        self.blank_valid = [header.metadata for header in program.headers] + [False]
        self.metadata = [index for index, header in enumerate(program.headers) if header.metadata]
        self.fixed_bytes = [header.type.fixed_width // 8 for header in program.headers] + [0]
        self.siblings: list[tuple[int, ...]] = [()] * (self.void + 1)
        for union in program.unions:
            members = [member.index for member in union.members]
            for member in members:
                self.siblings[member] = tuple(other for other in members if other != member)
        self.union_stack_offset = len(program.stacks)
        self.stack_count = len(program.stacks) + len(program.union_stacks)

    def slot(self, ref: ir.FieldRef) -> int:
        return self.bases[ref.header.index] + ref.field.index

    def stack_index(self, stack: ir.AnyStack) -> int:
        """Of `stack` in `Packet.stack_sizes`: header stacks first, then union stacks."""
        return stack.index if isinstance(stack, ir.HeaderStack) else self.union_stack_offset + stack.index


class Packet:
    """`fields`, `valid` and `varbit_widths` (bits) are indexed as `Layout` says; `args` are the running action's."""

    __slots__ = (
        "args",
        "clone",
        "cursor",
        "digest",
        "exited",
        "fields",
        "ingress_bytes",
        "layout",
        "length",
        "parser_error",
        "payload",
        "received_length",
        "recirculate",
        "resubmit",
        "stack_sizes",
        "truncate_to",
        "valid",
        "varbit_widths",
    )

    def __init__(self, layout: Layout, data: bytes, received_length: int) -> None:
        self.layout = layout
        self.fields = layout.blank_fields.copy()
        self.valid = layout.blank_valid.copy()
        self.varbit_widths = [0] * (layout.void + 1)
        self.stack_sizes = [0] * layout.stack_count
        self.args: tuple[int, ...] = ()
        self.cursor = Cursor(data)
        self.ingress_bytes = data
        """As they entered this pass of ingress: what a clone or a resubmission starts from."""
        self.payload = b""
        """What the parser left."""
        self.received_length = received_length
        """In bytes; what counters and meters count, in ingress and egress alike."""
        self.length = len(data)
        """In bytes; follows headers that are added and removed."""
        self.parser_error = 0
        self.exited = False
        self.truncate_to: int | None = None
        self.clone: tuple[int, ir.FieldList | None] | None = None
        self.digest: ir.LearnList | None = None
        self.resubmit: ir.FieldList | None = None
        self.recirculate: ir.FieldList | None = None

    def copy(self) -> Packet:
        """With all its headers and metadata, without what it has asked the target for."""
        twin = Packet(self.layout, b"", self.received_length)
        twin.fields = self.fields.copy()
        twin.valid = self.valid.copy()
        twin.varbit_widths = self.varbit_widths.copy()
        twin.stack_sizes = self.stack_sizes.copy()
        twin.payload = self.payload
        twin.length = self.length
        twin.truncate_to = self.truncate_to
        return twin

    def keep_metadata(self, origin: Packet, fields: ir.FieldList | None) -> None:
        """Clear all metadata but `fields`, which are taken from `origin`."""
        layout = self.layout
        for index in layout.metadata:
            base, count = layout.bases[index], layout.field_counts[index]
            self.fields[base : base + count] = [0] * count
        for ref in fields.fields if fields else ():
            slot = layout.slot(ref)
            self.fields[slot] = origin.fields[slot]

    def make_valid(self, header: int) -> None:
        """Its fields stay what they are: 0 if it was invalid. Other members of its union become invalid."""
        if header == self.layout.void:
            return
        for sibling in self.layout.siblings[header]:
            self.make_invalid(sibling)
        self.valid[header] = True

    def make_invalid(self, header: int) -> None:
        if self.valid[header] and not self.layout.blank_valid[header]:
            base, count = self.layout.bases[header], self.layout.field_counts[header]
            self.fields[base : base + count] = self.layout.blank_fields[base : base + count]
            self.varbit_widths[header] = 0
            self.valid[header] = False

    def copy_header(self, target: int, source: int) -> None:
        """Fields, varbit width and validity."""
        if not self.valid[source]:
            self.make_invalid(target)
            return
        if target == self.layout.void:
            return
        self.make_valid(target)
        count = self.layout.field_counts[target]
        to, origin = self.layout.bases[target], self.layout.bases[source]
        self.fields[to : to + count] = self.fields[origin : origin + count]
        self.varbit_widths[target] = self.varbit_widths[source]

    def header_bytes(self, header: int) -> int:
        """Its size on the wire, if it is valid."""
        return self.layout.fixed_bytes[header] + self.varbit_widths[header] // 8

    @property
    def visible_payload(self) -> bytes:
        """The payload, as far as `truncate_to` leaves it."""
        return self.payload if self.truncate_to is None else self.payload[: self.truncate_to]
