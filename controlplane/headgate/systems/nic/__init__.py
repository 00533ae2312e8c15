# SPDX-License-Identifier: Apache-2.0
"""What the configuration of a NIC asks of a device."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.nic import NicConfig
from headgate.systems.entity import Entity
from headgate.systems.nic import ports, receive_rings, routing, vlans, vnic
from headgate.systems.nic.routing import may_be_learned, neighbor_entry

SYSTEMS = (ports, vlans, vnic, receive_rings, routing)


def desired(config: NicConfig) -> Iterator[Entity]:
    """Every entity but those that all programs have."""
    for system in SYSTEMS:
        yield from system.desired(config)


__all__ = ["SYSTEMS", "desired", "may_be_learned", "neighbor_entry"]
