# SPDX-License-Identifier: Apache-2.0
"""What a gateway's flow cache holds, and how often it answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_address

from finsy.proto import p4r

from headgate.device import Device, DeviceView, UpdateFailure
from headgate.handlers.gateway.entries import ALL_FIELDS, Entry, EntryCodec, consulted_fields
from headgate.handlers.gateway.keys import FAMILIES, TENANT, family_of_flow, is_aggregate
from headgate.handlers.gateway.learned import epochs_of
from headgate.handlers.gateway.writer import MAX_UPDATES
from headgate.reports.accounting import Count
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CacheOutcome, DropReason, Protocol

_COUNTED = (
    CacheOutcome.HIT,
    CacheOutcome.AGGREGATE_HIT,
    CacheOutcome.STALE,
    CacheOutcome.MISS,
    CacheOutcome.BYPASS,
)


@dataclass(frozen=True, slots=True)
class CachedFlow:
    """An entry of the flow cache. In an aggregate, what may be anything is None.

    Attributes:
        result: ``forward``, ``translate`` or ``refuse``.
        becomes: Source and destination after translation, each as ``ADDRESS:PORT``.
        reason: Why it is refused.
        current: Whether it holds: False once its tenant's epoch, or its router's, has ended.
    """

    tenant_id: int
    segment_id: int
    protocol: str | None
    src_addr: str | None
    src_port: int | None
    dst_addr: str | None
    dst_port: int | None
    aggregate: bool
    result: str
    next_hop_id: int | None
    becomes: tuple[str, str] | None
    reason: str | None
    rule_id: int
    current: bool
    count: Count


@dataclass(frozen=True, slots=True)
class TenantCache:
    """A tenant's share of the flow cache.

    Attributes:
        outcomes: Packets by `CacheOutcome`'s names.
        policed: Packets that were not reported for learning, because there were too many.
        flows, aggregates: Entries that hold.
        stale: Entries that hold no more, and are not swept yet.
    """

    tenant_id: int
    outcomes: dict[str, int]
    policed: int
    flows: int
    aggregates: int
    stale: int

    @property
    def hit_rate(self) -> float | None:
        """Of the packets that were looked up, the share that was found; None if there were none."""
        found = self.outcomes["HIT"] + self.outcomes["AGGREGATE_HIT"]
        looked_up = found + self.outcomes["STALE"] + self.outcomes["MISS"]
        return found / looked_up if looked_up else None


async def cached_flows(device: DeviceView, tenant_id: int | None = None) -> list[CachedFlow]:
    """All entries, or those of one tenant; the most used ones first.

    Raises: DeviceUnreachable, DeviceRefused.
    """
    epochs = await epochs_of(device)
    flows = [
        _described(entry, count, epochs)
        async for entry, count in _entries(device, EntryCodec(device.schema))
        if tenant_id is None or entry.key[TENANT] == tenant_id.to_bytes(2, "big")
    ]
    return sorted(flows, key=lambda flow: -flow.count.packets)


async def tenant_caches(device: DeviceView) -> list[TenantCache]:
    """Every tenant's share. Raises: DeviceUnreachable, DeviceRefused."""
    epochs = await epochs_of(device)
    outcomes, policed = await device.counter("cache_outcome"), await device.counter("learning_policed")
    held = {tenant: [0, 0, 0] for tenant in epochs}  # flows, aggregates, stale
    async for entry, _ in _entries(device, EntryCodec(device.schema)):
        tenant = entry.key[TENANT]
        kind = int(is_aggregate(entry.key)) if _epochs(entry) == epochs.get(tenant) else 2
        held.setdefault(tenant, [0, 0, 0])[kind] += 1
    tenants = sorted((int.from_bytes(tenant, "big"), *counts) for tenant, counts in held.items())
    return [
        TenantCache(
            tenant_id,
            {outcome.name: _packets(outcomes, tenant_id * CACHE_OUTCOMES_PER_TENANT + outcome) for outcome in _COUNTED},
            _packets(policed, tenant_id),
            flows,
            aggregates,
            stale,
        )
        for tenant_id, flows, aggregates, stale in tenants
    ]


async def flush(device: Device, tenant_id: int | None = None) -> tuple[int, list[UpdateFailure]]:
    """Delete all entries, or those of one tenant; sessions and NAT mappings stay.

    Returns: how many were to be deleted, and what the device refused.
    Raises: DeviceUnreachable, DeviceRefused, NotPrimary.
    """
    codec = EntryCodec(device.schema)
    deletes = [
        codec.encode(p4r.Update.DELETE, entry)
        async for entry, _ in _entries(device, codec)
        if tenant_id is None or entry.key[TENANT] == tenant_id.to_bytes(2, "big")
    ]
    failures: list[UpdateFailure] = []
    for start in range(0, len(deletes), MAX_UPDATES):
        request = p4r.WriteRequest.FromString(b"".join(deletes[start : start + MAX_UPDATES]))
        failures += (await device.write_raw(request)).values()
    return len(deletes), failures


async def _entries(device: DeviceView, codec: EntryCodec) -> AsyncIterator[tuple[Entry, Count]]:
    for table in (table for family in FAMILIES for table in (family.cache, family.aggregate)):
        async for message in device.raw_entries(table, counters=True):
            counted = message.counter_data
            yield codec.decode(message), Count(counted.packet_count, counted.byte_count)


def _described(entry: Entry, count: Count, epochs: dict[bytes, bytes]) -> CachedFlow:
    family = family_of_flow(entry.key)
    aggregate = is_aggregate(entry.key)
    fields: list[bytes | None] = list(family.flow.unpack_from(entry.key))
    matched = consulted_fields(entry.key[-1] if aggregate else ALL_FIELDS)
    tenant, segment, src, dst, protocol, src_port, dst_port = (
        value if place in matched else None for place, value in enumerate(fields)
    )
    refused = entry.action == "refuse"
    return CachedFlow(
        _number(tenant) or 0,
        _number(segment) or 0,
        _protocol(protocol),
        _address(src),
        _number(src_port),
        _address(dst),
        _number(dst_port),
        aggregate,
        entry.action,
        None if refused else int.from_bytes(entry.args[2], "big"),
        _translation(entry.args[4:]) if entry.action == "translate" else None,
        _reason(entry.args[2][0]) if refused else None,
        int.from_bytes(entry.args[3], "big"),
        _epochs(entry) == epochs.get(entry.key[TENANT]),
        count,
    )


def _epochs(entry: Entry) -> bytes:
    return entry.args[0] + entry.args[1]


def _number(value: bytes | None) -> int | None:
    return None if value is None else int.from_bytes(value, "big")


def _address(value: bytes | None) -> str | None:
    return None if value is None else str(ip_address(value))


def _protocol(value: bytes | None) -> str | None:
    if value is None:
        return None
    return Protocol(value[0]).name.lower() if value[0] in set(Protocol) else str(value[0])


def _reason(number: int) -> str:
    return DropReason(number).name if number in set(DropReason) else str(number)


def _translation(args: tuple[bytes, ...]) -> tuple[str, str]:
    src, src_port, dst, dst_port = args
    return f"{_address(src)}:{_number(src_port)}", f"{_address(dst)}:{_number(dst_port)}"


def _packets(rows: dict, row: int) -> int:
    return rows[row].packet_count if row in rows else 0
