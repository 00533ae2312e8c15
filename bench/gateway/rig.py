# SPDX-License-Identifier: Apache-2.0
"""A gateway and headgate's own learning in one process. What is learned is kept, for others to be given the same."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from random import Random

from finsy.proto import p4r

from headgate.config.gateway import GatewayConfig
from headgate.device import program as schema_of
from headgate.handlers.gateway.entries import EntryCodec
from headgate.handlers.gateway.flow_cache import INSERT, Change, FlowCache
from headgate.handlers.gateway.keys import IPV4
from headgate.handlers.gateway.samples import FlowSample, sample_widths
from headgate.handlers.gateway.settings import NS_PER_S, pools_of, timeouts_of
from headgate.handlers.gateway.translation import Translation, Untranslated
from headgate.reconcile.apply import initial_plan
from headgate.systems.gateway.tenants import FIRST_EPOCH
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CPU_PORT, CacheOutcome, PuntReason
from softnic import ir
from softnic.engine import Digest, Engine, Output
from softnic.native import NativeEngine
from softnic.server import open_pipeline, write_batch

from .traffic import Arrival, Endpoint, Flow, inbound, outbound

COMPILED = Path(__file__).parents[2] / "p4src/compiled"
PROGRAM, P4INFO = COMPILED / "gateway.json", COMPILED / "gateway.p4info.txtpb"
SCHEMA = schema_of("gateway")

_BATCH = 4096
_PACKET_IN = struct.Struct("!HBHHHHIHHI16s")
"""`packet_in_t`: ingress_port, reason, tenant_id, segment_id, router_id, tunnel_id, network_id, pool_id,
out_segment_id, next_hop_id, next_hop."""


class Gateway:
    """An engine that runs `gateway`, written to as by a P4Runtime client, but without one."""

    def __init__(self, program: ir.Program, engine: Engine) -> None:
        self.engine = engine
        self._pipeline = open_pipeline(SCHEMA.p4info, program, engine)
        self._outcomes = next(c.name for c in program.counters if c.name.endswith(".cache_outcome"))

    def write(self, updates: Iterable[p4r.Update]) -> None:
        """Raises: AssertionError (one was refused)."""
        updates = list(updates)
        for update, error in zip(updates, write_batch(self._pipeline, updates), strict=True):
            assert error is None, f"{error}: {update}"

    def write_encoded(self, updates: Sequence[bytes]) -> None:
        """Raises: AssertionError (one was refused)."""
        for start in range(0, len(updates), _BATCH):
            self.write(decoded(updates[start : start + _BATCH]))

    def process(self, packets: Sequence[Arrival]) -> Iterator[Output]:
        """What leaves for these packets, in order."""
        if isinstance(self.engine, NativeEngine):  # takes many at a time
            for start in range(0, len(packets), _BATCH):
                yield from self.engine.process_all(packets[start : start + _BATCH])
        else:
            for port, frame in packets:
                yield from self.engine.process(port, frame)

    def outcomes(self, tenant_id: int) -> dict[CacheOutcome, int]:
        """What the cache had for a tenant's packets, so far."""
        first = tenant_id * CACHE_OUTCOMES_PER_TENANT
        return {o: self.engine.read_counter(self._outcomes, first + o).packets for o in CacheOutcome}


@dataclass(slots=True)
class Learned:
    """Updates, each as a WriteRequest that holds only it: what flows need to pass at all, and what makes them fast.

    `outside` has what NAT made of each flow's inside endpoint, where answers were seen.
    """

    state: list[bytes] = field(default_factory=list)
    cache: list[bytes] = field(default_factory=list)
    outside: list[Endpoint] = field(default_factory=list)


def configuration(config: GatewayConfig) -> tuple[list[p4r.Update], list[p4r.Update]]:
    """What `headgate apply` writes to the tables of an empty device, and to its meters."""
    updates = [change.update for change in initial_plan(config, SCHEMA).changes]
    kinds = ("table_entry", "action_profile_member", "action_profile_group")
    tables = [update for update in updates if update.entity.WhichOneof("entity") in kinds]
    return tables, [update for update in updates if update.entity.WhichOneof("entity") == "meter_entry"]


