# SPDX-License-Identifier: Apache-2.0
"""The P4Runtime service on gRPC: each RPC checks who asks, lets the device do it, and says how it went.

The gNMI service for the switch's ports is served at the same address.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import NoReturn

import grpc
from finsy.proto import gnmi_grpc, p4i, p4r, p4r_grpc, rpc_status
from grpc import StatusCode

from softnic.gnmi import MAX_SUBSCRIPTIONS, GnmiService

from .device import Device, Switch
from .errors import P4RuntimeError, denied, exhausted, failed_precondition, invalid, not_found, unimplemented
from .notifier import Notifier
from .packet_io import decode_packet_out
from .read import read_batch
from .roles import visible, write_as
from .stats import ServerStats, Tally
from .streams import MAX_STREAMS, Clients, Stream
from .write import write_batch

API_VERSION = "1.5.0"
"""Of the P4Runtime protocol whose messages we speak."""

MAX_MESSAGE_BYTES = 256 << 20
"""Of a request; a program can be many megabytes of JSON. The same as BMv2's."""

UNARY_WORKERS = 8

STOP_GRACE_S = 1.0

MAX_TCP_PORT = 65535


class P4RuntimeServer:
    """A P4Runtime server for one switch.

    Args:
        address: where to listen, as gRPC writes it: ``127.0.0.1:9559``, ``[::]:0`` (any free port), ``unix:/path``.
        device_id: the device's P4Runtime id, not 0.
        credentials: of the server, for TLS; None serves in the clear.
    """

    def __init__(
        self, switch: Switch, *, address: str, device_id: int = 1, credentials: grpc.ServerCredentials | None = None
    ) -> None:
        if device_id == 0:
            raise ValueError("device_id 0 means unset in P4Runtime; use another one")
        self._switch = switch
        self._address = address
        self._credentials = credentials
        self._tally = Tally()
        self._device = Device(switch)
        self._control = threading.RLock()
        self._clients = Clients(device_id, self._tally)
        self._notifier = Notifier(lambda: self._device.running, self._clients, self._tally)
        servicer = _Servicer(self._device, device_id, self._control, self._clients, switch, self._tally)
        self._gnmi = GnmiService(switch)
        self._workers = futures.ThreadPoolExecutor(
            MAX_STREAMS + MAX_SUBSCRIPTIONS + UNARY_WORKERS, thread_name_prefix="p4runtime"
        )
        self._grpc = grpc.server(
            self._workers,
            options=[
                ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
                ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
                # Two servers on one port would split the clients between them.
                ("grpc.so_reuseport", 0),
            ],
        )
        p4r_grpc.add_P4RuntimeServicer_to_server(servicer, self._grpc)
        gnmi_grpc.add_gNMIServicer_to_server(self._gnmi, self._grpc)

    @property
    def stats(self) -> ServerStats:
        """A copy of the counts so far."""
        return self._tally.snapshot()

    def load_initial(self, program_json: bytes, p4info: p4i.P4Info | None) -> None:
        """Load a program before clients come. Without `p4info` packets are forwarded, but clients must set a pipeline.

        Raises:
            P4RuntimeError: not a program that this target runs, or `p4info` is not that of the program.
        """
        with self._control:
            if p4info is None:
                self._device.load_without_p4info(program_json)
            else:
                config = p4r.ForwardingPipelineConfig(p4info=p4info, p4_device_config=program_json)
                self._device.set_config(p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT, config)

    def write_initial(self, request: p4r.WriteRequest) -> None:
        """Write entities before clients come; device, role and election id of `request` do not matter.

        Raises:
            P4RuntimeError: the first update that failed; those that did not are applied.
        """
        with self._control:
            results = write_batch(self._device.target, request.updates, request.atomicity)
        for index, error in enumerate(results):
            if error:
                raise error.at(f"updates[{index}]")

    def start(self) -> int:
        """Serve. Returns the port, which the system chose if the address had port 0 (and 0 for a Unix socket).

        Raises:
            OSError: the address can't be had.
        """
        number = self._address.rpartition(":")[2]
        if not self._address.startswith("unix:") and number.isdecimal() and int(number) > MAX_TCP_PORT:
            # gRPC would take it modulo 65536.
            raise OSError(errno.EINVAL, f"a TCP port is at most {MAX_TCP_PORT}", self._address)
        try:
            if self._credentials:
                port = self._grpc.add_secure_port(self._address, self._credentials)
            else:
                port = self._grpc.add_insecure_port(self._address)
        except RuntimeError as error:
            reason = "can't listen there; is it in use, or not an address of this host?"
            raise OSError(errno.EADDRNOTAVAIL, reason, self._address) from error
        self._switch.on_packet_in = self._notifier.packet_in
        self._switch.on_digest = self._notifier.digest
        self._notifier.start()
        self._grpc.start()
        return port

    def stop(self) -> None:
        """End all streams and requests, and close the socket."""
        self._switch.on_packet_in = self._switch.on_digest = None
        self._clients.close_all()
        self._gnmi.close()
        self._grpc.stop(STOP_GRACE_S).wait()
        self._workers.shutdown()
        self._notifier.stop()


