# SPDX-License-Identifier: Apache-2.0
"""What a device holds against what it has to hold: the updates that make the difference, and no others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain, groupby
from operator import itemgetter

from finsy import P4Schema
from finsy.proto import p4r

from headgate.reconcile.canonical import Key, canonical, key_of, same
from headgate.reconcile.transition import Difference, Transition
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
    the `order` of the program in `headgate.reconcile`)."""

    stages: tuple[tuple[Change, ...], ...]
    unchanged: int
    """Entities that are there already, as they should be."""
    commit: int | None = None
    """The first stage from which on packets are treated in the new way, where one is."""

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


@dataclass(frozen=True, slots=True)
class _Item:
    """An entity, and what is compared of it."""

    entity: Entity
    message: p4r.Entity


def plan(actual: Iterable[Entity], desired: Iterable[Entity], schema: P4Schema, transition: Transition) -> Plan:
    """The plan that turns what a device holds into what is desired.

    Args:
        actual: what was read from the device.
        desired: what it has to hold; of those with the same key, the last counts.
        schema: of the program that names both.
        transition: the program's rules.
    """
    held_entities = list(actual)
    wanted_entities = transition.settled(list(desired), held_entities)
    held, wanted = _by_key(held_entities, schema), _by_key(wanted_entities, schema)
    kept = transition.keeper(wanted_entities, held_entities)
    moving = transition.handover(wanted_entities, held_entities)

    differing: dict[Key, Difference] = {}
    for key in held | wanted:
        before, after = held.get(key), wanted.get(key)
        if before is not None and kept(before.entity, after.entity if after is not None else None):
            continue
        if after is None and _always_there(key):
            continue
        if (
            before is not None
            and after is not None
            and not moving(after.entity)
            and same(before.message, after.message)
        ):
            continue
        differing[key] = Difference(before.entity if before else None, after.entity if after else None)

    announced = _by_key(transition.announces(differing.values(), held_entities), schema)
    committed = _by_key(transition.commits(differing.values(), wanted_entities), schema)
    for key, item in committed.items():
        if key in held:  # else it is new, and written anyway
            differing[key] = Difference(held[key].entity, item.entity)
            wanted[key] = item

    steps = [
        (transition.first_stage, Change(p4r.Update(type=p4r.Update.MODIFY, entity=item.message), held[key].message))
        for key, item in announced.items()
        if key in committed
    ]
    for key in differing:
        changes_hands = any(moving(side[key].entity) for side in (held, wanted) if key in side)
        for change in _changes(key, held.get(key), wanted.get(key), changes_hands):
            name = name_of(change.entity, schema)
            steps.append((transition.stage_of(change.update.type, name, handed_over=changes_hands), change))
    steps.sort(key=itemgetter(0))
    stages = [(stage, tuple(change for _, change in group)) for stage, group in groupby(steps, key=itemgetter(0))]
    commit = next((index for index, (stage, _) in enumerate(stages) if transition.is_commit(stage)), None)
    return Plan(tuple(changes for _, changes in stages), len(wanted.keys() - differing.keys()), commit)


def _by_key(entities: Iterable[Entity], schema: P4Schema) -> dict[Key, _Item]:
    items = (_Item(entity, canonical(entity, schema)) for entity in entities)
    return {key_of(item.message): item for item in items}


def _changes(key: Key, before: _Item | None, after: _Item | None, changes_hands: bool) -> Iterable[Change]:
    if before is not None and after is not None and not changes_hands:
        yield Change(p4r.Update(type=p4r.Update.MODIFY, entity=after.message), before.message)
    elif after is not None and _always_there(key):
        yield Change(p4r.Update(type=p4r.Update.MODIFY, entity=after.message))
    else:
        if before is not None:
            yield Change(p4r.Update(type=p4r.Update.DELETE, entity=before.message))
        if after is not None:
            yield Change(p4r.Update(type=p4r.Update.INSERT, entity=after.message))


def _always_there(key: Key) -> bool:
    """Default actions and meters can neither be inserted nor deleted (P4Runtime 9.1.3, 9.4)."""
    return key[0] == "meter" or (key[0] == "table" and key[2] is True)


def name_of(entity: p4r.Entity, schema: P4Schema) -> str:
    """The table, meter or digest that an entity belongs to; of replication entries, their kind."""
    match entity.WhichOneof("entity"):
        case "table_entry":
            return schema.tables[entity.table_entry.table_id].alias
        case "meter_entry":
            return schema.meters[entity.meter_entry.meter_id].alias
        case "digest_entry":
            return schema.digests[entity.digest_entry.digest_id].alias
        case _:
            return str(key_of(entity)[0])
