# SPDX-License-Identifier: Apache-2.0
"""What a program puts into its tables itself, in the terms of the seam (`softnic.engine`)."""

from __future__ import annotations

from softnic import ir
from softnic.engine import ActionCall, Exact, KeyMatch, Lpm, Range, TableEntry, Ternary


def program_default(table: ir.Table) -> ActionCall | None:
    """The default action that the program gives the table."""
    return None if table.default is None else _as_action(table.default)


def program_entries(table: ir.Table) -> list[TableEntry]:
    """The entries that the program gives the table, in the order they are written."""
    return [
        TableEntry(tuple(_as_match(part) for part in entry.key), _as_action(entry.call), entry.priority)
        for entry in table.entries
    ]


def _as_action(call: ir.ActionArgs) -> ActionCall:
    return ActionCall(call.action.action.name, call.args)


def _as_match(part: ir.ExactKey | ir.LpmKey | ir.TernaryKey | ir.RangeKey) -> KeyMatch:
    match part:
        case ir.ExactKey(value=value):
            return Exact(value)
        case ir.LpmKey(value=value, prefix_len=length):
            return Lpm(value, length)
        case ir.TernaryKey(value=value, mask=mask):
            return Ternary(value, mask)
        case ir.RangeKey(low=low, high=high):
            return Range(low, high)
