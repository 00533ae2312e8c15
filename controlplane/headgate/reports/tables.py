# SPDX-License-Identifier: Apache-2.0
"""What is in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from finsy import P4Schema, P4TableEntry

from headgate.describe import Description, Value, describe
from headgate.device import DeviceView
from headgate.reports.accounting import Count
from headgate.systems import LEARNED


@dataclass(frozen=True, slots=True)
class Entry:
    key: Mapping[str, int | str]
    action: str
    args: Mapping[str, Value]
    count: Count | None
    """None in a table that does not count."""
    learned: bool
    priority: int
    """The largest is asked first; 0 in a table where no two entries can match."""

    @property
    def description(self) -> Description:
        return Description("", self.key, self.action, self.args)


@dataclass(frozen=True, slots=True)
class Listing:
    """A table's entries, ordered by their keys, in the order in which they are asked; a default action that was set
    comes last."""

    table: str
    entries: tuple[Entry, ...]


async def listing_of(device: DeviceView, table: str) -> Listing:
    """Read a table.

    Args:
        table: its name in P4Info, or as much of its end as is unambiguous.

    Raises: ValueError (no such table), DeviceUnreachable, DeviceRefused, PipelineMismatch.
    """
    name = device.schema.tables[table].alias
    entries = [entry_of(entry, device.schema) for entry in await device.entries(name)]
    return Listing(name, tuple(sorted(entries, key=_order)))


def entry_of(entry: P4TableEntry, schema: P4Schema) -> Entry:
    """An entry, as read, in words."""
    described = describe(entry, schema)
    data = entry.counter_data
    count = Count(data.packet_count, data.byte_count) if data is not None else None
    return Entry(
        described.key, described.action, described.args, count, entry.metadata.startswith(LEARNED), entry.priority
    )


def _order(entry: Entry) -> tuple:
    """By the first field, which says whose the entry is, then by priority, then by the others."""
    first, *others = map(_comparable, entry.key.values()) if entry.key else [()]
    return not entry.key, first, -entry.priority, others


def _comparable(value: int | str) -> tuple[bool, int, str]:
    """Numbers by value, before texts."""
    return isinstance(value, str), 0 if isinstance(value, str) else value, str(value)
