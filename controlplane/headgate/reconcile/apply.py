# SPDX-License-Identifier: Apache-2.0
"""Bring a device to what a configuration asks for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

from finsy import P4MeterEntry, P4Schema

from headgate.config import Config, NicConfig
from headgate.device import Device, DeviceView, Pipeline, UpdateFailure
from headgate.reconcile.gateway import GatewayTransition
from headgate.reconcile.nic import NicTransition
from headgate.reconcile.plan import Plan, plan
from headgate.reconcile.transition import Transition
from headgate.systems import Entity, desired
from headgate.systems.nic import may_be_learned


@dataclass(frozen=True, slots=True)
class Result:
    """What was to be done, and what of it the device refused."""

    plan: Plan
    failures: tuple[UpdateFailure, ...]


def transition_to(config: Config) -> Transition:
    """The rules of the configuration's program, on the way there."""
    if isinstance(config, NicConfig):
        return NicTransition(partial(may_be_learned, config))
    return GatewayTransition(config, first_epoch=int(time.time()))


def initial_plan(config: Config, schema: P4Schema) -> Plan:
    """What brings a device that holds nothing to a configuration; the same each time."""
    transition = NicTransition() if isinstance(config, NicConfig) else GatewayTransition(config)
    return plan((), desired(config), schema, transition)


async def plan_for(device: DeviceView, config: Config) -> Plan:
    """What `apply` would do now; for a device without our program, once it has it.

    Raises: DeviceUnreachable, DeviceRefused.
    """
    wanted, transition = desired(config), transition_to(config)
    actual: Iterable[Entity] = ()
    if await device.pipeline() is Pipeline.MATCHES:
        meters = [entity for entity in wanted if isinstance(entity, P4MeterEntry)]
        actual = await device.read(meters, without=transition.unread)
    return plan(actual, wanted, device.schema, transition)


async def apply(
    device: Device,
    config: Config,
    on_progress: Callable[[int, int], None] | None = None,
    before_commit: Callable[[Plan], Awaitable[None]] | None = None,
) -> Result:
    """Write what differs. What the device refuses is reported, and the rest is applied all the same.

    Args:
        on_progress: told how many of how many updates are done.
        before_commit: what is to be done when all is in its place, and packets are not yet treated in the new way.

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
    for index, stage in enumerate(changes.stages):
        if index == changes.commit and before_commit is not None:
            await before_commit(changes)
        failures += await device.write([change.update for change in stage], written)
    return Result(changes, tuple(failures))
