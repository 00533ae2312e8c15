# SPDX-License-Identifier: Apache-2.0
"""BMv2's ``simple_switch_grpc``, asked only what it sends: the judge of everyone else's packets."""

from __future__ import annotations

import shutil
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import grpc
import pynng
from finsy.proto import p4r, p4r_grpc

from softnic.inputs import read_p4info

from ..process import PeerError, free_port, running, wait_for

DEVICE_ID = 1
_ELECTION_ID = p4r.Uint128(low=1)
_START_S = 30.0
_RPC_S = 120.0
_BATCH = 1_000
_IN_FLIGHT = 32
"""Packets sent before the first must have come back: fewer than its input queue has room for."""
_ARRIVAL_MS = 5_000
_HEADER = struct.Struct("<iii")
_PACKET_IN = 3


class Workload(Protocol):
    """A program, its entries, and packets with the port each comes in by, every one of which it sends on."""

    @property
    def program_json(self) -> Path: ...
    @property
    def p4info(self) -> Path: ...
    @property
    def arrivals(self) -> Sequence[tuple[int, bytes]]: ...
    def writes(self) -> p4r.WriteRequest: ...


class Bmv2:
    name = "BMv2"

    def missing(self) -> str | None:
        if shutil.which("simple_switch_grpc"):
            return None
        return "build simple_switch_grpc (github.com/p4lang/behavioral-model) and put it on the PATH"

    def outputs(self, workload: Workload, scratch: Path) -> list[bytes]:
        """What it sends for one pass of the trace, in order. Raises: PeerError."""
        nn, address = f"ipc://{scratch}/bmv2.ipc", f"127.0.0.1:{free_port()}"
        command = [
            *("simple_switch_grpc", "--no-p4", "--log-level", "warn", "--log-console"),
            *("--device-id", str(DEVICE_ID), "--packet-in", nn, "--notifications-addr", f"ipc://{scratch}/notify.ipc"),
            *("--thrift-port", str(free_port()), "--", "--grpc-server-addr", address),
        ]
        log = scratch / "bmv2.log"
        with running(command, log) as process, grpc.insecure_channel(address) as channel:
            ready = grpc.channel_ready_future(channel)
            wait_for(ready.done, "BMv2", process, log, _START_S)
            with primary(channel) as stub, pynng.Pair0(dial=nn, recv_timeout=_ARRIVAL_MS) as frames:
                load(stub, workload)
                return list(_exchange(frames, workload.arrivals))


@contextmanager
def primary(channel: grpc.Channel) -> Iterator[p4r_grpc.P4RuntimeStub]:
    """The stub of the primary of the device, which stays so while the stream is open."""
    stub = p4r_grpc.P4RuntimeStub(channel)
    arbitration = p4r.MasterArbitrationUpdate(device_id=DEVICE_ID, election_id=_ELECTION_ID)
    ended = threading.Event()

    def keep_open() -> Iterator[p4r.StreamMessageRequest]:
        yield p4r.StreamMessageRequest(arbitration=arbitration)
        ended.wait()

    stream = stub.StreamChannel(keep_open())
    try:
        next(stream)
        yield stub
    finally:
        ended.set()
        stream.cancel()


def load(stub: p4r_grpc.P4RuntimeStub, workload: Workload) -> None:
    """Set the pipeline and write the entries."""
    config = p4r.ForwardingPipelineConfig(
        p4info=read_p4info(workload.p4info), p4_device_config=workload.program_json.read_bytes()
    )
    stub.SetForwardingPipelineConfig(
        p4r.SetForwardingPipelineConfigRequest(
            device_id=DEVICE_ID,
            election_id=_ELECTION_ID,
            action=p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT,
            config=config,
        ),
        timeout=_RPC_S,
    )
    updates = workload.writes().updates
    for start in range(0, len(updates), _BATCH):
        request = p4r.WriteRequest(
            device_id=DEVICE_ID, election_id=_ELECTION_ID, updates=updates[start : start + _BATCH]
        )
        stub.Write(request, timeout=_RPC_S)


def _exchange(frames: pynng.Pair0, arrivals: Sequence[tuple[int, bytes]]) -> Iterator[bytes]:
    for index, (port, frame) in enumerate(arrivals):
        frames.send(_HEADER.pack(_PACKET_IN, port, len(frame)) + frame)
        if index >= _IN_FLIGHT:
            yield _receive(frames)
    for _ in range(min(_IN_FLIGHT, len(arrivals))):
        yield _receive(frames)


def _receive(frames: pynng.Pair0) -> bytes:
    try:
        return frames.recv()[_HEADER.size :]
    except pynng.Timeout as error:
        raise PeerError("BMv2: a packet of the trace did not come out") from error
