# SPDX-License-Identifier: Apache-2.0
"""Entries of the tables that the running controller fills, between packed keys and P4Runtime."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from finsy import P4Schema
from finsy.p4schema import P4ActionRef, P4Table
from finsy.proto import p4r

from headgate.handlers.gateway.keys import FAMILIES
from headgate.handlers.gateway.templates import UpdateTemplate
from headgate.vocabulary import Consulted

MAPPING_OUT, MAPPING_IN = "nat_mapping_out", "nat_mapping_in"

_FLOW_FIELDS = ("tenant_id", "segment_id", "src_addr", "dst_addr", "protocol", "src_port", "dst_port")
_SESSION_FIELDS = ("tenant_id", *_FLOW_FIELDS[2:])
_ALWAYS = 2
"""Fields of a flow that no aggregate leaves out: tenant and segment."""
_BITS = (Consulted.SRC_ADDR, Consulted.DST_ADDR, Consulted.PROTOCOL, Consulted.SRC_PORT, Consulted.DST_PORT)
"""Of `consulted`, in the order of a flow's other fields."""
ALL_FIELDS = sum(_BITS)


class Entry(NamedTuple):
    """A table entry.

    Attributes:
        key: As `headgate.handlers.gateway.keys` packs it.
        args: The action's arguments, in the order of its parameters, each as wide as its parameter.
        idle_timeout_ns: After which the device tells that nobody used the entry; 0 for never.
        metadata: The device keeps it and gives it back (P4Runtime 9.1).
    """

    table: str
    key: bytes
    action: str = ""
    args: tuple[bytes, ...] = ()
    idle_timeout_ns: int = 0
    metadata: bytes = b""


def consulted_fields(mask: int) -> list[int]:
    """Which fields of a flow an aggregate with this mask matches, by their places in the key."""
    return [0, 1, *(_ALWAYS + place for place, bit in enumerate(_BITS) if mask & bit)]


class _Layout(NamedTuple):
    """How a table's key is packed."""

    table: P4Table
    key: struct.Struct
    fields: tuple[str, ...]
    aggregate: bool

    @property
    def actions(self) -> dict[str, P4ActionRef]:
        """By their plain names."""
        return {action.alias.rpartition(".")[2]: action for action in self.table.actions}


class EntryCodec:
    """Encodes and decodes entries of one program."""

    def __init__(self, schema: P4Schema) -> None:
        layouts = [
            _Layout(schema.tables[MAPPING_OUT], struct.Struct("2s1s4s2s"), _mapping_fields("src"), False),
            _Layout(schema.tables[MAPPING_IN], struct.Struct("2s1s4s2s"), _mapping_fields("dst"), False),
        ]
        for family in FAMILIES:
            layouts += [
                _Layout(schema.tables[family.cache], family.flow, _FLOW_FIELDS, False),
                _Layout(schema.tables[family.aggregate], family.flow, _FLOW_FIELDS, True),
                _Layout(schema.tables[family.sessions], family.session, _SESSION_FIELDS, False),
            ]
        self._by_name = {layout.table.alias: layout for layout in layouts}
        self._by_id = {layout.table.id: layout for layout in layouts}
        self._places = {
            layout.table.id: {
                layout.table.match_fields[name].id: (place, layout.table.match_fields[name].bitwidth // 8)
                for place, name in enumerate(layout.fields)
            }
            for layout in layouts
        }
        self._templates: dict[tuple[int, str, str, int, int, int], UpdateTemplate] = {}

    @property
    def table_ids(self) -> dict[str, int]:
        """Of the tables known here, by their names."""
        return {name: layout.table.id for name, layout in self._by_name.items()}

    def encode(self, update_type: p4r.Update.Type.ValueType, entry: Entry) -> bytes:
        """An update as a WriteRequest that holds only it. A DELETE takes the key alone."""
        if update_type == p4r.Update.DELETE:
            entry = Entry(entry.table, entry.key)
        layout = self._by_name[entry.table]
        size = layout.key.size
        mask = entry.key[size] if layout.aggregate else ALL_FIELDS
        kind = (update_type, entry.table, entry.action, entry.idle_timeout_ns, len(entry.metadata), mask)
        template = self._templates.get(kind)
        if template is None:
            template = self._templates[kind] = self._template(update_type, entry, layout, mask)
        values = layout.key.unpack_from(entry.key)
        if mask != ALL_FIELDS:
            values = tuple(values[place] for place in consulted_fields(mask))
        return template.fill((*values, *entry.args, entry.metadata) if entry.metadata else values + entry.args)

    def decode(self, message: p4r.TableEntry) -> Entry:
        """An entry as it was read or as a notice names it, without its timeout. Raises: KeyError (of another table)."""
        layout = self._by_id[message.table_id]
        places = self._places[message.table_id]
        values = [bytes(width) for _, width in places.values()]
        mask = 0
        for field in message.match:
            place, width = places[field.field_id]
            value = field.ternary.value if layout.aggregate and place >= _ALWAYS else field.exact.value
            values[place] = value.rjust(width, b"\0")
            if layout.aggregate and place >= _ALWAYS:
                mask |= _BITS[place - _ALWAYS]
        key = b"".join(values) + (bytes((mask,)) if layout.aggregate else b"")
        name = layout.table.alias
        call = message.action.action
        if not call.action_id:  # notices have no action
            return Entry(name, key, metadata=message.metadata)
        action = layout.table.actions[call.action_id]
        given = {param.param_id: param.value for param in call.params}
        args = tuple(given[param.id].rjust((param.bitwidth + 7) // 8, b"\0") for param in action.params)
        return Entry(name, key, action.alias.rpartition(".")[2], args, metadata=message.metadata)

    def _template(
        self, update_type: p4r.Update.Type.ValueType, entry: Entry, layout: _Layout, mask: int
    ) -> UpdateTemplate:
        whole = mask == ALL_FIELDS
        fields = layout.fields if whole else [layout.fields[place] for place in consulted_fields(mask)]
        widths = [layout.table.match_fields[name].bitwidth // 8 for name in fields]
        widths += map(len, entry.args)
        if entry.metadata:
            widths.append(len(entry.metadata))

        def build(values: Sequence[bytes]) -> p4r.Update:
            update = p4r.Update(type=update_type)
            message = update.entity.table_entry
            message.table_id = layout.table.id
            for name, value in zip(fields, values, strict=False):
                _match(message, layout, name, value)
            if layout.aggregate:
                message.priority = mask.bit_count() + 1  # the more fields, the more particular; all that match agree
            if entry.action:
                action = layout.actions[entry.action]
                message.action.action.action_id = action.id
                for param, value in zip(action.params, values[len(fields) :], strict=False):
                    message.action.action.params.add(param_id=param.id, value=value)
            message.idle_timeout_ns = entry.idle_timeout_ns
            if entry.metadata:
                message.metadata = values[-1]
            return update

        return UpdateTemplate(build, widths)


def _mapping_fields(end: str) -> tuple[str, ...]:
    return ("tenant_id", "protocol", f"{end}_addr", f"{end}_port")


def _match(message: p4r.TableEntry, layout: _Layout, name: str, value: bytes) -> None:
    match = message.match.add(field_id=layout.table.match_fields[name].id)
    if layout.aggregate and name in _FLOW_FIELDS[_ALWAYS:]:
        match.ternary.value, match.ternary.mask = value, b"\xff" * len(value)
    else:
        match.exact.value = value
