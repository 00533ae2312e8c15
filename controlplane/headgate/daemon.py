# SPDX-License-Identifier: Apache-2.0
"""The controller as a process: signals, the watch on the configuration file, and the port where metrics are read."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from headgate.config import Config, ConfigError, load_config
from headgate.controller import Controller
from headgate.device import Device
from headgate.handlers import handler_for
from headgate.metrics import Metrics

_LOG = logging.getLogger("headgate")

_LOOK_AT_FILE_EVERY_S = 1.0


async def run(
    device: Device, config: Config, *, config_path: Path | None = None, metrics_port: int | None = None
) -> None:
    """Serve a device until SIGTERM or SIGINT.

    Args:
        device: Not entered yet.
        config: What the device is brought to, now and after each time it went away.
        config_path: Where `config` was read from. It is read again on SIGHUP and when it changes; one that can't be
            used is logged, and the one before stays.
        metrics_port: The TCP port where Prometheus finds the metrics, on every local address.

    Raises:
        DeviceUnreachable: The device could not be reached in the first place.
        NotPrimary: Another controller is, or has become, the device's primary.
        DeviceRefused: The device refused a whole request.
        OSError: `metrics_port` is taken.
    """
    metrics = Metrics(device.address)
    controller = Controller(device, config, metrics, handler_for(device, config, metrics))
    stop = asyncio.Event()
    on_signal: dict[signal.Signals, Callable[[], None]] = {signal.SIGTERM: stop.set, signal.SIGINT: stop.set}
    tasks = [asyncio.create_task(stop.wait()), asyncio.create_task(controller.serve())]
    if config_path is not None:
        reread = _Reread(config_path, type(config), controller)
        on_signal[signal.SIGHUP] = reread.now
        tasks.append(asyncio.create_task(reread.on_change()))

    try:
        with _served(metrics.registry, metrics_port), _handled(on_signal):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()  # raises what ended it


class _Reread:
    """Gives a controller what stands in the configuration file."""

    def __init__(self, path: Path, model: type[Config], controller: Controller) -> None:
        self._path = path
        self._model = model
        self._controller = controller
        self._seen = self._identity()

    def now(self) -> None:
        """Read the file again."""
        self._seen = self._identity()
        try:
            config = load_config(self._path, self._model)
        except ConfigError as error:
            _LOG.error("configuration not changed: path=%s reason=%s", self._path, error)
            return
        _LOG.info("configuration read: path=%s", self._path)
        self._controller.reconfigure(config)

    async def on_change(self) -> None:
        """Read the file again whenever it is another than it was. A file that is gone is not: editors do that."""
        while True:
            await asyncio.sleep(_LOOK_AT_FILE_EVERY_S)
            if self._identity() not in (None, self._seen):
                self.now()

    def _identity(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size


@contextmanager
def _served(registry: CollectorRegistry, port: int | None) -> Iterator[None]:
    """Serve metrics by HTTP. Raises: OSError."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, registry=registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Handle signals in the running event loop."""
    loop = asyncio.get_running_loop()
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
