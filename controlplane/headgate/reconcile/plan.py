# SPDX-License-Identifier: Apache-2.0
"""What a device holds against what it has to hold: the updates that make the difference, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from itertools import chain, groupby

from finsy import P4Schema
from finsy.proto import p4r

from headgate.reconcile.canonical import Key, canonical, key_of, same
from headgate.reconcile.handover import handed_over, wire_of
from headgate.reconcile.order import Stage, stage_of
from headgate.systems import Entity


@dataclass(frozen=True, slots=True)
class Change:
    """One update. `before` is what a MODIFY replaces."""

    update: p4r.Update
    before: p4r.Entity | None = None

    @property
    def entity(self) -> p4r.Entity:
        return self.update.entity


@dataclass(frozen=True, slots=True)
class Plan:
    """The changes, in stages: one is to be done before the next begins, and in one none depends on another (see
    `headgate.reconcile.order`)."""

    stages: tuple[tuple[Change, ...], ...]
    unchanged: int
    """Entities that are there already, as they should be."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of them, in order."""
        return tuple(chain.from_iterable(self.stages))

    @property
    def inserts(self) -> tuple[Change, ...]:
        return self._of_type(p4r.Update.INSERT)

    @property
    def modifies(self) -> tuple[Change, ...]:
        return self._of_type(p4r.Update.MODIFY)

    @property
    def deletes(self) -> tuple[Change, ...]:
        return self._of_type(p4r.Update.DELETE)

    def _of_type(self, update_type: p4r.Update.Type.ValueType) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.update.type == update_type)


def plan(
    actual: Iterable[Entity],
    desired: Iterable[Entity],
    schema: P4Schema,
    keep: Callable[[Entity], bool] = lambda _: False,
) -> Plan:
    """The plan that turns what a device holds into what is desired.

    Args:
        actual: what was read from the device.
        desired: what it has to hold; of those with the same key, the last counts.
        schema: of the program that names both.
        keep: says of something that nobody desires whether to leave it there.
    """
    held = {key_of(message): (message, entity) for entity in actual for message in [canonical(entity, schema)]}
    wanted = {key_of(message): (message, entity) for entity in desired for message in [canonical(entity, schema)]}
    wires = handed_over((entity for _, entity in held.values()), (entity for _, entity in wanted.values()))
    moving = {key for key, (_, entity) in chain(held.items(), wanted.items()) if wire_of(entity) in wires}

    changes: list[Change] = []
    unchanged = 0
    for key, (message, _) in wanted.items():
        before = held[key][0] if key in held else None
        if before is not None and key in moving:
            changes.append(Change(p4r.Update(type=p4r.Update.DELETE, entity=before)))
            changes.append(Change(p4r.Update(type=p4r.Update.INSERT, entity=message)))
        elif before is not None and same(before, message):
            unchanged += 1
        elif before is not None or _always_there(key):
            changes.append(Change(p4r.Update(type=p4r.Update.MODIFY, entity=message), before))
        else:
            changes.append(Change(p4r.Update(type=p4r.Update.INSERT, entity=message)))

    changes += [
        Change(p4r.Update(type=p4r.Update.DELETE, entity=message))
        for key, (message, entity) in held.items()
        if key not in wanted and not _always_there(key) and not keep(entity)
    ]
    return Plan(_stages(changes, moving, schema), unchanged)


def _always_there(key: Key) -> bool:
    """Default actions and meters can neither be inserted nor deleted (P4Runtime 9.1.3, 9.4)."""
    return key[0] == "meter" or (key[0] == "table" and key[2] is True)


def _stages(changes: Iterable[Change], moving: Set[Key], schema: P4Schema) -> tuple[tuple[Change, ...], ...]:
    def stage(change: Change) -> Stage:
        name = name_of(change.entity, schema)
        return stage_of(change.update.type, name, handed_over=key_of(change.entity) in moving)

    return tuple(tuple(group) for _, group in groupby(sorted(changes, key=stage), key=stage))


def name_of(entity: p4r.Entity, schema: P4Schema) -> str:
    """The table or meter that an entity belongs to; of replication entries, their kind."""
    match entity.WhichOneof("entity"):
        case "table_entry":
            return schema.tables[entity.table_entry.table_id].alias
        case "meter_entry":
            return schema.meters[entity.meter_entry.meter_id].alias
        case _:
            return str(key_of(entity)[0])
