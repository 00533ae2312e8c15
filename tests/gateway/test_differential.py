# SPDX-License-Identifier: Apache-2.0
"""Cache on against cache off: 10,000 random packets end alike, byte by byte and count by count.

Both gateways are given the same configuration, sessions and mappings; only one has its results recorded, exact and
aggregate. The controller is slow and forgetful, configurations change in mid-flow, and old entries are left lying
about. What a tenant or a rule is credited with, and what is reported of connections, is the same too.
"""

from __future__ import annotations

import shutil
from random import Random

import pytest
from finsy import Action, P4TableEntry
from finsy.proto import p4r

from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig
from headgate.handlers.gateway.samples import FLOW
from headgate.reconcile import Change, plan
from headgate.reconcile.canonical import Key, key_of
from headgate.reconcile.gateway import GatewayTransition
from headgate.systems import Entity, desired
from headgate.vocabulary import CacheOutcome

from .gateways import Frame, Gateway, Seen, compiled_program
from .learning import Controller
from .packets import Traffic
from .policies import Data, changed, original

PACKETS, BATCH = 10_000, 20
SEEDS = (1, 2, 3)
TENANTS = (1, 2)
OUTSIDE = {1: ("203.0.113.64", "203.0.113.65"), 2: ("203.0.113.66", "203.0.113.67")}
"""What the configuration's tenants have for their pools."""

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="the native engine needs a C compiler, cc")


class Twins:
    """The two gateways, their controller, and what they are configured to."""

    def __init__(self, seed: int) -> None:
        _, self._schema, _ = compiled_program()
        self.random = Random(seed)
        self.cached, self.uncached = Gateway(), Gateway()
        self._held: dict[Key, Entity] = {}
        self.rules: set[int] = set()
        """Every one there ever was."""
        self.controller = Controller(self._schema, self.cached, self.uncached, OUTSIDE, self.random)
        self.configure(original())

    def configure(self, data: Data) -> None:
        """From one configuration to another, as headgate does it: one of its last steps ends what was recorded."""
        config = parse_config(data)
        assert isinstance(config, GatewayConfig)
        wanted = [entity for entity in desired(config) if isinstance(entity, P4TableEntry)]
        transition = GatewayTransition(config, first_epoch=self.random.randint(2, 1 << 30))
        changes = plan(self._held.values(), wanted, self._schema, transition).changes
        for gateway in (self.cached, self.uncached):
            gateway.write(change.update for change in changes)
        for change in changes:
            self._note(change)
        self.rules |= {
            int(entity.action.args["rule_id"])
            for entity in wanted
            if isinstance(entity.action, Action) and "rule_id" in entity.action.args
        }

    def _note(self, change: Change) -> None:
        key = key_of(change.entity)
        if change.update.type == p4r.Update.DELETE:
            del self._held[key]
        else:
            self._held[key] = P4TableEntry.decode(change.entity, self._schema)

    def send(self, frame: Frame) -> None:
        """Raises: AssertionError (the two ended differently)."""
        cached, uncached = self.cached.process(frame), self.uncached.process(frame)
        assert ends(cached) == ends(uncached), f"with the cache: {cached}\nwithout: {uncached}"
        self.controller.heard(cached, cached.samples)

    def counts(self, gateway: Gateway) -> list[int]:
        """What tenants and rules are credited with."""
        directions = [2 * tenant_id + outside for tenant_id in TENANTS for outside in (0, 1)]
        return gateway.count("tenant_traffic", directions) + gateway.count("firewall_rule_hits", sorted(self.rules))


def ends(seen: Seen) -> tuple[object, ...]:
    """What must be alike. That a flow was looked at is not reported where the cache knows of it."""
    return seen.outputs, seen.drop_reason, [sample for sample in seen.samples if sample.event != FLOW]


def run(seed: int, change: float) -> Twins:
    """`PACKETS` packets, after some of which something else changes than what they change themselves."""
    twins = Twins(seed)
    random = twins.random
    traffic = Traffic(random)
    for number in range(PACKETS // BATCH):
        for _ in range(BATCH):
            frame = traffic.packet(twins.controller.mappings)
            try:
                twins.send(frame)
            except AssertionError as difference:
                port, data = frame
                raise AssertionError(f"seed {seed}, batch {number}, port {port}, {data.hex()}: {difference}") from None
        assert twins.counts(twins.cached) == twins.counts(twins.uncached), f"seed {seed}, batch {number}"
        twins.controller.catch_up()
        if random.random() < change:
            random.choice(
                (
                    twins.controller.forget_something,
                    twins.controller.sweep,
                    lambda: twins.configure(changed(random)),
                    lambda: twins.configure(changed(random)),
                )
            )()
    return twins


@pytest.mark.parametrize("seed", SEEDS[:1])
def test_steady_gateway_does_with_its_cache_as_it_does_without(seed: int) -> None:
    outcomes = run(seed, change=0).cached.cache_outcomes(TENANTS)
    assert outcomes[CacheOutcome.HIT] > PACKETS // 10, outcomes
    assert outcomes[CacheOutcome.AGGREGATE_HIT] > PACKETS // 100, outcomes


@pytest.mark.parametrize("seed", SEEDS)
def test_changing_gateway_does_with_its_cache_as_it_does_without(seed: int) -> None:
    outcomes = run(seed, change=0.15).cached.cache_outcomes(TENANTS)
    assert outcomes.pop(CacheOutcome.NOT_LOOKED_UP) == 0
    assert min(outcomes.values()) > PACKETS // 100, outcomes
