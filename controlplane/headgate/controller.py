# SPDX-License-Identifier: Apache-2.0
"""One device, kept as its configuration says, and served by the handler of its program.

The device is configured by the task that serves it: the handler is at rest while the device is between two
configurations.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from headgate.config import Config
from headgate.device import Device, DeviceError, DeviceUnreachable, NotPrimary
from headgate.handlers import Handler
from headgate.handlers.refusals import report
from headgate.metrics import Metrics
from headgate.names import Names
from headgate.reconcile import apply
from headgate.vocabulary import DropReason

_LOG = logging.getLogger("headgate")

_RECONNECT_FIRST_S = 0.5
_RECONNECT_MOST_S = 15.0
_READ_COUNTERS_EVERY_S = 5.0


class Controller:
    """Serves one device.

    Args:
        device: Not entered yet: `serve` does, again after each time it went away.
        config: What the device is brought to each time.
        metrics: Where to count.
        handler: Of the configuration's program, for this device.
    """

    def __init__(self, device: Device, config: Config, metrics: Metrics, handler: Handler) -> None:
        self._device = device
        self._config = config
        self._metrics = metrics
        self._handler = handler
        self._reconfigured = asyncio.Event()

    def reconfigure(self, config: Config) -> None:
        """Bring the device to another configuration of its program as soon as there is time."""
        self._config = config
        self._reconfigured.set()

    async def serve(self) -> None:
        """Serve the device until cancelled.

        Raises:
            DeviceUnreachable: It could not be reached in the first place. Once it was, it is waited for.
            NotPrimary: Another controller is, or has become, its primary.
            DeviceRefused: It refused a whole request.
        """
        await self._session()
        pause_s = _RECONNECT_FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self._session()
                pause_s = _RECONNECT_FIRST_S
            except (DeviceUnreachable, NotPrimary) as error:  # it may think for a while that our old session goes on
                _LOG.info("still away: device=%s reason=%s", self._device.address, error)
                pause_s = min(2 * pause_s, _RECONNECT_MOST_S)

    async def _session(self) -> None:
        """From one connection to its end. Raises: DeviceUnreachable (never connected), NotPrimary, DeviceRefused."""
        async with self._device:
            self._metrics.connected(True)
            reading = asyncio.create_task(self._read_counters())
            try:
                while True:
                    await self._configure()
                    await self._handler.serve(self._reconfigured)
            except DeviceUnreachable as error:
                _LOG.warning("device went away: device=%s reason=%s", self._device.address, error)
            finally:
                self._metrics.connected(False)
                reading.cancel()
                await asyncio.wait([reading])

    async def _configure(self) -> None:
        self._reconfigured.clear()
        config = self._config
        result = await apply(self._device, config, before_commit=lambda plan: self._handler.before_commit(config, plan))
        plan = result.plan
        _LOG.info(
            "configured: device=%s inserted=%d modified=%d deleted=%d unchanged=%d refused=%d",
            self._device.address,
            len(plan.inserts),
            len(plan.modifies),
            len(plan.deletes),
            plan.unchanged,
            len(result.failures),
        )
        report(self._device, Names.of(config), self._metrics, result.failures)
        await self._handler.configured(config, result)

    async def _read_counters(self) -> None:
        while True:
            with suppress(DeviceError):  # seen and told by who handles events
                rows = await self._device.counter("drop_reason")
                self._metrics.read(
                    drops={
                        reason: rows[reason].packet_count
                        for reason in DropReason
                        if reason in rows and reason is not DropReason.NONE
                    },
                    packet_ins_lost=self._device.packets_lost,
                )
            await asyncio.sleep(_READ_COUNTERS_EVERY_S)
