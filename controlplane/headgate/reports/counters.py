# SPDX-License-Identifier: Apache-2.0
"""Who got how much: of a NIC per port, MAC address and ring; of a gateway per interface, tenant and rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headgate.describe import Description
from headgate.device import DeviceView
from headgate.reports.accounting import Count
from headgate.reports.tables import listing_of

COUNTED = {
    "nic": {
        "port": "received on each port",
        "transmit_mac": "sent by each VNIC, by source MAC",
        "l2_classify": "for each VNIC, by destination MAC",
        "ring_group": "for each ring group",
        "ring": "put on each ring",
    },
    "gateway": {"interface": "received on each interface"},
}
"""By program: tables whose entries count what people ask for, with what they count."""

TENANT_TRAFFIC = "tenant_traffic"
RULE_HITS = "firewall_rule_hits"
INDEXED = {TENANT_TRAFFIC: "of each tenant, by where it came in", RULE_HITS: "by the rule that decided"}
"""Counters of a gateway that cached packets are credited to as well."""


@dataclass(frozen=True, slots=True)
class Counted:
    key: Mapping[str, int | str]
    count: Count

    @property
    def description(self) -> Description:
        return Description("", self.key, "", {})


@dataclass(frozen=True, slots=True)
class Counters:
    tables: Mapping[str, tuple[Counted, ...]]
    """By table or counter; see `COUNTED` and `INDEXED`."""


async def counters_of(device: DeviceView) -> Counters:
    """Read them all. Raises: DeviceUnreachable, DeviceRefused, PipelineMismatch."""
    tables: dict[str, tuple[Counted, ...]] = {}
    for table in COUNTED[device.program]:
        listing = await listing_of(device, table)
        tables[table] = tuple(Counted(entry.key, entry.count or Count(0, 0)) for entry in listing.entries)
    if device.program == "gateway":
        tables[TENANT_TRAFFIC] = await _rows(device, TENANT_TRAFFIC, await _directions(device))
        tables[RULE_HITS] = await _rows(device, RULE_HITS, await _rules(device))
    return Counters(tables)


async def _rows(device: DeviceView, counter: str, rows: Mapping[int, Mapping[str, int | str]]) -> tuple[Counted, ...]:
    if not rows:
        return ()
    found = await device.counter(counter, *rows)
    return tuple(Counted(key, Count(found[row].packet_count, found[row].byte_count)) for row, key in rows.items())


async def _directions(device: DeviceView) -> dict[int, Mapping[str, int | str]]:
    tenants = sorted(entry["tenant_id"] for entry in await device.entries("tenant"))
    ways = ((0, "inside"), (1, "outside"))
    return {2 * tenant_id + way: {"tenant_id": tenant_id, "from": name} for tenant_id in tenants for way, name in ways}


async def _rules(device: DeviceView) -> dict[int, Mapping[str, int | str]]:
    rows: dict[int, Mapping[str, int | str]] = {}
    for table in ("firewall_rule_ipv4", "firewall_rule_ipv6"):
        for entry in (await listing_of(device, table)).entries:
            rule_id = entry.args["rule_id"]
            if isinstance(rule_id, int):
                rows[rule_id] = {"tenant_id": entry.key["tenant_id"], "rule_id": rule_id}
    return rows
