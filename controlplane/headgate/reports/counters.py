# SPDX-License-Identifier: Apache-2.0
"""Who got how much: per port, MAC address, ring group and ring."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.device import DeviceView
from headgate.reports.accounting import Count
from headgate.reports.tables import listing_of

COUNTED = {
    "port": "received on each port",
    "transmit_mac": "sent by each VNIC, by source MAC",
    "l2_classify": "for each VNIC, by destination MAC",
    "ring_group": "for each ring group",
    "ring": "put on each ring",
}
"""Tables whose entries count what people ask for, with what they count."""


@dataclass(frozen=True, slots=True)
class Counted:
    key: Mapping[str, int | str]
    count: Count


@dataclass(frozen=True, slots=True)
class Counters:
    tables: Mapping[str, tuple[Counted, ...]]
    """By table; see `COUNTED`."""


async def counters_of(device: DeviceView) -> Counters:
    """Read them all. Raises: DeviceUnreachable, DeviceRefused, PipelineMismatch."""
    tables = {}
    for table in COUNTED:
        listing = await listing_of(device, table)
        tables[table] = tuple(Counted(entry.key, entry.count or Count(0, 0)) for entry in listing.entries)
    return Counters(tables)