def decoded(updates: Iterable[bytes]) -> Sequence[p4r.Update]:
    return p4r.WriteRequest.FromString(b"".join(updates)).updates


class Learner:
    """headgate's handler without its device: digests become entries, punted packets NAT mappings.

    NAT mappings and sessions are written at once. What the cache is to have is only noted down.
    """

    def __init__(self, gateway: Gateway, config: GatewayConfig) -> None:
        self._gateway = gateway
        self._codec = EntryCodec(SCHEMA)
        timeouts = timeouts_of(config)
        quarantine_ns = config.sessions.nat_quarantine_s * NS_PER_S
        self._translation = Translation(pools_of(config), timeouts, quarantine_ns, Random(1))
        self._cache = FlowCache(timeouts, aggregate=config.cache.aggregate, mapped=self._translation.mappings)
        epoch = FIRST_EPOCH.to_bytes(4)
        self._cache.epochs = {tenant.tenant_id.to_bytes(2): epoch + epoch for tenant in config.tenants}
        self._digests: list[Digest] = []
        gateway.engine.on_digest = self._digests.append
        self.learned = Learned()

    def open(self, flows: Sequence[Flow], *, answers: bool = True) -> Learned:
        """Let the flows' connections begin, and see a packet of each; and one of the other direction, if `answers`."""
        opening = [outbound(flow, opens=True) for flow in flows]
        self._map(self._gateway.process(opening))
        self._run(opening)
        self._run([outbound(flow) for flow in flows])
        if answers:
            self.learned.outside = [self._outside(flow) for flow in flows]
            self._run([inbound(flow, outside) for flow, outside in zip(flows, self.learned.outside, strict=True)])
        self._gateway.engine.on_digest = None
        return self.learned

    def _map(self, outputs: Iterable[Output]) -> None:
        """A NAT mapping for each packet that is punted for want of one."""
        for output in outputs:
            if output.port != CPU_PORT:
                continue
            _, reason, tenant_id, segment_id, router_id, _, _, pool_id, *_ = _PACKET_IN.unpack_from(output.data)
            assert reason == PuntReason.NAT_MAPPING_MISS, reason
            frame = output.data[_PACKET_IN.size :]
            changes, _ = self._translation.punted(Untranslated(tenant_id, segment_id, router_id, pool_id, frame), 0)
            self.learned.state += map(self._encoded, changes)
        self._gateway.write_encoded(self.learned.state)

    def _run(self, packets: Sequence[Arrival]) -> None:
        deque(self._gateway.process(packets), maxlen=0)
        changes = [change for change in self._cache.learn(map(_sample, self._digests), 0) if change.type == INSERT]
        self._digests.clear()
        cached = [change.entry.table.startswith("cache") for change in changes]
        state = [self._encoded(change) for change, is_cached in zip(changes, cached, strict=True) if not is_cached]
        self._gateway.write_encoded(state)
        self.learned.state += state
        self.learned.cache += [
            self._encoded(change) for change, is_cached in zip(changes, cached, strict=True) if is_cached
        ]

    def _outside(self, flow: Flow) -> Endpoint:
        inside = flow.tenant_id.to_bytes(2) + bytes((flow.protocol,))
        outside = self._translation.mappings[inside + flow.inside.address.packed + flow.inside.port.to_bytes(2)]
        return Endpoint(IPv4Address(outside[1:5]), int.from_bytes(outside[5:]))

    def _encoded(self, change: Change) -> bytes:
        return self._codec.encode(change.type, change.entry)


def _sample(digest: Digest) -> FlowSample:
    values = zip(digest.values, sample_widths(IPV4), strict=True)
    return FlowSample(*(value.to_bytes(width) for value, width in values))
