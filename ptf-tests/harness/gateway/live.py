# SPDX-License-Identifier: Apache-2.0
"""The device with headgate itself in charge, as `headgate run` is: frames in and out, configurations and counters.

Nothing here waits for a clock: what a controller brings about is looked for until it is there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from finsy import P4TableEntry
from ptf.base_tests import BaseTest

from harness.controller import Loop
from harness.difference import difference
from harness.dut import DEADLINE_S, data_plane, leave_device
from harness.gateway import GATEWAY
from harness.observed import is_foreign
from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig
from headgate.controller import Controller
from headgate.device import Device, DeviceView
from headgate.handlers import GatewayHandler
from headgate.metrics import Metrics
from headgate.reconcile import apply
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CacheOutcome, DropReason

Config = Mapping[str, Any]

_LOOK_AGAIN_S = 0.01


class Live:
    """A device, and the controller that serves it while it is started."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._loop = Loop()
        self._view = DeviceView(address, program=GATEWAY.name)
        self._serving: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Before anything else: the device holds nothing then."""
        self._loop.run(self._open())

    async def _open(self) -> None:
        await self._view.__aenter__()
        async with Device(self._address, program=GATEWAY.name) as device:
            for step in difference(await device.read(), [], device.schema):
                failures = await device.write(step)
                assert not failures, failures[0]

    def close(self) -> None:
        self.stop()
        self._loop.run(self._view.__aexit__(None, None, None))
        self._loop.close()

    # ---- the controller

    def start(self, config: Config) -> None:
        """Returns once the controller has configured the device and serves it."""
        self._loop.run(self._start(_parsed(config)))
        self.until(lambda: self.handler.is_serving)

    async def _start(self, config: GatewayConfig) -> None:
        device, metrics = Device(self._address, program=GATEWAY.name), Metrics(self._address)
        self.handler = GatewayHandler(device, config, metrics)
        self._controller = Controller(device, config, metrics, self.handler)
        self._serving = asyncio.create_task(self._controller.serve())

    def reconfigure(self, config: Config) -> None:
        """Returns once the controller has brought the device to `config` and serves it again."""
        self._loop.run(self._reconfigure(_parsed(config)))
        self.until(lambda: self.handler.is_serving)

    async def _reconfigure(self, config: GatewayConfig) -> None:
        self.handler.is_serving = False  # until it serves again
        self._controller.reconfigure(config)

    def stop(self) -> None:
        """The controller goes; the device stays as it is."""
        if self._serving is not None:
            self._loop.run(self._stop(self._serving))
            self._serving = None

    async def _stop(self, serving: asyncio.Task[None]) -> None:
        serving.cancel()
        await asyncio.wait([serving])

    def apply(self, config: Config) -> None:
        """As `headgate apply`, which leaves again."""
        self._loop.run(self._apply(_parsed(config)))

    async def _apply(self, config: GatewayConfig) -> None:
        async with Device(self._address, program=GATEWAY.name) as device:
            result = await apply(device, config)
        assert not result.failures, result.failures[0]

    # ---- packets

    def send(self, port: int, *frames: bytes) -> None:
        for frame in frames:
            data_plane().send(0, port, frame)

    def take(self, port: int) -> bytes:
        """The next frame with a probe that comes out of `port`. Raises: AssertionError (none came)."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            arrival = data_plane().poll(device_number=0, port_number=port, timeout=deadline - time.monotonic())
            if arrival.port is not None and not is_foreign(arrival.packet):
                return bytes(arrival.packet)
        raise AssertionError(f"nothing came out of port {port} within {DEADLINE_S} s")

    # ---- what the device says

    def entries(self, table: str) -> list[P4TableEntry]:
        return self._loop.run(self._view.entries(table))

    def count(self, counter: str, row: int) -> int:
        return self._loop.run(self._view.counter(counter, row))[row].packet_count

    def drops(self, reason: DropReason) -> int:
        return self.count("drop_reason", reason)

    def outcomes(self, tenant_id: int, outcome: CacheOutcome) -> int:
        return self.count("cache_outcome", CACHE_OUTCOMES_PER_TENANT * tenant_id + outcome)

    def until(self, condition: Callable[[], bool]) -> None:
        """Looks until it holds. Raises: AssertionError (it did not, in time); what ended the controller."""
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if self._serving is not None and self._serving.done():
                self._serving.result()
            assert time.monotonic() < deadline, f"not within {DEADLINE_S} s"
            time.sleep(_LOOK_AGAIN_S)


def _parsed(config: Config) -> GatewayConfig:
    parsed = parse_config(dict(config))
    assert isinstance(parsed, GatewayConfig)
    return parsed


class LiveTest(BaseTest):
    """A test that begins with an empty device and nobody in charge of it."""

    live: Live

    def setUp(self) -> None:
        super().setUp()
        data_plane().flush()
        self.live = Live(leave_device(GATEWAY))
        self.live.open()

    def tearDown(self) -> None:
        self.live.close()
        super().tearDown()


def live_test(function: Callable[[Live], None]) -> type[LiveTest]:
    """Makes a PTF test of `function(live)`."""
    members = {
        "__module__": function.__module__,
        "__qualname__": function.__name__,
        "__doc__": function.__doc__,
        "runTest": lambda self: function(self.live),
    }
    return type(function.__name__, (LiveTest,), members)
