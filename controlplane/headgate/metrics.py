# SPDX-License-Identifier: Apache-2.0
"""What the running controller counts, for Prometheus. Names are API: dashboards and alarms rely on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from headgate.protocols.icmp import IcmpError
from headgate.vocabulary import DropReason, PuntReason


class Metrics:
    """The counters of one device, in a registry of their own, so that one process can run several devices."""

    def __init__(self, device: str) -> None:
        self.registry = CollectorRegistry()
        self._packet_ins = self._counter("packet_ins", "Packets the device gave the controller", "reason")
        self._malformed = self._counter("malformed_packets", "Packet-ins that could not be read", "layer")
        self._resolutions = self._counter("neighbor_resolutions", "How asking for neighbors ended", "result")
        self._ignored = self._counter("neighbor_messages_ignored", "ARP and ND messages that name no possible neighbor")
        self._frames_lost = self._counter("waiting_frames_lost", "Frames lost that waited for a neighbor", "reason")
        self._icmp_sent = self._counter("icmp_errors_sent", "ICMP errors sent", "error")
        self._icmp_suppressed = self._counter("icmp_errors_suppressed", "ICMP errors not sent", "error", "reason")
        self._refused = self._counter("updates_refused", "Updates that the device refused")
        self._neighbors = Gauge(
            "headgate_neighbors", "Neighbors, by whether they are found", ["state"], registry=self.registry
        )
        self._connected = Gauge("headgate_device_connected", "1 while the device is served", registry=self.registry)
        self._readings = _Readings()
        self.registry.register(self._readings)
        Gauge("headgate_device_info", "Which device this is", ["device"], registry=self.registry).labels(device).set(1)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"headgate_{name}", documentation, labels, registry=self.registry)

    def packet_in(self, reason: PuntReason) -> None:
        """A packet-in was taken from the queue."""
        self._packet_ins.labels(reason.name.lower()).inc()

    def malformed(self, layer: str) -> None:
        """A packet-in is not what it should be."""
        self._malformed.labels(layer).inc()

    def resolution(self, result: str) -> None:
        """A neighbor was `resolved`, could not be (`failed`), or no longer answers (`lost`)."""
        self._resolutions.labels(result).inc()

    def neighbor_message_ignored(self) -> None:
        """Somebody spoke for an address that can't be a neighbor's."""
        self._ignored.inc()

    def frame_lost(self, reason: str, frames: int = 1) -> None:
        """Frames that waited for a neighbor are gone."""
        self._frames_lost.labels(reason).inc(frames)

    def icmp_sent(self, error: IcmpError) -> None:
        """An ICMP error was sent."""
        self._icmp_sent.labels(error.name.lower()).inc()

    def icmp_suppressed(self, error: IcmpError, reason: str) -> None:
        """An ICMP error was not sent."""
        self._icmp_suppressed.labels(error.name.lower(), reason).inc()

    def updates_refused(self, updates: int) -> None:
        """The device refused some updates."""
        self._refused.inc(updates)

    def watch_neighbors(self, known: Callable[[], int], unresolved: Callable[[], int]) -> None:
        """Where to ask how many neighbors there are; asked from another thread, whenever somebody reads the metrics."""
        self._neighbors.labels("known").set_function(known)
        self._neighbors.labels("unresolved").set_function(unresolved)

    def watch_flow_cache(self, held: Callable[[], Mapping[str, int]], events: Callable[[], Mapping[str, int]]) -> None:
        """Where to ask what is learned, and what became of what was reported; asked from another thread."""
        self._readings.held = held
        self._readings.events = events

    def connected(self, connected: bool) -> None:
        """The device came or went."""
        self._connected.set(connected)

    def read(self, *, drops: Mapping[DropReason, int], packet_ins_lost: int) -> None:
        """What others count, in packets: the device, why it dropped; its stream, what found the queue full."""
        self._readings.drops = drops
        self._readings.packet_ins_lost = packet_ins_lost


class _Readings(Collector):
    """Counters that are counted elsewhere, as they were read last."""

    def __init__(self) -> None:
        self.drops: Mapping[DropReason, int] = {}
        self.packet_ins_lost = 0
        self.held: Callable[[], Mapping[str, int]] = dict
        self.events: Callable[[], Mapping[str, int]] = dict

    def collect(self) -> Iterator[Metric]:
        held = GaugeMetricFamily("headgate_learned", "Entries learned from traffic", labels=["kind"])
        for kind, entries in self.held().items():
            held.add_metric([kind], entries)
        yield held
        events = CounterMetricFamily("headgate_learning_events", "What became of reports and packets", labels=["event"])
        for event, count in self.events().items():
            events.add_metric([event], count)
        yield events
        yield CounterMetricFamily(
            "headgate_packet_ins_lost", "Packet-ins lost because the queue was full", value=self.packet_ins_lost
        )
        drops = CounterMetricFamily("headgate_drops", "Packets the device dropped", labels=["reason"])
        for reason, packets in self.drops.items():
            drops.add_metric([reason.name.lower()], packets)
        yield drops
