# SPDX-License-Identifier: Apache-2.0
"""The handler of `nic`: a router for each VNIC that the NIC routes for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from random import Random

from finsy import GRPCStatusCode, P4PacketIn, P4TableEntry
from finsy.proto import p4r

from headgate.config import NicConfig
from headgate.device import Device, UpdateFailure
from headgate.handlers.nic.effects import DeleteNeighbor, Effect, Punt, SendFrame, WriteNeighbor
from headgate.handlers.nic.router import Router, RouterLimits
from headgate.handlers.nic.router_view import router_views
from headgate.handlers.refusals import report, words
from headgate.metrics import Metrics
from headgate.names import Names
from headgate.reconcile import Plan, Result
from headgate.systems import LEARNED
from headgate.vocabulary import PuntReason

_LOG = logging.getLogger("headgate")

_NS_PER_S = 1_000_000_000
_IDLE_NS = 3600 * _NS_PER_S


class NicHandler:
    """Serves one device.

    Args:
        metrics: Where to count.
        limits: What each router may spend.
    """

    def __init__(self, device: Device, metrics: Metrics, limits: RouterLimits | None = None) -> None:
        self._device = device
        self._metrics = metrics
        self._limits = limits or RouterLimits()
        self._names = Names()
        self._routers: Mapping[int, Router] = {}  # replaced as a whole: metrics are read from another thread
        self._deadline_ns = 0  # no router has anything due before
        self._random = Random()
        metrics.watch_neighbors(
            known=lambda: sum(router.known_neighbors for router in self._routers.values()),
            unresolved=lambda: sum(router.unresolved_neighbors for router in self._routers.values()),
        )

    async def before_commit(self, config: NicConfig, plan: Plan) -> None:
        """Nothing here is recorded of flows."""

    async def configured(self, config: NicConfig, result: Result) -> None:
        """Take up what was learned from the device, and what waits for answers."""
        self._names = Names.of(config)
        waiting = [frame for router in self._routers.values() for frame in router.waiting()]
        now_ns = time.monotonic_ns()
        routers = {
            view.vnic.vnic_id: Router(view, self._metrics, now_ns, limits=self._limits, random=self._random)
            for view in router_views(config)
        }
        for table in ("ipv4_neighbor", "ipv6_neighbor"):
            for entry in await self._device.entries(table):
                router = routers.get(entry["vnic_id"])
                if router is not None and entry.metadata == LEARNED:
                    router.adopt(entry, now_ns)
        self._routers = routers
        self._deadline_ns = 0
        for frame in waiting:
            await self._send(frame)

    async def serve(self, until: asyncio.Event) -> None:
        """Deal with punted packets and with what is due, one after the other."""
        packet = asyncio.create_task(self._device.packet_in())
        stop = asyncio.create_task(until.wait())
        try:
            while not stop.done():
                timeout_s = max(0, self._deadline_ns - time.monotonic_ns()) / _NS_PER_S
                await asyncio.wait((packet, stop), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if packet.done():
                    await self._punted(packet.result())
                    packet = asyncio.create_task(self._device.packet_in())
                await self._expire()
        finally:
            packet.cancel()
            stop.cancel()
            await asyncio.gather(packet, stop, return_exceptions=True)

    async def _punted(self, packet: P4PacketIn) -> None:
        punt = Punt(
            reason=PuntReason(packet["reason"]),
            vnic_id=packet["vnic_id"],
            vlan_id=packet["vlan_id"],
            next_hop=packet["next_hop"],
            frame=packet.payload,
        )
        self._metrics.packet_in(punt.reason)
        router = self._routers.get(punt.vnic_id)
        if router is None:  # punted before, and handled after, its VNIC ceased to be a router
            self._metrics.frame_lost("no_router")
            return
        await self._carry_out(router, router.punted(punt, time.monotonic_ns()))
        if router.next_deadline_ns is not None:
            self._deadline_ns = min(self._deadline_ns, router.next_deadline_ns)

    async def _expire(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns < self._deadline_ns:
            return
        for router in self._routers.values():
            await self._carry_out(router, router.expire(now_ns))
        deadlines = (router.next_deadline_ns for router in self._routers.values())
        self._deadline_ns = min((deadline for deadline in deadlines if deadline is not None), default=now_ns + _IDLE_NS)

    # ---- effects

    async def _carry_out(self, router: Router, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case SendFrame():
                    await self._send(effect)
                case WriteNeighbor():
                    await self._write_neighbor(router, effect)
                case DeleteNeighbor(entry):
                    failures = await self._write(p4r.Update.DELETE, entry)
                    self._report([failure for failure in failures if failure.code != GRPCStatusCode.NOT_FOUND])
                    _LOG.debug("neighbor deleted: device=%s %s", self._device.address, self._words(entry))

    async def _write_neighbor(self, router: Router, effect: WriteNeighbor) -> None:
        failures = await self._write(p4r.Update.INSERT, effect.entry)
        if any(failure.code == GRPCStatusCode.ALREADY_EXISTS for failure in failures):
            failures = await self._write(p4r.Update.MODIFY, effect.entry)
        if failures:
            self._report(failures)
            self._metrics.frame_lost("neighbor_refused", len(effect.waiting))
            router.refused(effect.next_hop)
            return
        _LOG.debug("neighbor written: device=%s %s", self._device.address, self._words(effect.entry))
        for frame in effect.waiting:
            await self._send(frame)

    async def _write(self, update_type: p4r.Update.Type.ValueType, entry: P4TableEntry) -> list[UpdateFailure]:
        return await self._device.write([p4r.Update(type=update_type, entity=entry.encode(self._device.schema))])

    async def _send(self, frame: SendFrame) -> None:
        await self._device.packet_out(frame.frame, mode=frame.mode, vnic_id=frame.vnic_id, vlan_id=frame.vlan_id)

    def _report(self, failures: list[UpdateFailure]) -> None:
        report(self._device, self._names, self._metrics, failures)

    def _words(self, entry: P4TableEntry) -> str:
        return words(self._device, self._names, entry)
