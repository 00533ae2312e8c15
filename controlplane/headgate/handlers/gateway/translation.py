# SPDX-License-Identifier: Apache-2.0
"""NAT mappings: a packet that has none waits until the device has one for it. No device is touched here."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from finsy import GRPCStatusCode

from headgate.handlers.gateway.entries import MAPPING_IN, MAPPING_OUT, Entry
from headgate.handlers.gateway.flow_cache import DELETE, INSERT, MODIFY, RECENT_NS, Change, corrected
from headgate.handlers.gateway.flow_index import FlowIndex
from headgate.handlers.gateway.nat_ports import Pool, PoolKey, PortAllocator
from headgate.handlers.gateway.synthesis import ICMP, TCP, UDP, Timeouts
from headgate.protocols.errors import DecodeError
from headgate.protocols.ethernet import Frame
from headgate.protocols.ip import Ipv4Packet
from headgate.systems.entity import LEARNED

WAITING_FRAMES = 3
"""Kept for each endpoint, as for a neighbor (RFC 4861 7.2.2)."""

_PORTS = struct.Struct("!HH")
_ECHO_REQUEST = 8


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A packet of a tenant that has no NAT mapping.

    Attributes:
        frame: As it was received.
    """

    tenant_id: int
    segment_id: int
    router_id: int
    pool_id: int
    frame: bytes


