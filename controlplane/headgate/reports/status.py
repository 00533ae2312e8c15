# SPDX-License-Identifier: Apache-2.0
"""How a device is: what it runs, who controls it, how full its tables are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
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
    entities = await device.read() if pipeline is Pipeline.MATCHES else []
    return Status(
        address=device.address,
        device_id=device.device_id,
        p4runtime=str(device.schema.p4runtime_version),
        program=device.program,
        pipeline=pipeline,
        primary=await device.primary(),
        tables=use_of(entities, device.schema) if pipeline is Pipeline.MATCHES else (),
    )


def use_of(entities: Iterable[Entity], schema: P4Schema) -> tuple[TableUse, ...]:
    """How many of `entities` go into each table that can be written, in the program's order."""
    held = Counter(
        entity.table_id for entity in entities if isinstance(entity, P4TableEntry) and not entity.is_default_action
    )
    return tuple(
        TableUse(table.alias, held[table.alias], table.size)
        for table in schema.tables
        if table.match_fields and not table.is_const
    )
