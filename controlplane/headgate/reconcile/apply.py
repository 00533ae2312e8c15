# SPDX-License-Identifier: Apache-2.0
"""Bring a device to what a configuration asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headgate.config import NicConfig
from headgate.device import Device, DeviceView, Pipeline, UpdateFailure
from headgate.reconcile.plan import Plan, plan
from headgate.systems import Entity, desired, may_be_learned


@dataclass(frozen=True, slots=True)
class Result:
    """What was to be done, and what of it the device refused."""

    plan: Plan
    failures: tuple[UpdateFailure, ...]


async def plan_for(device: DeviceView, config: NicConfig) -> Plan:
    """What `apply` would do now; for a device without our program, once it has it.

    Raises: DeviceUnreachable, DeviceRefused.
    """
    runs_it = await device.pipeline() is Pipeline.MATCHES
    actual = await device.read() if runs_it else []

    def learned(entity: Entity) -> bool:
        return may_be_learned(config, entity)

    return plan(actual, desired(config), device.schema, keep=learned)


async def apply(device: Device, config: NicConfig, on_progress: Callable[[int, int], None] | None = None) -> Result:
    """Write what differs. What the device refuses is reported, and the rest is applied all the same.

    Args:
        on_progress: told how many of how many updates are done.

    Raises: DeviceUnreachable, NotPrimary, DeviceRefused (to be read).
    """
    changes = await plan_for(device, config)
    done, total = 0, len(changes.changes)

    def written(count: int) -> None:
        nonlocal done
        done += count
        if on_progress is not None:
            on_progress(done, total)

    failures: list[UpdateFailure] = []
    for stage in changes.stages:
        failures += await device.write([change.update for change in stage], written)
    return Result(changes, tuple(failures))
