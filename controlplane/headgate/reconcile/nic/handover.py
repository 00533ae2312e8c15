# SPDX-License-Identifier: Apache-2.0
"""What changes hands between VNICs: taken from the one before the other gets it, so that neither ever sees the other's
frames.

A port is its owner's: of the VNIC that is admitted on it. Rings that lead to a port, and the owner's flooded copies, go
out there. Where an update in place would for a moment leave two VNICs on a port, the entries are deleted first and
inserted again once all else is in its place; until then the frames are dropped and counted. Rings of the host port are
no concern: there descriptors tell VNICs apart, and VNICs may share a ring.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from finsy import Action, P4TableEntry

from headgate.systems import Entity
from headgate.vocabulary import HOST_PORT

Wire = tuple[str, int]
"""A table and the number that is the key in it: ``("ring", 5)``."""


def handed_over(before: Iterable[Entity], after: Iterable[Entity]) -> frozenset[Wire]:
    """The entries of `port`, `ring` and `replica` that may not be changed in place."""
    old, new = _Wiring.of(before), _Wiring.of(after)
    ports = {port for port, vnic_id in old.owner.items() if new.owner.get(port, vnic_id) != vnic_id}
    rings = {
        ring_id for ring_id, port in old.port_of.items() if port in ports or new.port_of.get(ring_id, port) != port
    }
    return frozenset(
        [("port", port) for port in ports]
        + [("ring", ring_id) for ring_id in rings]
        + [("replica", old.owner[port]) for port in ports]
    )


def wire_of(entity: Entity) -> Wire | None:
    """Which of those an entity is, if it is in one of the three tables."""
    if isinstance(entity, P4TableEntry) and entity.table_id in _KEY_OF:
        return entity.table_id, entity[_KEY_OF[entity.table_id]]
    return None


_KEY_OF = {"port": "port", "ring": "ring_id", "replica": "vnic_id"}


@dataclass(frozen=True, slots=True)
class _Wiring:
    """Who is behind each port, and where each ring leads."""

    owner: dict[int, int] = field(default_factory=dict)
    port_of: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, entities: Iterable[Entity]) -> _Wiring:
        wiring = cls()
        for entity in entities:
            if isinstance(entity, P4TableEntry) and isinstance(entity.action, Action):
                args = entity.action.args
                if entity.table_id == "port" and "vnic_id" in args:
                    wiring.owner[entity["port"]] = int(args["vnic_id"])
                elif entity.table_id == "ring":
                    wiring.port_of[entity["ring_id"]] = int(args.get("port", HOST_PORT))
        return wiring
