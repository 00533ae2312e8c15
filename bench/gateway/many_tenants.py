# SPDX-License-Identifier: Apache-2.0
"""A thousand tenants with 256 flows each: what their entries take of memory, how many packets hit, and that a change of
one tenant's configuration is no other's business."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from finsy import Action, P4TableEntry
from finsy.proto import p4r

from headgate.config.gateway import GatewayConfig
from headgate.systems import desired
from headgate.vocabulary import CPU_PORT, CacheOutcome
from softnic.inputs import read_program
from softnic.native import NativeEngine

from ..from_memory import Say, describe
from ..measure import Plan
from ..result import Result
from .rig import PROGRAM, SCHEMA, Gateway, Learner, configuration
from .tenants import gateway_of
from .timing import rate
from .traffic import Arrival, flows_of, outbound, trace

TENANTS, FLOWS_EACH = 1000, 256
_CHANGED = 7

Shares = Mapping[int, float]
"""Of each tenant's packets, how many the cache knew."""


def measure(plan: Plan, say: Say) -> Iterator[Result]:
    """Takes about half a minute. There are no rules and no NAT: a packet that hits meets neither."""
    say(f"gateway: {TENANTS:,} tenants with {FLOWS_EACH} flows each")
    config = gateway_of(TENANTS, rules=0)
    tables, meters = configuration(config)
    program = read_program(PROGRAM)
    engine = NativeEngine(program, cpu_port=CPU_PORT)
    gateway = Gateway(program, engine)
    gateway.write(tables)
    flows = flows_of(TENANTS, TENANTS * FLOWS_EACH)
    learner = Learner(gateway, config)  # not to be forgotten before memory is measured
    learned = learner.open(flows, answers=False)
    gateway.write(meters)
    before = _resident_bytes()
    gateway.write_encoded(learned.cache)
    growth = _resident_bytes() - before
    entries = len(learned.cache)
    packets = trace([outbound(flow) for flow in flows])

    hits = shares(gateway, config, packets)
    fast, _ = rate(engine, packets, plan)
    gateway.write([bumped(config, _CHANGED)])
    after = shares(gateway, config, packets)
    others = min(share for tenant_id, share in after.items() if tenant_id != _CHANGED)

    name = f"gateway, {TENANTS:,} tenants, {entries:,} flows"
    yield Result(f"{name}: by the cache", fast.mpps, "Mpps", None, True, describe(fast))
    yield Result(f"{name}: hits", min(hits.values()), "x", 1.0, True, "share of packets, of the tenant with the fewest")
    note = f"growth of the process; {growth / entries:.0f} bytes for each"
    yield Result(f"{name}: memory of the cache", growth / 2**20, "MB", None, False, note)
    note = f"share of packets, of the tenant with the fewest; of the changed one {after[_CHANGED]:.0%}"
    yield Result(f"{name}: others' hits after one tenant's change", others, "x", 1.0, True, note)


def shares(gateway: Gateway, config: GatewayConfig, packets: Sequence[Arrival]) -> Shares:
    """Of one pass of the packets."""
    before = {tenant.tenant_id: gateway.outcomes(tenant.tenant_id) for tenant in config.tenants}
    deque(gateway.process(packets), maxlen=0)
    return {tenant_id: _share(gateway.outcomes(tenant_id), counted) for tenant_id, counted in before.items()}


def _share(now: Mapping[CacheOutcome, int], before: Mapping[CacheOutcome, int]) -> float:
    counts = {outcome: now[outcome] - before[outcome] for outcome in CacheOutcome}
    return counts[CacheOutcome.HIT] / sum(counts.values())


def bumped(config: GatewayConfig, tenant_id: int) -> p4r.Update:
    """What ends all that was recorded of a tenant: its next epoch, the last update of a change of its configuration."""
    entry = next(
        entity
        for entity in desired(config)
        if isinstance(entity, P4TableEntry) and entity.table_id == "tenant" and entity["tenant_id"] == tenant_id
    )
    assert isinstance(entry.action, Action)
    arguments = entry.action.args | {"epoch": int(entry.action.args["epoch"]) + 1}
    update = replace(entry, action=Action(entry.action.name, **arguments))
    return p4r.Update(type=p4r.Update.MODIFY, entity=update.encode(SCHEMA))


def _resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
