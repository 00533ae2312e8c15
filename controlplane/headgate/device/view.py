# SPDX-License-Identifier: Apache-2.0
"""What anybody may ask of a device: its pipeline, its entities, its counters. Reading takes no election."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any, Self

from finsy import (
    GRPCStatusCode,
    P4Client,
    P4ClientError,
    P4CloneSessionEntry,
    P4CounterData,
    P4CounterEntry,
    P4MeterEntry,
    P4MulticastGroupEntry,
    P4RuntimeVersion,
    P4TableEntry,
)
from finsy.p4entity import decode_entity
from finsy.proto import U128, p4r

from headgate.device.errors import DeviceRefused, DeviceUnreachable, PipelineMismatch, as_device_error
from headgate.device.programs import program as load_program
from headgate.systems import Entity
from headgate.vocabulary import PuntReason

_ARBITRATION_TIMEOUT_S = 10.0


class Pipeline(Enum):
    """What a device runs, compared with the program we know."""

    MATCHES = "matches"
    OTHER = "other"
    NONE = "none"


class DeviceView:
    """A device to read from: an asynchronous context manager.

    Args:
        address: `host:port` of its P4Runtime server.
        device_id: of the device behind that server.
        program: the program whose names entities are read and written by.
    """

    def __init__(self, address: str, *, device_id: int = 1, program: str = "nic") -> None:
        self.address = address
        self.device_id = device_id
        self.program = program
        self.schema = load_program(program)
        self._client = P4Client(address, wait_for_ready=False)

    async def __aenter__(self) -> Self:
        """Raises: DeviceUnreachable."""
        await self._client.open(schema=self.schema)
        try:
            async with self._errors():
                capabilities = await self._client.request(p4r.CapabilitiesRequest())
            version = P4RuntimeVersion.parse(capabilities.p4runtime_api_version)
            self.schema.set_p4runtime_version(version)
        except BaseException:
            await self._client.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def pipeline(self) -> Pipeline:
        """Whether the device runs our program: the cookie is a hash of all that was pushed."""
        request = p4r.GetForwardingPipelineConfigRequest(
            device_id=self.device_id,
            response_type=p4r.GetForwardingPipelineConfigRequest.COOKIE_ONLY,
        )
        try:
            reply = await self._client.request(request)
        except P4ClientError as error:
            if error.code == GRPCStatusCode.FAILED_PRECONDITION:
                return Pipeline.NONE
            raise as_device_error(self.address, error) from error
        if not reply.HasField("config"):
            return Pipeline.NONE
        return Pipeline.MATCHES if reply.config.cookie.cookie == self.schema.p4cookie else Pipeline.OTHER

    async def primary(self) -> int | None:
        """The election id of the controller in charge, if there is one.

        Asked by a bid without an id of one's own, which does not win (P4Runtime 16.2.1).

        Raises: DeviceUnreachable, DeviceRefused.
        """
        arbitration = await self._bid(None)
        elected = U128.decode(arbitration.election_id)
        return elected if arbitration.status.code == GRPCStatusCode.ALREADY_EXISTS else None

    async def _bid(self, election_id: int | None) -> p4r.MasterArbitrationUpdate:
        encoded = U128.encode(election_id) if election_id is not None else None
        bid = p4r.MasterArbitrationUpdate(device_id=self.device_id, election_id=encoded)
        async with self._errors():
            await self._client.send(p4r.StreamMessageRequest(arbitration=bid))
        try:
            reply = await asyncio.wait_for(self._next_message(), _ARBITRATION_TIMEOUT_S)
        except TimeoutError:
            raise DeviceUnreachable(self.address, "no answer to our bid for primary") from None
        if not reply.HasField("arbitration"):
            raise DeviceRefused(self.address, f"answered our bid for primary with {reply.WhichOneof('update')}")
        return reply.arbitration

    async def _next_message(self) -> p4r.StreamMessageResponse:
        try:
            async with self._errors():
                return await self._client.receive()
        except RuntimeError as error:  # what finsy makes of a stream that the device closed
            raise DeviceUnreachable(self.address, "the device closed the stream") from error

    async def read(self) -> list[Entity]:
        """Everything that a configuration decides on: table entries but `const` ones, default actions that can be set,
        multicast groups, clone sessions and punt meters. Counters are left out.

        Raises: DeviceUnreachable, DeviceRefused, PipelineMismatch.
        """
        writable = [table for table in self.schema.tables if not table.is_const]
        return await self._read(
            [
                *(P4TableEntry(table.alias) for table in writable if table.match_fields),
                *(
                    P4TableEntry(table.alias, is_default_action=True)
                    for table in writable
                    if table.const_default_action is None
                ),
                P4MulticastGroupEntry(),
                P4CloneSessionEntry(),
                *(P4MeterEntry("punt_meter", index=reason) for reason in PuntReason if reason is not PuntReason.NONE),
            ]
        )

    async def entries(self, table: str) -> list[P4TableEntry]:
        """The entries of one table with their counters, if it has any, and a default action that can be set.

        Raises: ValueError (no such table); otherwise as `read`.
        """
        info = self.schema.tables[table]
        counters = P4CounterData() if info.direct_counter is not None else None
        patterns = [P4TableEntry(info.alias, counter_data=counters)] if info.match_fields else []
        if info.const_default_action is None:
            patterns.append(P4TableEntry(info.alias, is_default_action=True))
        return await self._read(patterns)

    async def counter(self, name: str) -> dict[int, P4CounterData]:
        """Every row of an indirect counter, by its index. Raises: as `read`."""
        rows = await self._read([P4CounterEntry(name)])
        return {row.index: row.data or P4CounterData() for row in rows}

    async def _read(self, patterns: Iterable[Any]) -> list[Any]:
        """What matches each of `patterns`, in their order."""
        messages: list[p4r.Entity] = []
        try:
            for pattern in patterns:  # a request each, and nothing decoded meanwhile: every RPC has a deadline
                messages += await self._read_messages(pattern.encode(self.schema))
            return [decode_entity(message, self.schema) for message in messages]
        except (DeviceRefused, ValueError) as error:
            if (pipeline := await self.pipeline()) is not Pipeline.MATCHES:
                raise self._mismatch(pipeline) from error
            raise

    async def _read_messages(self, pattern: p4r.Entity) -> list[p4r.Entity]:
        request = p4r.ReadRequest(device_id=self.device_id, entities=[pattern])
        async with self._errors():
            return [entity async for reply in self._client.request_iter(request) for entity in reply.entities]

    def _mismatch(self, pipeline: Pipeline) -> PipelineMismatch:
        runs = "runs no program" if pipeline is Pipeline.NONE else f"runs a program that is not our {self.program!r}"
        return PipelineMismatch(self.address, f"{runs}: `headgate apply` pushes it")

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except P4ClientError as error:
            raise as_device_error(self.address, error) from error
