# SPDX-License-Identifier: Apache-2.0
"""How a device is: what it runs, who controls it, how full its tables are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from finsy import P4Schema, P4TableEntry

from headgate.device import DeviceView, Pipeline
from headgate.systems import Entity


@dataclass(frozen=True, slots=True)
class TableUse:
    table: str
    entries: int
    size: int
    """What the program promises room for."""


@dataclass(frozen=True, slots=True)
class Status:
    address: str
    device_id: int
    p4runtime: str
    """The version of the protocol the device says it speaks."""
    program: str
    pipeline: Pipeline
    primary: int | None
    """Election id of the controller in charge, if there is one."""
    tables: tuple[TableUse, ...]
    """Empty if the device does not run the program."""


async def status_of(device: DeviceView) -> Status:
    """Ask the device. Raises: DeviceUnreachable, DeviceRefused."""
    pipeline = await device.pipeline()
    return Status(
        address=device.address,
        device_id=device.device_id,
        p4runtime=str(device.schema.p4runtime_version),
        program=device.program,
        pipeline=pipeline,
        primary=await device.primary(),
        tables=use_of(await _count(device), device.schema) if pipeline is Pipeline.MATCHES else (),
    )


async def _count(device: DeviceView) -> dict[str, int]:
    """The entries of each table, counted as they arrive: the flow cache may have very many."""
    held: dict[str, int] = {}
    for table in device.schema.tables:
        if table.match_fields and not table.is_const:
            held[table.alias] = 0
            async for entry in device.raw_entries(table.alias):
                held[table.alias] += not entry.is_default_action
    return held


def count_by_table(entities: Iterable[Entity]) -> Mapping[str, int]:
    """How many of `entities` go into each table."""
    return Counter(
        entity.table_id for entity in entities if isinstance(entity, P4TableEntry) and not entity.is_default_action
    )


def use_of(held: Mapping[str, int], schema: P4Schema) -> tuple[TableUse, ...]:
    """How many entries are held in each table that can be written, in the program's order."""
    return tuple(
        TableUse(table.alias, held.get(table.alias, 0), table.size)
        for table in schema.tables
        if table.match_fields and not table.is_const
    )
