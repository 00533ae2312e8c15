# SPDX-License-Identifier: Apache-2.0
"""What a controller does for gateways while packets pass: sessions and mappings for both, cache entries for one.

It does it late, in any order, and more than once, as a controller may.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address
from random import Random

from finsy import Action, Match, P4Schema, P4TableEntry
from finsy.proto import p4r
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether

from headgate.handlers.gateway.entries import Entry, EntryCodec
from headgate.handlers.gateway.samples import FlowSample
from headgate.handlers.gateway.synthesis import Timeouts, synthesise
from headgate.vocabulary import CPU_PORT, PuntReason

from .gateways import Gateway, Seen

Endpoint = tuple[int, int, str, int]
"""Of a mapping: tenant, protocol, address, port."""

_PACKET_IN = struct.Struct("!HBHHHHIHHI16s")
"""`packet_in_t`: ingress_port, reason, tenant_id, segment_id, router_id, tunnel_id, network_id, pool_id,
out_segment_id, next_hop_id, next_hop."""
_REMEMBERED = 4096


class Controller:
    """Of two gateways, of which only `cached` has its flow cache filled.

    Args:
        outside: the addresses that each tenant's pool has.
    """

    def __init__(
        self, schema: P4Schema, cached: Gateway, uncached: Gateway, outside: Mapping[int, Sequence[str]], random: Random
    ) -> None:
        self._schema = schema
        self._codec = EntryCodec(schema)
        self._cached, self._both = cached, (cached, uncached)
        self._outside = outside
        self._random = random
        self._waiting: list[FlowSample] = []
        self._results: dict[tuple[str, bytes], FlowSample] = {}  # in the cache, and the packet they are from
        self._sessions: dict[tuple[str, bytes], bytes] = {}
        self.mappings: dict[Endpoint, Endpoint] = {}
        """Inside endpoint -> outside endpoint."""

    def heard(self, seen: Seen, samples: Iterable[FlowSample]) -> None:
        """Take note of what came of a packet, and of what is reported of it."""
        self._waiting += samples
        for port, data in seen.outputs:
            if port == CPU_PORT:
                self._punted(data)

    def catch_up(self) -> None:
        """Do some of what there is to do, in any order; what was done may come up again."""
        self._random.shuffle(self._waiting)
        done = [self._waiting.pop() for _ in range(self._random.randint(0, len(self._waiting)))]
        for sample in done:
            for entry in synthesise(sample, Timeouts()):
                self._install(entry, sample)
        self._waiting += [sample for sample in done if self._random.random() < 0.1]
        del self._waiting[:-_REMEMBERED]

    def _install(self, entry: Entry, sample: FlowSample) -> None:
        place = entry.table, entry.key
        if entry.table.startswith("firewall_session"):
            if place not in self._sessions:
                self._sessions[place] = sample.flow
                self._write(self._both, p4r.Update.INSERT, entry)
        else:
            self._write([self._cached], p4r.Update.MODIFY if place in self._results else p4r.Update.INSERT, entry)
            self._results[place] = sample

    def forget_something(self) -> None:
        """A session or a mapping ends, after all that was recorded while it was there."""
        if self._sessions and self._random.random() < 0.5:
            (table, key), flow = self._random.choice([*self._sessions.items()])
            self._forget_results(flow[:2])
            self._write(self._both, p4r.Update.DELETE, Entry(table, key))
            del self._sessions[table, key]
        elif self.mappings:
            inside = self._random.choice([*self.mappings])
            self._forget_results(inside[0].to_bytes(2))
            for entry in self._mapping_entries(inside, self.mappings.pop(inside)):
                self._write_entry(-entry)

    def _forget_results(self, tenant_id: bytes) -> None:
        """The tenant's results: which of them hung on what ends, nobody asks."""
        self._waiting = [sample for sample in self._waiting if sample.tenant_id != tenant_id]
        for table, key in [place for place, sample in self._results.items() if sample.tenant_id == tenant_id]:
            self._write([self._cached], p4r.Update.DELETE, Entry(table, key))
            del self._results[table, key]

    def sweep(self) -> None:
        """Delete half of what is in the cache."""
        for table, key in [place for place in self._results if self._random.random() < 0.5]:
            self._write([self._cached], p4r.Update.DELETE, Entry(table, key))
            del self._results[table, key]

    # ---- translation

    def _punted(self, data: bytes) -> None:
        _, reason, tenant_id, *_ = _PACKET_IN.unpack_from(data)
        if reason == PuntReason.NAT_MAPPING_MISS:
            packet = Ether(data[_PACKET_IN.size :])[IP]
            transport = next(packet[layer] for layer in (TCP, UDP, ICMP) if layer in packet)
            port = transport.id if isinstance(transport, ICMP) else transport.sport
            inside = tenant_id, packet.proto, packet.src, port
            if inside not in self.mappings:
                self._map(inside, self._outside[tenant_id])

    def _map(self, inside: Endpoint, addresses: Sequence[str]) -> None:
        tenant_id, protocol, *_ = inside
        taken = set(self.mappings.values())
        while (
            outside := (tenant_id, protocol, self._random.choice(addresses), self._random.randint(1024, 65535))
        ) in taken:
            pass
        self.mappings[inside] = outside
        for entry in self._mapping_entries(inside, outside):
            self._write_entry(+entry)

    def _mapping_entries(self, inside: Endpoint, outside: Endpoint) -> list[P4TableEntry]:
        def mapping(table: str, where: str, action: str, at: Endpoint, to: Endpoint) -> P4TableEntry:
            tenant_id, protocol, address, port = at
            key = {"tenant_id": tenant_id, "protocol": protocol, f"{where}_addr": address, f"{where}_port": port}
            return P4TableEntry(
                table, match=Match(key), action=Action(action, addr=int(IPv4Address(to[2])), port=to[3])
            )

        return [
            mapping("nat_mapping_out", "src", "translate_source", inside, outside),
            mapping("nat_mapping_in", "dst", "translate_destination", outside, inside),
        ]

    def _write_entry(self, update: P4TableEntry) -> None:
        for gateway in self._both:
            gateway.write([update.encode_update(self._schema)])

    def _write(self, gateways: Iterable[Gateway], update_type: p4r.Update.Type.ValueType, entry: Entry) -> None:
        update = p4r.WriteRequest.FromString(self._codec.encode(update_type, entry)).updates[0]
        for gateway in gateways:
            gateway.write([update])
