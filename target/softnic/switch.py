# SPDX-License-Identifier: Apache-2.0
"""The switch: one worker thread that carries frames between ports and the engine, and counts every loss on the way.

Ports on Linux interfaces may belong to a dataplane instead, whose own threads run a native engine; then the worker does
what they leave to it: packet-ins, digests, and frames for the other ports.

Threads: the worker owns the ports and all counters but one. `lock` is held around every call of the engine: by the
worker for one packet at a time, by the P4Runtime server for as long as it wants no packet to pass. Callbacks
(`on_packet_in`, `on_digest`) run on the worker without the lock, so that they may take locks of their own.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from . import ir
from .engine import Digest, Engine, Output
from .ports.dataplane import Dataplane, Event, Leaving, Received
from .ports.link_watch import LinkWatch
from .ports.port import Frame, Port, PortStats
from .reference import ReferenceEngine

logger = logging.getLogger("softnic.switch")

BURST_FRAMES = 32
"""How many frames one port may bring in before the others have their turn."""

PACKET_OUT_QUEUE = 1024
"""How many packet-outs may wait for the worker."""

EngineFactory = Callable[[ir.Program], Engine]


@dataclass(frozen=True, slots=True)
class PortState:
    """One port as an operator sees it. `has_link`: what it is a port on is up; `is_enabled`: nobody has disabled it."""

    number: int
    name: str
    is_enabled: bool
    has_link: bool
    stats: PortStats

    @property
    def is_up(self) -> bool:
        return self.is_enabled and self.has_link


@dataclass(slots=True)
class SwitchStats:
    """What happened beside the ports, in packets (or digests)."""

    packet_ins: int = 0
    packet_ins_dropped: int = 0
    """Left on the CPU port while nobody listened."""
    packet_outs: int = 0
    packet_outs_dropped: int = 0
    """Refused because the queue was full, or because there is no CPU port."""
    digests: int = 0
    digests_dropped: int = 0
    """Made while nobody listened."""
    no_program_dropped: int = 0
    """Came in before a pipeline was committed."""
    no_port_dropped: int = 0
    """Sent by the program to a port that is not there."""
    trunk_rx_dropped: int = 0
    """Lost on the way in by the port of all other numbers, which can't tell whose they were."""
    dataplane_events_dropped: int = 0
    """Frames, digests and log lines that the dataplane's threads left to the switch faster than it took them."""
    failed: int = 0
    """The engine, or who listens to it, raised: a defect in softnic, logged with the packet."""


