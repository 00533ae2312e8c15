# SPDX-License-Identifier: Apache-2.0
"""Numbers that change hands: taken from the one before the other gets them.

A next hop, group or underlay next hop carries in TableEntry.metadata what it stands for. Where another thing has fallen
on its number (see `headgate.systems.gateway.ids`), changing the entry in place would for a moment send packets of one
tenant to another's host, and recorded results would go on doing so. So the entry is deleted first, and inserted again
when nothing leads to it any more on its former owner's behalf; until then such packets are dropped and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from finsy import P4TableEntry

from headgate.systems import LEARNED, Entity

_NUMBER_OF = {"next_hop": "next_hop_id", "ecmp": "group_id", "underlay": "underlay_id"}

_Numbered = tuple[str, int]


def changing_hands(wanted: Iterable[Entity], held: Iterable[Entity]) -> Callable[[Entity], bool]:
    """Says of an entity whether its number stands for something else afterwards."""
    before, after = _owners(held), _owners(wanted)
    moved = {number for number, owner in before.items() if after.get(number, owner) != owner}
    return lambda entity: _numbered(entity) in moved


def _owners(entities: Iterable[Entity]) -> dict[_Numbered, bytes]:
    """A next hop is the same one, whether its MAC address was learned or not."""
    return {
        number: entity.metadata.removeprefix(LEARNED + b" ")
        for entity in entities
        if (number := _numbered(entity)) is not None and isinstance(entity, P4TableEntry)
    }


def _numbered(entity: Entity) -> _Numbered | None:
    if isinstance(entity, P4TableEntry) and entity.table_id in _NUMBER_OF:
        return entity.table_id, entity[_NUMBER_OF[entity.table_id]]
    return None
