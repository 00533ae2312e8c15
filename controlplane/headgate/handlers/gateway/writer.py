# SPDX-License-Identifier: Apache-2.0
"""Carries out changes that were decided on elsewhere, in requests of a few hundred updates."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol, TypeVar

from finsy import GRPCStatusCode
from finsy.proto import p4r

from headgate.device import Device
from headgate.handlers.gateway.entries import EntryCodec
from headgate.handlers.gateway.flow_cache import Change

MAX_UPDATES = 256
"""In a request. If each of them is refused, the reasons still fit into the 64 KiB of metadata that a reply may have."""

_Waiting_co = TypeVar("_Waiting_co", covariant=True)


class Owner(Protocol[_Waiting_co]):
    """Who decided on changes, and is told what became of them."""

    def refused(self, change: Change, code: GRPCStatusCode, now_ns: int) -> list[Change]:
        """The device has not made a change. Returns: what to do instead."""
        ...

    def written(self, changes: Sequence[Change], now_ns: int) -> Sequence[_Waiting_co]:
        """The device has made these changes. Returns: what waited for them."""
        ...


class Writer:
    """Writes to one device. Any number of callers may wait for it at a time."""

    def __init__(self, device: Device, codec: EntryCodec) -> None:
        self._device = device
        self._codec = codec

    async def carry_out(self, owner: Owner[_Waiting_co], changes: Sequence[Change]) -> list[_Waiting_co]:
        """Make changes, and what `owner` wants instead of those that the device refuses.

        Returns: what waited for them.
        Raises: DeviceUnreachable, NotPrimary.
        """
        ready: list[_Waiting_co] = []
        while changes:
            batch, changes = changes[:MAX_UPDATES], changes[MAX_UPDATES:]
            failures = await self._request(batch)
            now_ns = time.monotonic_ns()
            if not failures:
                ready += owner.written(batch, now_ns)
                continue
            instead = [
                change for index, code in failures.items() for change in owner.refused(batch[index], code, now_ns)
            ]
            ready += owner.written([change for index, change in enumerate(batch) if index not in failures], now_ns)
            changes = [*changes, *instead]
        return ready

    async def _request(self, batch: Sequence[Change]) -> dict[int, GRPCStatusCode]:
        """Returns: why updates were refused, by their places in the batch."""
        encoded = b"".join([self._codec.encode(change.type, change.entry) for change in batch])
        failures = await self._device.write_raw(p4r.WriteRequest.FromString(encoded))
        return {index: failure.code for index, failure in failures.items()}
