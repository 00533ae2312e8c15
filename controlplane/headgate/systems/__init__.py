# SPDX-License-Identifier: Apache-2.0
"""What a configuration asks of a device, system by system: pure functions from configuration to P4Runtime entities."""

from __future__ import annotations

from finsy import P4CloneSessionEntry, P4MeterEntry, P4MulticastGroupEntry, P4TableEntry

from headgate.config import NicConfig
from headgate.systems import ports, punt, receive_rings, routing, vlans, vnic
from headgate.systems.routing import LEARNED, may_be_learned, neighbor_entry

Entity = P4TableEntry | P4MulticastGroupEntry | P4CloneSessionEntry | P4MeterEntry
"""What we write to a device and read back from it."""

SYSTEMS = (punt, ports, vlans, vnic, receive_rings, routing)


def desired(config: NicConfig) -> list[Entity]:
    """Every entity a device has to hold for `config`, in no particular order; no key is there twice."""
    return [entity for system in SYSTEMS for entity in system.desired(config)]


__all__ = ["LEARNED", "SYSTEMS", "Entity", "desired", "may_be_learned", "neighbor_entry"]
