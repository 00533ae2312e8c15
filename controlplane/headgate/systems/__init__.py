# SPDX-License-Identifier: Apache-2.0
"""What a configuration asks of a device, system by system: pure functions from configuration to P4Runtime entities."""

from __future__ import annotations

from headgate.config import Config, NicConfig
from headgate.systems import gateway, nic, punt
from headgate.systems.entity import LEARNED, Entity


def desired(config: Config) -> list[Entity]:
    """Every entity a device has to hold for `config`, in no particular order; no key is there twice."""
    own = nic.desired(config) if isinstance(config, NicConfig) else gateway.desired(config)
    return [*punt.desired(config.punt_limits), *own]


__all__ = ["LEARNED", "Entity", "desired"]