class _Servicer(p4r_grpc.P4RuntimeServicer):
    def __init__(
        self,
        device: Device,
        device_id: int,
        control: threading.RLock,
        clients: Clients,
        switch: Switch,
        tally: Tally,
    ) -> None:
        self._device = device
        self._device_id = device_id
        self._control = control
        self._clients = clients
        self._switch = switch
        self._tally = tally

    # ---- unary RPCs -------------------------------------------------------------------------------------------------

    def Capabilities(  # noqa: N802
        self, request: p4r.CapabilitiesRequest, context: grpc.ServicerContext
    ) -> p4r.CapabilitiesResponse:
        if request.device_id:
            self._check_device(request.device_id, context)
        return p4r.CapabilitiesResponse(p4runtime_api_version=API_VERSION)

    def SetForwardingPipelineConfig(  # noqa: N802
        self, request: p4r.SetForwardingPipelineConfigRequest, context: grpc.ServicerContext
    ) -> p4r.SetForwardingPipelineConfigResponse:
        self._check_device(request.device_id, context)
        with self._control:
            try:
                if not self._clients.require_primary(request.role, _election_id(request)).can_push_pipeline:
                    raise denied(f"the config of role {request.role!r} does not let it push a pipeline")
                self._device.set_config(request.action, request.config if request.HasField("config") else None)
            except P4RuntimeError as error:
                _abort(context, error)
        return p4r.SetForwardingPipelineConfigResponse()

    def GetForwardingPipelineConfig(  # noqa: N802
        self, request: p4r.GetForwardingPipelineConfigRequest, context: grpc.ServicerContext
    ) -> p4r.GetForwardingPipelineConfigResponse:
        self._check_device(request.device_id, context)
        with self._control:
            try:
                config = self._device.get_config(request.response_type)
            except P4RuntimeError as error:
                _abort(context, error)
        return p4r.GetForwardingPipelineConfigResponse(config=config)

    def Write(self, request: p4r.WriteRequest, context: grpc.ServicerContext) -> p4r.WriteResponse:  # noqa: N802
        self._check_device(request.device_id, context)
        with self._control:
            try:
                access = self._clients.require_primary(request.role, _election_id(request))
                results = write_as(access, self._device.target, request.updates, request.atomicity)
            except P4RuntimeError as error:
                _abort(context, error)
        if any(results):
            _abort_with_details(context, "one or more updates failed", results)
        return p4r.WriteResponse()

    def Read(self, request: p4r.ReadRequest, context: grpc.ServicerContext) -> Iterator[p4r.ReadResponse]:  # noqa: N802
        self._check_device(request.device_id, context)
        with self._control:
            try:
                responses, results = read_batch(self._device.target, request.entities)
            except P4RuntimeError as error:
                _abort(context, error)
        yield from visible(self._clients.access(request.role), responses)
        if any(results):
            _abort_with_details(context, "one or more requests failed", results)

    def _check_device(self, device_id: int, context: grpc.ServicerContext) -> None:
        if device_id != self._device_id:
            _abort(context, not_found(f"device {device_id} is not here; this is device {self._device_id}"))

    # ---- the stream -------------------------------------------------------------------------------------------------

    def StreamChannel(  # noqa: N802
        self, request_iterator: Iterator[p4r.StreamMessageRequest], context: grpc.ServicerContext
    ) -> Iterator[p4r.StreamMessageResponse]:
        try:
            stream = self._clients.open()
        except P4RuntimeError as error:
            _abort(context, error)
        if not context.add_callback(lambda: self._clients.leave(stream)):
            self._clients.leave(stream)
            return
        reader = threading.Thread(target=self._receive, args=(request_iterator, stream), daemon=True)
        reader.start()
        try:
            yield from stream.messages()
        except P4RuntimeError as error:
            _abort(context, error)

    def _receive(self, requests: Iterator[p4r.StreamMessageRequest], stream: Stream) -> None:
        try:
            for request in requests:
                self._handle(request, stream)
        except P4RuntimeError as error:
            stream.close(error)
        except grpc.RpcError:
            stream.close()
        else:
            stream.close()

    def _handle(self, request: p4r.StreamMessageRequest, stream: Stream) -> None:
        """Raises P4RuntimeError for what ends the stream, which is a bid that breaks the rules."""
        match request.WhichOneof("update"):
            case "arbitration":
                self._arbitrate(request.arbitration, stream)
            case "packet":
                self._packet_out(request.packet, stream)
            case "digest_ack":
                self._acknowledge(request.digest_ack, stream)
            case kind:
                error = unimplemented(f"stream message {kind or 'without content'} means nothing to this target")
                self._report(stream, error, p4r.StreamError(other=p4r.StreamOtherError(other=request.other)))

    def _arbitrate(self, message: p4r.MasterArbitrationUpdate, stream: Stream) -> None:
        # With the control lock, the writes of the old primary are done before the new one is told (specification 5.3).
        with self._control:
            if self._clients.arbitrate(stream, message) and (pipeline := self._device.running):
                pipeline.digests.forget_sent()

    def _packet_out(self, message: p4r.PacketOut, stream: Stream) -> None:
        try:
            if self._clients.primary_access(stream) is None:
                raise denied("only a primary may send packets")
            pipeline = self._device.running
            if pipeline is None:
                raise failed_precondition("no forwarding pipeline config is set; set one first")
            if not self._switch.packet_out(decode_packet_out(pipeline.schema.packet_out, message)):
                raise exhausted("the switch takes no packet on its CPU port now: none is set, or too many are waiting")
        except P4RuntimeError as error:
            self._tally.add("packet_outs_refused")
            details = p4r.StreamError(packet_out=p4r.PacketOutError(packet_out=message))
            self._report(stream, error.at("packet-out"), details)
        else:
            self._tally.add("packet_outs")

    def _acknowledge(self, message: p4r.DigestListAck, stream: Stream) -> None:
        pipeline = self._device.running
        try:
            access = self._clients.primary_access(stream)
            if access is None or not access.covers(message.digest_id):
                raise denied("only a primary may acknowledge digests, and only those of its role")
            if pipeline is None or message.digest_id not in pipeline.schema.digests:
                raise invalid(f"digest id {message.digest_id:#010x} is not in the P4Info of the pipeline")
            pipeline.digests.acknowledge(message.digest_id, message.list_id)
        except P4RuntimeError as error:
            details = p4r.StreamError(digest_list_ack=p4r.DigestListAckError(digest_list_ack=message))
            self._report(stream, error.at("digest ack"), details)

    def _report(self, stream: Stream, error: P4RuntimeError, details: p4r.StreamError) -> None:
        details.canonical_code = _number(error.code)
        details.message = error.message
        if not stream.offer(p4r.StreamMessageResponse(error=details)):
            self._tally.add("stream_messages_lost")


def _election_id(request: p4r.WriteRequest | p4r.SetForwardingPipelineConfigRequest) -> p4r.Uint128 | None:
    return request.election_id if request.HasField("election_id") else None


def _number(code: StatusCode) -> int:
    return code.value[0]


def _abort(context: grpc.ServicerContext, error: P4RuntimeError) -> NoReturn:
    context.abort(error.code, error.message)


def _abort_with_details(
    context: grpc.ServicerContext, message: str, results: Sequence[P4RuntimeError | None]
) -> NoReturn:
    """End with UNKNOWN and one ``p4.v1.Error`` for each result, the good ones too (specification 10, 12.3)."""
    status = rpc_status.Status(code=_number(StatusCode.UNKNOWN), message=message)
    for error in results:
        detail = p4r.Error(canonical_code=_number(error.code), message=error.message) if error else p4r.Error()
        status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(StatusCode.UNKNOWN, message)
