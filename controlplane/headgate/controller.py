# SPDX-License-Identifier: Apache-2.0
"""One device, kept as its configuration says and helped with what tables can't do alone.

Everything that changes the device is done by one task, one thing after another: no packet is handled while the device
is between two configurations.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from random import Random

from finsy import GRPCStatusCode, P4PacketIn, P4TableEntry
from finsy.p4entity import decode_entity
from finsy.proto import p4r

from headgate.config import NicConfig
from headgate.describe import Names, action_text, describe, key_text
from headgate.device import Device, DeviceError, DeviceUnreachable, NotPrimary, UpdateFailure
from headgate.handlers.effects import DeleteNeighbor, Effect, Punt, SendFrame, WriteNeighbor
from headgate.handlers.router import Router, RouterLimits
from headgate.handlers.router_view import router_views
from headgate.metrics import Metrics
from headgate.reconcile import apply
from headgate.systems import LEARNED, Entity
from headgate.vocabulary import DropReason, PuntReason

_LOG = logging.getLogger("headgate")

_NS_PER_S = 1_000_000_000
_IDLE_NS = 3600 * _NS_PER_S
_RECONNECT_FIRST_S = 0.5
_RECONNECT_MOST_S = 15.0
_READ_COUNTERS_EVERY_S = 5.0


class Controller:
    """Serves one device.

    Args:
        device: Not entered yet: `serve` does, again after each time it went away.
        config: What the device is brought to each time.
        metrics: Where to count.
        limits: What each router may spend.
    """

    def __init__(self, device: Device, config: NicConfig, metrics: Metrics, limits: RouterLimits | None = None) -> None:
        self._device = device
        self._config = config
        self._metrics = metrics
        self._limits = limits or RouterLimits()
        self._routers: Mapping[int, Router] = {}  # replaced as a whole: metrics are read from another thread
        self._deadline_ns = 0  # no router has anything due before
        self._reconfigured = asyncio.Event()
        self._random = Random()
        metrics.watch_neighbors(
            known=lambda: sum(router.known_neighbors for router in self._routers.values()),
            unresolved=lambda: sum(router.unresolved_neighbors for router in self._routers.values()),
        )

    def reconfigure(self, config: NicConfig) -> None:
        """Bring the device to another configuration as soon as there is time."""
        self._config = config
        self._reconfigured.set()

    async def serve(self) -> None:
        """Serve the device until cancelled.

        Raises:
            DeviceUnreachable: It could not be reached in the first place. Once it was, it is waited for.
            NotPrimary: Another controller is, or has become, its primary.
            DeviceRefused: It refused a whole request.
        """
        await self._session()
        pause_s = _RECONNECT_FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self._session()
                pause_s = _RECONNECT_FIRST_S
            except (DeviceUnreachable, NotPrimary) as error:  # it may think for a while that our old session goes on
                _LOG.info("still away: device=%s reason=%s", self._device.address, error)
                pause_s = min(2 * pause_s, _RECONNECT_MOST_S)

    async def _session(self) -> None:
        """From one connection to its end. Raises: DeviceUnreachable (never connected), NotPrimary, DeviceRefused."""
        async with self._device:
            self._metrics.connected(True)
            reading = asyncio.create_task(self._read_counters())
            try:
                await self._configure()
                await self._handle_events()
            except DeviceUnreachable as error:
                _LOG.warning("device went away: device=%s reason=%s", self._device.address, error)
            finally:
                self._metrics.connected(False)
                reading.cancel()
                await asyncio.wait([reading])

    # ---- configuration

    async def _configure(self) -> None:
        """Bring the device to the configuration, then take up what was learned from it and what waits for answers."""
        self._reconfigured.clear()
        result = await apply(self._device, self._config)
        plan = result.plan
        _LOG.info(
            "configured: device=%s inserted=%d modified=%d deleted=%d unchanged=%d refused=%d",
            self._device.address,
            len(plan.inserts),
            len(plan.modifies),
            len(plan.deletes),
            plan.unchanged,
            len(result.failures),
        )
        self._report(result.failures)

        waiting = [frame for router in self._routers.values() for frame in router.waiting()]
        now_ns = time.monotonic_ns()
        routers = {
            view.vnic.vnic_id: Router(view, self._metrics, now_ns, limits=self._limits, random=self._random)
            for view in router_views(self._config)
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

    # ---- events

    async def _handle_events(self) -> None:
        packet = asyncio.create_task(self._device.packet_in())
        reconfigured = asyncio.create_task(self._reconfigured.wait())
        try:
            while True:
                timeout_s = max(0, self._deadline_ns - time.monotonic_ns()) / _NS_PER_S
                await asyncio.wait((packet, reconfigured), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
                if packet.done():
                    await self._punted(packet.result())
                    packet = asyncio.create_task(self._device.packet_in())
                if reconfigured.done():
                    await self._configure()
                    reconfigured = asyncio.create_task(self._reconfigured.wait())
                await self._expire()
        finally:
            packet.cancel()
            reconfigured.cancel()
            await asyncio.gather(packet, reconfigured, return_exceptions=True)

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

    def _report(self, failures: Sequence[UpdateFailure]) -> None:
        self._metrics.updates_refused(len(failures))
        for failure in failures:
            entity = decode_entity(failure.update.entity, self._device.schema)
            _LOG.error(
                "update refused: device=%s code=%s reason=%s %s",
                self._device.address,
                failure.code.name,
                failure.message,
                self._words(entity),
            )

    def _words(self, entity: Entity) -> str:
        description = describe(entity, self._device.schema)
        names = Names.of(self._config)
        return f"table={description.table} {key_text(description, names)} action={action_text(description, names)}"

    # ---- counters

    async def _read_counters(self) -> None:
        while True:
            with suppress(DeviceError):  # seen and told by who handles events
                rows = await self._device.counter("drop_reason")
                self._metrics.read(
                    drops={
                        reason: rows[reason].packet_count
                        for reason in DropReason
                        if reason in rows and reason is not DropReason.NONE
                    },
                    packet_ins_lost=self._device.packets_lost,
                )
            await asyncio.sleep(_READ_COUNTERS_EVERY_S)
