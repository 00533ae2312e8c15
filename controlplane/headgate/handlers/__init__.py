# SPDX-License-Identifier: Apache-2.0
"""What the running controller does about packets that tables alone can't deal with."""

from __future__ import annotations

from headgate.config import Config, NicConfig
from headgate.device import Device
from headgate.handlers.gateway.handler import GatewayHandler
from headgate.handlers.handler import Handler
from headgate.handlers.nic import NicHandler
from headgate.metrics import Metrics


def handler_for(device: Device, config: Config, metrics: Metrics) -> Handler:
    """The handler of the configuration's program."""
    return NicHandler(device, metrics) if isinstance(config, NicConfig) else GatewayHandler(device, config, metrics)


__all__ = ["GatewayHandler", "Handler", "NicHandler", "handler_for"]