class Switch:
    """Ports around one engine. See the module's docstring for who may call what from where."""

    def __init__(self, *, cpu_port: int | None = None, engine_factory: EngineFactory | None = None) -> None:
        self.lock = threading.RLock()
        self.engine: Engine | None = None
        self.cpu_port = cpu_port
        self.on_packet_in: Callable[[bytes], None] | None = None
        self.on_digest: Callable[[Digest], None] | None = None
        self.on_port_change: Callable[[], None] | None = None
        """Called from any thread, without the lock, when a port has gone up or down or been enabled or disabled."""
        self._engine_factory = engine_factory or (lambda program: ReferenceEngine(program, cpu_port=cpu_port))
        self._ports: dict[int, Port] = {}
        self._trunk: Port | None = None
        self._without_link: set[int] = set()
        self._disabled: set[int] = set()
        self._link_watch: LinkWatch | None = None
        self._dataplane: Dataplane | None = None
        self._stats = SwitchStats()
        self._port_stats: dict[int, PortStats] = {}
        self._packet_outs: deque[Frame] = deque()
        self._packet_outs_lock = threading.Lock()
        self._digests: list[Digest] = []
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, self._take_packet_outs)
        self._stopping = False
        self._worker: threading.Thread | None = None

    # ---- set-up and control, from any thread ------------------------------------------------------------------------

    def add_port(self, port: Port) -> None:
        """Attach `port` before `start`; the switch closes it in `stop`.

        Raises:
            ValueError: its number is the CPU port's or another port's, or there is a port of all other numbers already.
        """
        if port.number is None:
            if self._trunk is not None:
                raise ValueError("there is a port that carries all other numbers already")
            self._trunk = port
        elif port.number == self.cpu_port:
            raise ValueError(f"port {port.number} is the CPU port")
        elif port.number in self._ports:
            raise ValueError(f"port {port.number} is there already")
        else:
            self._ports[port.number] = port
            self._port_stats[port.number] = PortStats()
        port.on_status = self._set_link
        if port.interface_index is not None:
            self._watch_links()
        descriptor = port.fileno()
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, lambda: self._serve(port, descriptor))

    def add_dataplane(self, dataplane: Dataplane) -> None:
        """Let `dataplane` carry frames between its ports while the engine is one of its kind, before `start`.

        The switch closes it in `stop`.

        Raises:
            ValueError: as `add_port`.
        """
        self._dataplane = dataplane
        for port in dataplane.ports():
            self.add_port(port)
        self._selector.register(dataplane.fileno(), selectors.EVENT_READ, self._take_events)

    def build(self, program: ir.Program) -> Engine:
        """A fresh engine that runs `program`; no packet reaches it before it is installed."""
        return self._engine_factory(program)

    def install(self, engine: Engine) -> None:
        """Let packets go through `engine` from now on. No packet sees half of two engines.

        Raises:
            NoRoom: the dataplane's threads need more memory than there is; the engine before goes on.
        """
        engine.on_digest = self._digests.append
        with self.lock:
            for number in self._without_link | self._disabled:
                engine.set_port_up(number, False)
            if self._dataplane:
                self._dataplane.attach(engine)
            self.engine = engine
            if self._worker:
                self._begin_ports()

    def start(self) -> None:
        """Start the worker."""
        with self.lock:
            self._worker = threading.Thread(target=self._run, name="softnic-worker")
            self._worker.start()
            if self._dataplane:
                self._dataplane.start()
            if self.engine:
                self._begin_ports()

    def stop(self) -> None:
        """End the worker after its packet, then close the ports: what was sent is on its wire or in its file."""
        self._stopping = True
        os.eventfd_write(self._wake, 1)
        if self._worker:
            self._worker.join()
        if self._dataplane:
            self._dataplane.stop()
            self._take_events()
            self._dataplane.close()
        self._selector.close()
        for port in self._all_ports():
            port.close()
        if self._link_watch:
            self._link_watch.close()
        os.close(self._wake)

    def packet_out(self, data: bytes) -> bool:
        """Let `data` arrive on the CPU port. False, and counted, when too many are waiting or there is no such port."""
        with self._packet_outs_lock:
            if self.cpu_port is None or len(self._packet_outs) >= PACKET_OUT_QUEUE:
                self._stats.packet_outs_dropped += 1
                return False
            self._packet_outs.append((self.cpu_port, data))
        os.eventfd_write(self._wake, 1)
        return True

    def stats(self) -> SwitchStats:
        """A copy of the counts so far."""
        trunk_rx_dropped = self._trunk.rx_dropped() if self._trunk else 0
        events_dropped = self._dataplane.events_lost() if self._dataplane else 0
        return replace(self._stats, trunk_rx_dropped=trunk_rx_dropped, dataplane_events_dropped=events_dropped)

    def anomalies(self) -> Mapping[str, int]:
        """What the engine that runs now has counted so far; see `Engine.anomalies`."""
        with self.lock:
            return dict(self.engine.anomalies) if self.engine else {}

    def port_stats(self) -> Mapping[int, PortStats]:
        """A copy of the counts so far, by port number in ascending order."""
        stats = {number: replace(counts) for number, counts in sorted(self._port_stats.copy().items())}
        for number, port in self._ports.items():
            stats[number].rx_dropped += port.rx_dropped()
            stats[number] = port.own_stats() or stats[number]
        return stats

    def ports(self) -> Sequence[PortState]:
        """Every port by ascending number; of those on PTF's socket the ones that were heard of."""
        return [
            PortState(number, self._name(number), number not in self._disabled, number not in self._without_link, stats)
            for number, stats in self.port_stats().items()
        ]

    def set_port_enabled(self, number: int, enabled: bool) -> None:
        """Let frames pass port `number`, or drop and count them, in and out."""
        if number in self._ports:
            self._ports[number].set_enabled(enabled)
        self._set_membership(self._disabled, number, not enabled)

    # ---- the worker -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select():
                key.data()

    def _serve(self, port: Port, descriptor: int) -> None:
        try:
            frames = port.receive(BURST_FRAMES)
        except OSError as error:
            self._selector.unregister(descriptor)
            self._lose(port, error)
            return
        for number, frame in frames:
            counts = self._counts_of(number)
            if number in self._disabled:
                counts.rx_dropped += 1
                continue
            counts.rx_packets += 1
            counts.rx_bytes += len(frame)
            self._forward(number, frame)

    def _lose(self, port: Port, error: OSError) -> None:
        logger.error("port=%s lost: %s", port.number, error)
        if port.number is not None:
            self._set_link(port.number, False)

    def _take_events(self) -> None:
        dataplane = self._dataplane
        if dataplane is None:
            return
        with self.lock:
            events = list(dataplane.take())
        for event in events:
            try:
                self._handle(event)
            except Exception:
                self._stats.failed += 1
                logger.exception("failed on %s", event)

    def _handle(self, event: Event) -> None:
        match event:
            case Received(number, frame):
                self._forward(number, frame)
            case Leaving(number, frame):
                self._send(Output(number, frame))
            case Digest():
                self._digests.append(event)
                self._deliver_digests()

    def _take_packet_outs(self) -> None:
        os.eventfd_read(self._wake)
        for _ in range(min(BURST_FRAMES, len(self._packet_outs))):
            self._stats.packet_outs += 1
            self._forward(*self._packet_outs.popleft())
        if self._packet_outs:
            os.eventfd_write(self._wake, 1)

    def _forward(self, number: int, frame: bytes) -> None:
        try:
            for output in self._process(number, frame):
                self._send(output)
            if self._digests:
                self._deliver_digests()
        except Exception:
            # Whatever one packet does to the target, the next one must find it alive.
            self._stats.failed += 1
            logger.exception("failed on port=%d packet=%s", number, frame.hex())

    def _process(self, number: int, frame: bytes) -> Sequence[Output]:
        with self.lock:
            if self.engine is None:
                self._stats.no_program_dropped += 1
                return ()
            return self.engine.process(number, frame)

    def _send(self, output: Output) -> None:
        if output.port == self.cpu_port:
            self._deliver_packet_in(output.data)
            return
        port = self._ports.get(output.port, self._trunk)
        if port is None:
            self._stats.no_port_dropped += 1
            return
        counts = self._counts_of(output.port)
        if output.port not in self._disabled and port.send(output.port, output.data):
            counts.tx_packets += 1
            counts.tx_bytes += len(output.data)
        else:
            counts.tx_dropped += 1

    def _deliver_packet_in(self, data: bytes) -> None:
        listener = self.on_packet_in
        if listener is None:
            self._stats.packet_ins_dropped += 1
            return
        self._stats.packet_ins += 1
        listener(data)

    def _deliver_digests(self) -> None:
        digests = self._digests.copy()
        self._digests.clear()
        listener = self.on_digest
        if listener is None:
            self._stats.digests_dropped += len(digests)
            return
        for digest in digests:
            self._stats.digests += 1
            listener(digest)

    # ---- helpers ----------------------------------------------------------------------------------------------------

    def _counts_of(self, number: int) -> PortStats:
        counts = self._port_stats.get(number)
        if counts is None:
            counts = self._port_stats[number] = PortStats()
        return counts

    def _name(self, number: int) -> str:
        return self._ports[number].name if number in self._ports else f"port{number}"

    def _set_link(self, number: int, up: bool) -> None:
        self._counts_of(number)  # a port on PTF's socket is there from its first word on
        self._set_membership(self._without_link, number, not up)

    def _set_membership(self, numbers: set[int], number: int, is_in: bool) -> None:
        """Put `number` into `numbers`, one of the two reasons for a port to be down, or take it out."""
        with self.lock:
            if (number in numbers) == is_in:
                return
            (numbers.add if is_in else numbers.discard)(number)
            is_up = number not in self._without_link | self._disabled
            if self.engine:
                self.engine.set_port_up(number, is_up)
        logger.info("port=%d is %s", number, "up" if is_up else "down")
        if self.on_port_change:
            self.on_port_change()

    def _watch_links(self) -> None:
        """Follow the interfaces of ports; also for a first look at that of a new one."""
        if self._link_watch is None:
            self._link_watch = LinkWatch(self._link_heard)
            self._selector.register(self._link_watch.fileno(), selectors.EVENT_READ, self._link_watch.receive)
        self._link_watch.refresh()

    def _link_heard(self, interface_index: int, has_link: bool) -> None:
        for number, port in self._ports.items():
            if port.interface_index == interface_index:
                self._set_link(number, has_link)

    def _all_ports(self) -> Sequence[Port]:
        return [*self._ports.values(), *([self._trunk] if self._trunk else [])]

    def _begin_ports(self) -> None:
        for port in self._all_ports():
            port.begin()
