# SPDX-License-Identifier: Apache-2.0
"""The program `gateway`: tests say what a device is to do by its entries, by the names of the P4 program."""

from __future__ import annotations

from collections.abc import Sequence

from harness.cases import tests_of
from harness.difference import difference
from harness.gateway import sentinel
from harness.gateway.ports import ALL
from harness.gateway.rack import WATCHED
from harness.program import Program
from headgate.systems import Entity


def _entities(rack: Sequence[Entity]) -> list[Entity]:
    return [*rack, *sentinel.entities()]


GATEWAY = Program(
    name="gateway",
    ports=ALL,
    volley=sentinel.volley,
    is_sentinel=sentinel.is_sentinel,
    is_learned_from_sentinel=sentinel.is_learned_from_sentinel,
    entities=_entities,
    steps=difference,
    watched=WATCHED,
)

gateway_test = tests_of(GATEWAY)
