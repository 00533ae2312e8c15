# SPDX-License-Identifier: Apache-2.0
"""A device for plans: all it does is hold what it is told to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finsy import P4Schema
from finsy.p4entity import decode_entity
from finsy.proto import p4r

from headgate.config import Config, parse_config
from headgate.device import program
from headgate.reconcile import Plan, plan, transition_to
from headgate.reconcile.canonical import Key, canonical, key_of
from headgate.systems import Entity, desired

NIC = program("nic")
GATEWAY = program("gateway")


class ModelDevice:
    """Holds entities, and refuses what P4Runtime says a device refuses (9.1)."""

    def __init__(self, entities: Iterable[Entity], schema: P4Schema = NIC) -> None:
        self.schema = schema
        self.held: dict[Key, p4r.Entity] = {}
        self._entities: dict[Key, Entity] = {}
        for entity in entities:
            self._put(canonical(entity, schema))

    def _put(self, message: p4r.Entity) -> None:
        key = key_of(message)
        self.held[key] = message
        self._entities[key] = decode_entity(message, self.schema)

    def carry_out(self, update: p4r.Update) -> None:
        key = key_of(update.entity)
        always_there = update.entity.HasField("meter_entry") or update.entity.table_entry.is_default_action
        match update.type:
            case p4r.Update.INSERT:
                assert key not in self.held, f"ALREADY_EXISTS {key}"
                assert not always_there, f"INVALID_ARGUMENT {key}"
                self._put(update.entity)
            case p4r.Update.MODIFY:
                assert key in self.held or always_there, f"NOT_FOUND {key}"
                self._put(update.entity)
            case p4r.Update.DELETE:
                assert not always_there, f"INVALID_ARGUMENT {key}"
                del self.held[key], self._entities[key]

    def read(self) -> list[Entity]:
        return list(self._entities.values())

    def plan_for(self, config: Config) -> Plan:
        return plan(self.read(), desired(config), self.schema, transition_to(config))

    def apply(self, config: Config) -> Plan:
        """Carries out the plan, and returns it."""
        changes = self.plan_for(config)
        for change in changes.changes:
            self.carry_out(change.update)
        return changes


def planned(before: dict[str, Any], after: dict[str, Any]) -> tuple[ModelDevice, Plan]:
    """A device configured as `before`, and what brings it to `after`."""
    config = parse_config(after)
    device = ModelDevice(desired(parse_config(before)), program(config.program))
    return device, device.plan_for(config)
