# SPDX-License-Identifier: Apache-2.0
"""What anybody may ask of a device: its pipeline, its entities, its counters. Reading takes no election."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence, Set
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
    P4DigestEntry,
    P4MeterEntry,
    P4MulticastGroupEntry,
    P4RuntimeVersion,
    P4TableEntry,
)
from finsy.p4entity import decode_entity
from finsy.proto import U128, p4r

from headgate.device.errors import DeviceRefused, DeviceUnreachable, PipelineMismatch, as_device_error
from headgate.device.programs import PROGRAMS
from headgate.device.programs import program as load_program
from headgate.systems import Entity

_ARBITRATION_TIMEOUT_S = 30.0


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

    async def read(self, meters: Iterable[P4MeterEntry] = (), without: Set[str] = frozenset()) -> list[Entity]:
        """Everything that a configuration decides on: table entries but `const` ones, default actions that can be set,
        multicast groups, clone sessions, digests and meters. Counters are left out.

        Args:
            meters: the rows of meters to read.
            without: tables to leave out.

        Raises: DeviceUnreachable, DeviceRefused, PipelineMismatch.
        """
        tables = [table for table in self.schema.tables if not table.is_const and table.alias not in without]
        defaults = [table for table in tables if table.const_default_action is None and table.action_profile is None]
        rows = [P4MeterEntry(meter.meter_id, index=meter.index) for meter in meters]
        return await self._read(
            [
                *([P4TableEntry(table.alias)] for table in tables if table.match_fields),
                *([P4TableEntry(table.alias, is_default_action=True)] for table in defaults),
                [P4MulticastGroupEntry()],
                [P4CloneSessionEntry()],
                *([P4DigestEntry(digest.alias)] for digest in self.schema.digests),
                rows,
            ]
        )

    async def entries(self, table: str) -> list[P4TableEntry]:
        """The entries of one table with their counters, if it has any, and a default action that can be set.

        Raises: ValueError (no such table); otherwise as `read`.
        """
        info = self.schema.tables[table]
        counters = P4CounterData() if info.direct_counter is not None else None
        patterns = [[P4TableEntry(info.alias, counter_data=counters)]] if info.match_fields else []
        if info.const_default_action is None and info.action_profile is None:
            patterns.append([P4TableEntry(info.alias, is_default_action=True)])
        return await self._read(patterns)

    async def raw_entries(self, table: str, *, counters: bool = False) -> AsyncIterator[p4r.TableEntry]:
        """The entries of one table as they arrive, undecoded: for tables that hold very many.

        Args:
            counters: With their counters, which takes longer.

        Raises: DeviceUnreachable, DeviceRefused.
        """
        pattern = P4TableEntry(table, counter_data=P4CounterData() if counters else None)
        entity = pattern.encode(self.schema)
        request = p4r.ReadRequest(device_id=self.device_id, entities=[entity])
        async with self._errors():
            async for reply in self._client.request_iter(request):
                for found in reply.entities:
                    yield found.table_entry

    async def counter(self, name: str, *rows: int) -> dict[int, P4CounterData]:
        """Rows of an indirect counter by their index: every one, unless some are named. Raises: as `read`."""
        found = await self._read([[P4CounterEntry(name, index=row) for row in rows] or [P4CounterEntry(name)]])
        return {entry.index: entry.data or P4CounterData() for entry in found}

    async def _read(self, requests: Iterable[Sequence[Any]]) -> list[Any]:
        """What matches the patterns of each request, in their order."""
        messages: list[p4r.Entity] = []
        try:
            for patterns in requests:  # nothing decoded meanwhile: every RPC has a deadline
                messages += await self._read_messages([pattern.encode(self.schema) for pattern in patterns])
            return [decode_entity(message, self.schema) for message in messages]
        except (DeviceRefused, ValueError) as error:
            if (pipeline := await self.pipeline()) is not Pipeline.MATCHES:
                raise self._mismatch(pipeline) from error
            raise

    async def _read_messages(self, patterns: Sequence[p4r.Entity]) -> list[p4r.Entity]:
        if not patterns:
            return []
        request = p4r.ReadRequest(device_id=self.device_id, entities=patterns)
        try:
            return [entity async for reply in self._client.request_iter(request) for entity in reply.entities]
        except P4ClientError as error:
            if error.code == GRPCStatusCode.NOT_FOUND:  # as BMv2 says of a digest that was not configured
                return []
            raise as_device_error(self.address, error) from error

    def _mismatch(self, pipeline: Pipeline) -> PipelineMismatch:
        runs = "runs no program" if pipeline is Pipeline.NONE else f"runs a program that is not our {self.program!r}"
        return PipelineMismatch(self.address, f"{runs}: `headgate apply` pushes it")

    @asynccontextmanager
    async def _errors(self) -> AsyncIterator[None]:
        try:
            yield
        except P4ClientError as error:
            raise as_device_error(self.address, error) from error


async def running_program(address: str, device_id: int) -> str | None:
    """Which of our programs a device runs, None if none of them. Raises: DeviceUnreachable, DeviceRefused."""
    for name in PROGRAMS:
        async with DeviceView(address, device_id=device_id, program=name) as view:
            pipeline = await view.pipeline()
        if pipeline is Pipeline.MATCHES:
            return name
        if pipeline is Pipeline.NONE:
            return None
    return None
