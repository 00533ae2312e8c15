# SPDX-License-Identifier: Apache-2.0
"""The program `nic`: tests say what a device is to do by a configuration, and headgate makes entries of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from finsy import P4Schema

from harness.cases import tests_of
from harness.nic import sentinel
from harness.nic.ports import ALL
from harness.program import Program, Updates
from headgate.config import parse_config
from headgate.reconcile import NicTransition, plan
from headgate.systems import Entity, desired


def _entities(config: Mapping[str, Any]) -> list[Entity]:
    """Raises: ConfigError."""
    return [*desired(parse_config(dict(config))), *sentinel.entities()]


def _steps(actual: Sequence[Entity], wanted: Sequence[Entity], schema: P4Schema) -> Iterator[Updates]:
    """In headgate's own order, which some tests are about."""
    for stage in plan(actual, wanted, schema, NicTransition()).stages:
        yield [change.update for change in stage]


NIC = Program(
    name="nic",
    ports=ALL,
    volley=sentinel.volley,
    is_sentinel=sentinel.is_sentinel,
    is_learned_from_sentinel=lambda _: False,
    entities=_entities,
    steps=_steps,
)

nic_test = tests_of(NIC)
