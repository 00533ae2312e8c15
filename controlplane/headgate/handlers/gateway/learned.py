# SPDX-License-Identifier: Apache-2.0
"""Reads from a device what the running controller has to know of it: epochs, and what was learned."""

from __future__ import annotations

from finsy import Action

from headgate.device import DeviceView
from headgate.handlers.gateway.entries import MAPPING_IN, MAPPING_OUT, Entry, EntryCodec
from headgate.handlers.gateway.keys import FAMILIES
from headgate.systems.entity import LEARNED


async def epochs_of(device: DeviceView) -> dict[bytes, bytes]:
    """Of each tenant, by its id as in a key: its own epoch, then its router's; four bytes each.

    Raises: DeviceUnreachable, DeviceRefused.
    """
    routers: dict[int, int] = {}
    for entry in await device.entries("router"):
        if not entry.is_default_action and isinstance(entry.action, Action):
            routers[entry["router_id"]] = entry.action.args["epoch"]
    epochs: dict[bytes, bytes] = {}
    for entry in await device.entries("tenant"):
        if not entry.is_default_action and isinstance(entry.action, Action):
            args = entry.action.args
            router_epoch = routers.get(args["router_id"], 0)
            epochs[entry["tenant_id"].to_bytes(2, "big")] = _octets(args["epoch"]) + _octets(router_epoch)
    return epochs


def _octets(epoch: int) -> bytes:
    return epoch.to_bytes(4, "big")


async def learned_flows(device: DeviceView, codec: EntryCodec) -> list[Entry]:
    """Sessions, then cached flows and aggregates. Raises: DeviceUnreachable, DeviceRefused."""
    tables = [family.sessions for family in FAMILIES]
    tables += [table for family in FAMILIES for table in (family.cache, family.aggregate)]
    return [codec.decode(entry) for table in tables async for entry in device.raw_entries(table)]


async def learned_mappings(device: DeviceView, codec: EntryCodec) -> list[Entry]:
    """NAT mappings that no configuration asks for. Raises: DeviceUnreachable, DeviceRefused."""
    entries = [codec.decode(entry) for table in (MAPPING_OUT, MAPPING_IN) async for entry in device.raw_entries(table)]
    return [entry for entry in entries if entry.metadata == LEARNED]