class Translation:
    """The NAT mappings of one device.

    Attributes:
        allocator: Who has which outside endpoint.
        counts: What became of packets and mappings, by name.
    """

    def __init__(self, pools: Mapping[PoolKey, Pool], timeouts: Timeouts, quarantine_ns: int, random: Random) -> None:
        self._timeouts = timeouts
        self.allocator = PortAllocator(pools, quarantine_ns, random)
        self.counts: Counter[str] = Counter()
        self._waiting: dict[bytes, list[Untranslated]] = {}
        self._leaving: set[bytes] = set()
        self._written_ns: dict[bytes, int] = {}

    @property
    def mappings(self) -> Mapping[bytes, bytes]:
        """Inside endpoints to {protocol, address, port} outside."""
        return self.allocator.mappings

    def punted(self, packet: Untranslated, now_ns: int) -> tuple[list[Change], list[Untranslated]]:
        """What to write for a packet, and which packets to submit again at once. The others wait for `written`."""
        try:
            endpoint = source_endpoint(packet)
        except DecodeError:
            self.counts["malformed"] += 1
            return [], []
        if endpoint in self._leaving:
            self.counts["leaving"] += 1
            return [], []
        if endpoint in self._waiting:
            self._wait(endpoint, packet)
            return [], []
        if endpoint in self.mappings:
            written_ns = self._written_ns.get(endpoint)
            if written_ns is not None and now_ns - written_ns < RECENT_NS:
                return [], [packet]  # it was on its way when the mapping was written
        outside = self.allocator.allocate(packet.pool_id, endpoint, now_ns)
        if outside is None:
            self.counts["exhausted"] += 1
            return [], []
        known = endpoint in self._written_ns
        self._wait(endpoint, packet)
        return [Change(MODIFY if known else INSERT, entry) for entry in self._entries(endpoint, outside)], []

    def _wait(self, endpoint: bytes, packet: Untranslated) -> None:
        waiting = self._waiting.setdefault(endpoint, [])
        if len(waiting) == WAITING_FRAMES:
            waiting.pop(0)  # the newest replaces the oldest
            self.counts["queue_full"] += 1
        waiting.append(packet)

    def written(self, changes: Sequence[Change], now_ns: int) -> list[Untranslated]:
        """The device has made these changes. Returns: what waited for them, to be submitted again."""
        ready: list[Untranslated] = []
        for change in changes:
            entry = change.entry
            if entry.table != MAPPING_OUT:
                continue
            if change.type == DELETE:
                self._leaving.discard(entry.key)
            elif entry.key in self.mappings:
                self._written_ns[entry.key] = now_ns
                ready += self._waiting.pop(entry.key, ())
        return ready

    def refused(self, change: Change, code: GRPCStatusCode, now_ns: int) -> list[Change]:
        """The device has not made a change. Returns: what to do instead."""
        entry = change.entry
        if change.type == DELETE:
            self._leaving.discard(entry.key)
            return []
        if (instead := corrected(change, code)) is not None:
            return [instead]
        self.counts["refused"] += 1
        endpoint = entry.key if entry.table == MAPPING_OUT else self.allocator.inside_of(entry.key[2:])
        if endpoint is None or endpoint not in self.mappings:
            return []
        self.counts["frames_lost"] += len(self._waiting.pop(endpoint, ()))
        return self._forget(endpoint, now_ns)

    def idle(self, entries: Iterable[Entry], index: FlowIndex, now_ns: int) -> list[Change]:
        """What to delete of the mappings that the device says no packet took the slow path by for their timeout."""
        changes: list[Change] = []
        for entry in entries:
            endpoint = entry.key
            if endpoint not in self.mappings or endpoint in self._waiting or index.is_used(endpoint):
                continue
            released_ns = index.released_ns(endpoint)
            if released_ns is not None and now_ns - released_ns < self._timeouts.lasting(endpoint[2:3]):
                continue
            index.remove_mapping(endpoint)
            changes += self._forget(endpoint, now_ns)
        return changes

    def configure(self, pools: Mapping[PoolKey, Pool], timeouts: Timeouts, now_ns: int) -> list[Change]:
        """Go on with other settings. Returns: deletions of mappings that are of none of the pools."""
        self._timeouts = timeouts
        lost = self.allocator.replace_pools(pools)
        return [change for endpoint in lost for change in self._forget(endpoint, now_ns)]

    def adopt(self, entries: Iterable[Entry]) -> list[Change]:
        """Take over the mappings that an earlier controller left on the device.

        Returns: deletions of those that no pool has, and of those that work in one direction only.
        """
        outs: dict[bytes, bytes] = {}
        ins: dict[bytes, bytes] = {}
        for entry in entries:
            address, port = entry.args
            if entry.table == MAPPING_OUT:
                outs[entry.key] = entry.key[2:3] + address + port
            else:
                ins[entry.key] = entry.key[:3] + address + port
        changes: list[Change] = []
        for endpoint, outside in outs.items():
            key = endpoint[:2] + outside
            if ins.get(key) == endpoint and self.allocator.adopt(endpoint, outside):
                del ins[key]
                self._written_ns[endpoint] = 0
            else:
                changes.append(Change(DELETE, Entry(MAPPING_OUT, endpoint)))
        return changes + [Change(DELETE, Entry(MAPPING_IN, key)) for key in ins]

    def _entries(self, endpoint: bytes, outside: bytes) -> tuple[Entry, Entry]:
        timeout_ns = self._timeouts.first(endpoint[2:3])
        there = (outside[1:5], outside[5:])
        back = (endpoint[3:7], endpoint[7:])
        return (
            Entry(MAPPING_IN, endpoint[:2] + outside, "translate_destination", back, metadata=LEARNED),
            Entry(MAPPING_OUT, endpoint, "translate_source", there, timeout_ns, LEARNED),
        )

    def _forget(self, endpoint: bytes, now_ns: int) -> list[Change]:
        outside = self.allocator.release(endpoint, now_ns)
        self._written_ns.pop(endpoint, None)
        self._leaving.add(endpoint)
        return [Change(DELETE, Entry(MAPPING_OUT, endpoint)), Change(DELETE, Entry(MAPPING_IN, endpoint[:2] + outside))]


def source_endpoint(packet: Untranslated) -> bytes:
    """The inside endpoint that sent a packet. Raises: DecodeError (it has none that could be translated)."""
    ip = Ipv4Packet.parse(Frame.parse(packet.frame).payload)
    protocol = bytes((ip.protocol,))
    if ip.fragment_offset or len(ip.payload) < 8:
        raise DecodeError("NAT", "no ports")
    if protocol in (TCP, UDP):
        port = ip.payload[:2]
    elif protocol == ICMP and ip.payload[0] == _ECHO_REQUEST:
        port = ip.payload[4:6]
    else:
        raise DecodeError("NAT", f"protocol {ip.protocol} has no ports")
    return packet.tenant_id.to_bytes(2, "big") + protocol + ip.src.packed + port
