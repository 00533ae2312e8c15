# SPDX-License-Identifier: Apache-2.0
"""What the configuration of a gateway asks of a device."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.gateway import GatewayConfig
from headgate.systems.entity import Entity
from headgate.systems.gateway import (
    central_routing,
    distributed_routing,
    firewall,
    interfaces,
    learning,
    nat,
    next_hops,
    tenants,
    tunnels,
)
from headgate.systems.gateway.ids import Ids

SYSTEMS = (
    interfaces,
    tunnels,
    next_hops,
    tenants,
    distributed_routing,
    central_routing,
    nat,
    firewall,
    learning,
)


RECORDED_TABLES = frozenset(
    {
        "cache_ipv4",
        "cache_ipv6",
        "cache_aggregate_ipv4",
        "cache_aggregate_ipv6",
        "firewall_session_ipv4",
        "firewall_session_ipv6",
    }
)
"""Tables that no configuration decides on: what is recorded of flows."""


def desired(config: GatewayConfig) -> Iterator[Entity]:
    """Every entity but those that all programs have."""
    ids = Ids.of(config)
    for system in SYSTEMS:
        yield from system.desired(config, ids)


__all__ = ["RECORDED_TABLES", "SYSTEMS", "Ids", "desired"]
