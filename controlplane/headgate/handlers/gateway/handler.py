# SPDX-License-Identifier: Apache-2.0
"""The running controller of a gateway: digests and idle notices become entries of the flow cache, packet-ins become NAT
mappings, neighbors and answers.

Each kind of message has readers of its own; several requests are under way at a time, for a device answers each only
after all of its updates. State is changed between awaits only, so none of it needs a lock.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from random import Random
from typing import Any, TypeVar

from finsy import GRPCStatusCode, P4PacketIn, P4TableEntry
from finsy.proto import p4r

from headgate.config.gateway import GatewayConfig
from headgate.device import Device, UpdateFailure
from headgate.handlers.gateway.answers import ROUTERS_MAC
from headgate.handlers.gateway.effects import Effect, Punted, SendFrame, WriteNeighbor
from headgate.handlers.gateway.entries import MAPPING_OUT, EntryCodec
from headgate.handlers.gateway.flow_cache import Change, FlowCache
from headgate.handlers.gateway.icmp_errors import translate_error
from headgate.handlers.gateway.keys import TENANT
from headgate.handlers.gateway.learned import epochs_of, learned_flows, learned_mappings
from headgate.handlers.gateway.router import GatewayRouter
from headgate.handlers.gateway.samples import SampleDecoder
from headgate.handlers.gateway.settings import NS_PER_S, StaticNat, is_stateful, pools_of, timeouts_of
from headgate.handlers.gateway.translation import Translation, Untranslated
from headgate.handlers.gateway.writer import MAX_UPDATES, Writer
from headgate.metrics import Metrics
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import EtherType, Frame
from headgate.reconcile import Plan, Result
from headgate.systems.entity import LEARNED
from headgate.vocabulary import PacketOutMode, PuntReason

_LOG = logging.getLogger("headgate")

LEARNERS = 3
"""Digest lists that are dealt with at a time."""

_TICK_S = 0.25

_T = TypeVar("_T")


class GatewayHandler:
    """Serves one gateway. What it knows of the device it reads from there, each time the device was away."""

    def __init__(self, device: Device, config: GatewayConfig, metrics: Metrics) -> None:
        self._device = device
        self._metrics = metrics
        self._codec = EntryCodec(device.schema)
        self._decoder = SampleDecoder(device.schema)
        self._writer = Writer(device, self._codec)
        self._session = 0
        self._begin(config)
        self._sweep = asyncio.Event()
        self._translate = asyncio.Event()
        self._under_way: set[asyncio.Task[Any]] = set()
        self.is_serving = False
        metrics.watch_neighbors(
            known=lambda: self.router.known_neighbors, unresolved=lambda: self.router.unresolved_neighbors
        )
        metrics.watch_flow_cache(self._held, self._events)

    @property
    def is_writing(self) -> bool:
        """Whether there are requests that the device has not answered."""
        return bool(self._under_way)

    def _begin(self, config: GatewayConfig) -> None:
        timeouts = timeouts_of(config)
        quarantine_ns = config.sessions.nat_quarantine_s * NS_PER_S
        self.translation = Translation(pools_of(config), timeouts, quarantine_ns, Random())
        self.cache = FlowCache(timeouts, aggregate=config.cache.aggregate, mapped=self.translation.mappings)
        self.router = GatewayRouter(config, self._metrics, time.monotonic_ns())
        self._untranslated: list[Change] = []
        self._static_nat = StaticNat.of(config)
        self._stateful: set[int] = set()

    def _held(self) -> dict[str, int]:
        return {
            "flows": self.cache.index.flows,
            "connections": self.cache.index.connections,
            "nat_mappings": len(self.translation.mappings),
        }

    def _events(self) -> dict[str, int]:
        lost = {
            "digest_lists_lost": self._device.digest_lists_lost,
            "idle_notices_lost": self._device.idle_notices_lost,
        }
        nat = {f"nat_{event}": count for event, count in dict(self.translation.counts).items()}
        return dict(self.cache.counts) | nat | lost

    # ---- configuration

    async def before_commit(self, config: GatewayConfig, plan: Plan) -> None:
        """Nothing has to go before the epochs change: the data plane judges answers by the rules of today as well."""

    async def configured(self, config: GatewayConfig, result: Result) -> None:
        """Take up what was learned, and delete what does not hold any more."""
        if self._session != self._device.sessions:
            self._begin(config)
            await self._adopt()
            self._session = self._device.sessions
        else:
            timeouts, now_ns = timeouts_of(config), time.monotonic_ns()
            self.cache.configure(timeouts, aggregate=config.cache.aggregate)
            self.cache.epochs = await epochs_of(self._device)
            changes = self.translation.configure(pools_of(config), timeouts, now_ns)
            await self._writer.carry_out(self.translation, changes)
        await self._take_up_neighbors(config)
        self._sweep.set()

    async def _adopt(self) -> None:
        """Mappings go before flows, flows after their sessions: each is needed to know the next."""
        now_ns = time.monotonic_ns()
        self.cache.epochs = await epochs_of(self._device)
        changes = self.translation.adopt(await learned_mappings(self._device, self._codec))
        await self._writer.carry_out(self.translation, changes)
        flows = await learned_flows(self._device, self._codec)
        await self._writer.carry_out(self.cache, self.cache.adopt(flows, now_ns))
        _LOG.info(
            "adopted: device=%s flows=%d connections=%d nat_mappings=%d",
            self._device.address,
            self.cache.index.flows,
            self.cache.index.connections,
            len(self.translation.mappings),
        )

    async def _take_up_neighbors(self, config: GatewayConfig) -> None:
        self._static_nat = StaticNat.of(config)
        self._stateful = {tenant.tenant_id for tenant in config.tenants if is_stateful(tenant)}
        waiting = self.router.waiting()
        self.router = GatewayRouter(config, self._metrics, time.monotonic_ns())
        for entry in await self._device.entries("next_hop"):
            if entry.metadata.startswith(LEARNED):
                self.router.adopt(entry, time.monotonic_ns())
        for frame in waiting:
            await self._send(frame)

    # ---- events

    async def serve(self, until: asyncio.Event) -> None:
        """Deal with what the device sends, until the event is set; what is being written then is finished first.

        Raises: DeviceUnreachable, NotPrimary.
        """
        loops = [self._learn() for _ in range(LEARNERS)]
        loops += [self._packets(), self._translations(), self._idle(), self._sweeps(), self._ticks()]
        tasks = [asyncio.create_task(loop) for loop in loops]
        stop = asyncio.create_task(until.wait())
        self.is_serving = True
        try:
            await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.is_serving = False
            for task in (stop, *tasks):
                task.cancel()
            await asyncio.gather(stop, *tasks, *self._under_way, return_exceptions=True)
        for task in tasks:
            if not task.cancelled():
                task.result()  # raises what ended it

    async def _learn(self) -> None:
        while True:
            digests = await self._device.digests()
            try:
                samples = self._decoder.decode(digests)
            except (KeyError, ValueError):
                self._metrics.malformed("digest")
                continue
            changes = self.cache.learn(samples, time.monotonic_ns())
            await self._finish(self._writer.carry_out(self.cache, changes))
            await self._device.ack(digests)

    async def _idle(self) -> None:
        while True:
            notice = await self._device.idle()
            entries = [self._codec.decode(entry) for entry in notice.table_entry]
            now_ns = time.monotonic_ns()
            mappings = [entry for entry in entries if entry.table == MAPPING_OUT]
            await self._finish(self._writer.carry_out(self.cache, self.cache.idle(entries, now_ns)))
            unused = self.translation.idle(mappings, self.cache.index, now_ns)
            await self._finish(self._writer.carry_out(self.translation, unused))

    async def _sweeps(self) -> None:
        """In the background: between two batches, others have their turn."""
        while True:
            await self._sweep.wait()
            self._sweep.clear()
            for changes in self.cache.sweep(MAX_UPDATES, time.monotonic_ns()):
                await self._finish(self._writer.carry_out(self.cache, changes))

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            if changes := self.cache.expire(time.monotonic_ns()):
                await self._finish(self._writer.carry_out(self.cache, changes))
            await self._carry_out(self.router.expire(time.monotonic_ns()))

    async def _packets(self) -> None:
        while True:
            await self._punted(await self._device.packet_in())

    async def _punted(self, packet: P4PacketIn) -> None:
        reason = PuntReason(packet["reason"])
        self._metrics.packet_in(reason)
        match reason:
            case PuntReason.NAT_MAPPING_MISS:
                untranslated = Untranslated(
                    packet["tenant_id"],
                    packet["segment_id"],
                    packet["router_id"],
                    packet["pool_id"],
                    packet.payload,
                )
                changes, ready = self.translation.punted(untranslated, time.monotonic_ns())
                self._untranslated += changes
                if changes:
                    self._translate.set()
                await self._submit(ready)
            case PuntReason.ICMP_ERROR:
                await self._icmp_error(packet.payload)
            case _:
                fields = {name: int(value) for name, value in packet.metadata.items() if name != "reason"}
                punted = Punted(reason, packet.payload, fields)
                await self._carry_out(self.router.punted(punted, time.monotonic_ns()))

    # ---- the router

    async def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendFrame():
                    await self._send(effect)
                case WriteNeighbor():
                    await self._finish(self._write_neighbor(effect))

    async def _write_neighbor(self, effect: WriteNeighbor) -> None:
        """The next hop goes before the way to it: two requests, for one may be carried out in any order."""
        for entry in effect.entries:
            failures = await self._write(p4r.Update.INSERT, entry)
            if any(failure.code == GRPCStatusCode.ALREADY_EXISTS for failure in failures):
                failures = await self._write(p4r.Update.MODIFY, entry)
            if failures:
                self._metrics.updates_refused(len(failures))
                _LOG.error("neighbor refused: device=%s reason=%s", self._device.address, failures[0].message)
                self.router.refused(effect)
                return
        for frame in effect.waiting:
            await self._send(frame)

    async def _write(self, update_type: p4r.Update.Type.ValueType, entry: P4TableEntry) -> list[UpdateFailure]:
        return await self._device.write([p4r.Update(type=update_type, entity=entry.encode(self._device.schema))])

    async def _send(self, frame: SendFrame) -> None:
        await self._device.packet_out(frame.frame, mode=frame.mode, **frame.fields)

    # ---- NAT

    async def _translations(self) -> None:
        """Writes the mappings that packets asked for while the ones before were being written."""
        while True:
            await self._translate.wait()
            self._translate.clear()
            changes, self._untranslated = self._untranslated, []
            await self._finish(self._map(changes))

    async def _map(self, changes: list[Change]) -> None:
        await self._submit(await self._writer.carry_out(self.translation, changes))

    async def _submit(self, packets: list[Untranslated]) -> None:
        """Give packets to the pipeline once more."""
        for packet in packets:
            await self._device.packet_out(
                packet.frame,
                mode=PacketOutMode.TENANT,
                tenant_id=packet.tenant_id,
                segment_id=packet.segment_id,
                router_id=packet.router_id,
            )

    async def _icmp_error(self, frame: bytes) -> None:
        """An error about a translated packet goes to its sender, if the tenant's firewall knows the connection."""
        counts = self.translation.counts
        try:
            error = translate_error(Frame.parse(frame).payload, self._inside_of)
        except DecodeError as reason:
            self._metrics.malformed(reason.layer)
            return
        if error is None:
            counts["error_unmatched"] += 1
            return
        tenant_id = int.from_bytes(error.session[TENANT], "big")
        if tenant_id in self._stateful and self.cache.index.connection_of(error.session) is None:
            counts["error_unrelated"] += 1
            return
        counts["errors"] += 1
        inside = Frame(ROUTERS_MAC, ROUTERS_MAC, EtherType.IPV4, error.packet)
        await self._device.packet_out(inside.pack(), mode=PacketOutMode.ROUTED, tenant_id=tenant_id)

    def _inside_of(self, outside: bytes) -> bytes | None:
        return self.translation.allocator.inside_of(outside) or self._static_nat.inside_of(outside)

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do what must not be left half done, even where nobody waits for it any more."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return await asyncio.shield(task)
