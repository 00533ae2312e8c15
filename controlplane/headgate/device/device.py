# SPDX-License-Identifier: Apache-2.0
"""A device to control: we are its primary, it runs our program, and packets come and go by its stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

from finsy import GRPCStatusCode, P4ClientError, P4PacketIn, P4PacketOut
from finsy.proto import U128, p4r, p4r_grpc
from grpc import RpcError

from headgate.device.errors import (
    DeviceError,
    DeviceRefused,
    NotPrimary,
    UpdateFailure,
    as_device_error,
)
from headgate.device.inbox import Inbox
from headgate.device.view import DeviceView, Pipeline
from headgate.systems import Entity
from headgate.vocabulary import PacketOutMode

_LOG = logging.getLogger("headgate")

MAX_QUEUED_PACKETS = 256
MAX_QUEUED_DIGEST_LISTS = 128
MAX_QUEUED_IDLE_NOTICES = 1024
MAX_BATCH_UPDATES = 1000
MAX_BATCH_BYTES = 1 << 20
"""A quarter of the message size that gRPC servers take unless told otherwise."""

_PUSH_TIMEOUT_S = 120.0
"""A target may compile the program before it answers; finsy's own deadline is 10 s."""


class Device(DeviceView):
    """A device that we are the primary controller of: an asynchronous context manager.

    On entry it wins the election, and pushes the program if the device runs none or another one; a device that runs it
    keeps all its entries.

    Args:
        address, device_id, program: see `DeviceView`.
        election_id: the controller with the largest one is primary (P4Runtime 5). Two may not have the same. Where
            the primary left, we take its place with its id.
    """

    def __init__(self, address: str, *, device_id: int = 1, program: str = "nic", election_id: int = 1) -> None:
        super().__init__(address, device_id=device_id, program=program)
        self.election_id = election_id
        self.pipeline_was = Pipeline.MATCHES
        """What the device ran before we came."""
        self.sessions = 0
        """How often it was entered: what was known of it before may no longer hold."""
        self._packets = Inbox[P4PacketIn](MAX_QUEUED_PACKETS)
        self._digests = Inbox[p4r.DigestList](MAX_QUEUED_DIGEST_LISTS)
        self._idle_notices = Inbox[p4r.IdleTimeoutNotification](MAX_QUEUED_IDLE_NOTICES)
        self._sending = asyncio.Lock()  # a gRPC stream takes one write at a time
        self._receiver: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Raises: DeviceUnreachable, NotPrimary, DeviceRefused."""
        await super().__aenter__()
        for inbox in self._inboxes:  # a device may be entered again once it was left
            inbox.open()
        try:
            await self._become_primary()
            self.pipeline_was = await self.pipeline()
            if self.pipeline_was is not Pipeline.MATCHES:
                await self._push_pipeline()
        except BaseException:
            await self._client.close()
            raise
        self._receiver = asyncio.create_task(self._receive())
        self.sessions += 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self._receiver is not None:
            self._receiver.cancel()
            await asyncio.wait([self._receiver])
        await super().__aexit__(*exc_info)

    async def write(
        self, updates: Iterable[p4r.Update | Entity], on_written: Callable[[int], None] | None = None
    ) -> list[UpdateFailure]:
        """Carry out updates, going on after failures. The device may take them in any order (P4Runtime 12.1): what
        depends on another is for another call.

        Args:
            updates: P4Runtime updates, or finsy entities marked `+`, `~` or `-`.
            on_written: told the size of each batch once it is done.

        Returns: the updates that the device refused.
        Raises: DeviceUnreachable, NotPrimary. What was written before that stays written.
        """
        failures: list[UpdateFailure] = []
        messages = [item if isinstance(item, p4r.Update) else item.encode_update(self.schema) for item in updates]
        for batch in batches(messages):
            failures += (await self.write_raw(p4r.WriteRequest(updates=batch))).values()
            if on_written is not None:
                on_written(len(batch))
        return failures

    async def write_raw(self, request: p4r.WriteRequest) -> dict[int, UpdateFailure]:
        """Carry out one request, as it is; several may be under way at once. We fill in who asks.

        Returns: the updates that the device refused, by their index in the request.
        Raises: DeviceUnreachable, NotPrimary. What of it was carried out is not known then.
        """
        request.device_id = self.device_id
        request.election_id.CopyFrom(U128.encode(self.election_id))
        try:
            await self._client.request(request)
        except P4ClientError as error:
            updates = request.updates
            if error.details:
                return {
                    index: UpdateFailure(updates[index], detail.canonical_code, detail.message)
                    for index, detail in sorted(error.details.items())
                }
            meant = as_device_error(self.address, error)
            if not isinstance(meant, DeviceRefused):
                raise meant from error
            return {index: UpdateFailure(update, error.code, error.message) for index, update in enumerate(updates)}
        return {}

    # ---- the stream. What a device says is given to one reader each, and to nobody once there is no more to come: then
    # DeviceUnreachable or NotPrimary is raised.

    @property
    def packets_lost(self) -> int:
        """Packet-ins that came while `MAX_QUEUED_PACKETS` were waiting, or could not be decoded."""
        return self._packets.lost

    @property
    def digest_lists_lost(self) -> int:
        """Digest lists that came while `MAX_QUEUED_DIGEST_LISTS` were waiting."""
        return self._digests.lost

    @property
    def idle_notices_lost(self) -> int:
        """Idle notices that came while `MAX_QUEUED_IDLE_NOTICES` were waiting."""
        return self._idle_notices.lost

    async def packet_in(self) -> P4PacketIn:
        """The next packet for the controller."""
        return await self._packets.get()

    async def digests(self) -> p4r.DigestList:
        """The next list of digests; the device repeats nothing in it, and sends it once, until it is acknowledged."""
        return await self._digests.get()

    async def idle(self) -> p4r.IdleTimeoutNotification:
        """The next notice of entries that no packet met for as long as their idle timeout."""
        return await self._idle_notices.get()

    async def ack(self, digests: p4r.DigestList) -> None:
        """What is in a list is dealt with: should it come up again, it is new (P4Runtime 16.3)."""
        ack = p4r.DigestListAck(digest_id=digests.digest_id, list_id=digests.list_id)
        await self._send(p4r.StreamMessageRequest(digest_ack=ack))

    async def packet_out(self, payload: bytes, *, mode: PacketOutMode, **metadata: int) -> None:
        """Have the device send a frame (see `packet_out_mode_t`).

        Args:
            metadata: fields of the program's header `packet_out`; those not given are zero.
        """
        fields = self.schema.controller_packet_metadata["packet_out"].metadata
        packet = P4PacketOut(payload, **{field.name: 0 for field in fields} | metadata | {"mode": mode})
        await self._send(packet.encode_update(self.schema))

    async def _send(self, message: p4r.StreamMessageRequest) -> None:
        async with self._sending, self._errors():
            await self._client.send(message)

    async def _become_primary(self) -> None:
        arbitration = await self._bid(self.election_id)
        if arbitration.status.code == GRPCStatusCode.NOT_FOUND:
            # Nobody is primary, but somebody with a larger id was, and who follows must have one as large (5.3).
            self.election_id = U128.decode(arbitration.election_id)
            arbitration = await self._bid(self.election_id)
        self._check_primary(arbitration)

    def _check_primary(self, arbitration: p4r.MasterArbitrationUpdate) -> None:
        if arbitration.status.code != GRPCStatusCode.OK:
            primary = U128.decode(arbitration.election_id)
            raise NotPrimary(
                self.address,
                f"the primary controller is another, with election id {primary}: stop it, or give a larger one",
            )

    async def _push_pipeline(self) -> None:
        request = p4r.SetForwardingPipelineConfigRequest(
            device_id=self.device_id,
            election_id=U128.encode(self.election_id),
            action=p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT,
            config=self.schema.get_pipeline_config(),
        )
        channel = self._client.channel
        assert channel is not None
        async with self._errors():
            try:
                await p4r_grpc.P4RuntimeStub(channel).SetForwardingPipelineConfig(request, timeout=_PUSH_TIMEOUT_S)
            except RpcError as error:
                raise P4ClientError(error, type(request).__name__) from None
        _LOG.info("pipeline pushed: device=%s program=%s", self.address, self.program)

    async def _receive(self) -> None:
        """Queue messages until the stream ends, then say why it did."""
        try:
            while True:
                message = await self._next_message()
                match message.WhichOneof("update"):
                    case "packet":
                        self._queue(message)
                    case "digest":
                        self._digests.put(message.digest)
                    case "idle_timeout_notification":
                        self._idle_notices.put(message.idle_timeout_notification)
                    case "arbitration":
                        self._check_primary(message.arbitration)
                    case "error":
                        _LOG.warning("device refused a message: device=%s reason=%s", self.address, message.error)
                    case other:
                        _LOG.warning("unexpected message: device=%s kind=%s", self.address, other)
        except DeviceError as error:
            for inbox in self._inboxes:
                inbox.close(error)

    @property
    def _inboxes(self) -> tuple[Inbox[Any], ...]:
        return self._packets, self._digests, self._idle_notices

    def _queue(self, message: p4r.StreamMessageResponse) -> None:
        try:
            self._packets.put(P4PacketIn.decode(message, self.schema))
        except ValueError as error:
            self._packets.lost += 1
            _LOG.warning("packet-in without our header: device=%s reason=%s", self.address, error)


def batches(updates: Sequence[p4r.Update]) -> Iterator[list[p4r.Update]]:
    """`updates` in order, cut into batches of at most `MAX_BATCH_UPDATES` and, but for a single huge update, at most
    `MAX_BATCH_BYTES`."""
    batch: list[p4r.Update] = []
    size = 0
    for update in updates:
        update_size = update.ByteSize()
        if batch and (len(batch) == MAX_BATCH_UPDATES or size + update_size > MAX_BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(update)
        size += update_size
    if batch:
        yield batch
