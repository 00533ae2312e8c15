# SPDX-License-Identifier: Apache-2.0
"""Commands that look at a device: its state, its tables, its counters, what it dropped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from headgate.cli.console import BAD_INPUT, exit_codes, fail, out, print_json, print_table
from headgate.cli.options import Address, DeviceId, Json, NamesFrom
from headgate.config import load_config
from headgate.config.problems import did_you_mean
from headgate.describe import action_text, key_text
from headgate.device import PROGRAMS, DeviceView, running_program
from headgate.names import Names
from headgate.reports import (
    Accounting,
    Count,
    Counters,
    Listing,
    Status,
    accounting_of,
    counters_of,
    listing_of,
    status_of,
)
from headgate.reports.counters import COUNTED, INDEXED

_NUMBERED_BY_HASH = ("next_hop", "ecmp", "underlay", "firewall_rule_hits")
"""The order of their numbers says nothing; that of their names does."""

_T = TypeVar("_T")


def status(device: Address, config: NamesFrom = None, device_id: DeviceId = 1, json: Json = False) -> None:
    """Say what a device runs, who controls it, and how full its tables are.

    \b
    headgate status --device localhost:9559
    """
    view, _ = _open(device, device_id, config)
    report = _report(view, status_of)
    print_json(report) if json else _print_status(report)


def show(
    table: Annotated[str, typer.Argument(help="A table's name, like l2_classify.")],
    device: Address,
    config: NamesFrom = None,
    device_id: DeviceId = 1,
    json: Json = False,
) -> None:
    """List the entries of a table, with their counters.

    \b
    headgate show l2_classify --device localhost:9559 -c configs/nic.yaml
    headgate show tenant_route_ipv4 --device localhost:9559 -c configs/gateway.yaml
    """
    view, names = _open(device, device_id, config)
    if view.schema.tables.get(table) is None:
        known = sorted(item.alias for item in view.schema.tables)
        fail(f"there is no table {table!r}: {did_you_mean(table, known)}", BAD_INPUT)
    report = _report(view, lambda opened: listing_of(opened, table))
    print_json(report) if json else _print_listing(report, names)


def counters(device: Address, config: NamesFrom = None, device_id: DeviceId = 1, json: Json = False) -> None:
    """Show who got and sent how much.

    Of a NIC: ports, MAC addresses, ring groups, rings. Of a gateway: interfaces, tenants, firewall rules.

    \b
    headgate counters --device localhost:9559 -c configs/nic.yaml
    """
    view, names = _open(device, device_id, config)
    report = _report(view, counters_of)
    print_json(report) if json else _print_counters(report, names, COUNTED[view.program] | INDEXED)


def drops(device: Address, config: NamesFrom = None, device_id: DeviceId = 1, json: Json = False) -> None:
    """Show what was dropped and why, and whether every packet is accounted for.

    \b
    headgate drops --device localhost:9559
    """
    view, _ = _open(device, device_id, config)
    report = _report(view, accounting_of)
    if json:
        print_json({"drops": report.drops, "outcomes": report.outcomes, "copies": report.copies, "holds": report.holds})
    else:
        _print_drops(report)


def _open(device: str, device_id: int, config: Path | None) -> tuple[DeviceView, Names]:
    """A view of the device by the program and the names that a configuration gives; without one, by the program that it
    runs."""
    with exit_codes():
        if config is None:
            program = asyncio.run(running_program(device, device_id))
            return DeviceView(device, device_id=device_id, program=program or PROGRAMS[0]), Names()
        given = load_config(config)
    return DeviceView(device, device_id=device_id, program=given.program), Names.of(given)


def _report(view: DeviceView, read: Callable[[DeviceView], Awaitable[_T]]) -> _T:
    async def opened() -> _T:
        async with view:
            return await read(view)

    with exit_codes():
        return asyncio.run(opened())


def _print_status(report: Status) -> None:
    primary = f"election id {report.primary}" if report.primary is not None else "nobody"
    rows = [
        ["device", f"{report.address}, id {report.device_id}, P4Runtime {report.p4runtime}"],
        ["program", f"{report.program}: {report.pipeline.value}"],
        ["controlled by", primary],
    ]
    for name, value in rows:
        out.print(f"{name + ':':<15}{value}", markup=False)
    if report.tables:
        sizes = [[use.table, str(use.entries), str(use.size)] for use in report.tables]
        print_table("entries by table", ["table", "entries", "room for"], sizes, numeric=2)


def _print_listing(report: Listing, names: Names) -> None:
    rows = []
    for entry in report.entries:
        described = entry.description
        note = " (learned)" if entry.learned else ""
        rows.append([key_text(described, names), action_text(described, names) + note, *_count(entry.count)])
    if report.table in _NUMBERED_BY_HASH:
        rows.sort()
    print_table(report.table, ["key", "action", "packets", "bytes"], rows, numeric=2)


def _print_counters(report: Counters, names: Names, titles: Mapping[str, str]) -> None:
    for table, entries in report.tables.items():
        rows = [[key_text(entry.description, names), *_count(entry.count)] for entry in entries]
        if table in _NUMBERED_BY_HASH:
            rows.sort()
        print_table(f"{table}: {titles[table]}", ["key", "packets", "bytes"], rows, numeric=2)


def _print_drops(report: Accounting) -> None:
    if report.drops:
        print_table("drops", ["reason", "packets", "bytes"], _named(report.drops), numeric=2)
    else:
        out.print("no drops")
    if report.copies:
        print_table("copies", ["outcome", "packets", "bytes"], _named(report.copies), numeric=2)
    (_, received), *ends = ((name, count.packets) for name, count in report.outcomes.items())
    terms = " + ".join(f"{packets} {name.lower()}" for name, packets in ends)
    verdict = "[green]holds[/green]" if report.holds else f"[red]violated: {_imbalance(report)}[/red]"
    out.print(f"{received} received = {terms}: {verdict}")


def _imbalance(report: Accounting) -> str:
    parts = []
    if report.balance:
        parts.append(f"{report.balance} packets have no outcome")
    if report.drop_balance:
        parts.append(f"{report.drop_balance} drops have no reason")
    return ", ".join(parts)


def _named(counts: Mapping[str, Count]) -> list[list[str]]:
    return [[name, *_count(count)] for name, count in counts.items()]


def _count(count: Count | None) -> list[str]:
    return [str(count.packets), str(count.bytes)] if count is not None else ["", ""]
