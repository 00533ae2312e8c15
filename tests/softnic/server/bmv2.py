# SPDX-License-Identifier: Apache-2.0
"""BMv2's ``simple_switch_grpc`` as a process: programmed over P4Runtime, its packets over an nn socket."""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
import pynng
from p4rt import DEVICE_ID, Client

EXECUTABLE = shutil.which("simple_switch_grpc")

_START_S = 30
_ARRIVAL_MS = 5_000
_QUIET_MS = 200
_HEADER = struct.Struct("<iii")
_PACKET_IN, _PACKET_OUT = 3, 4


class Bmv2:
    """`client` is its primary."""

    def __init__(self, client: Client, frames: pynng.Pair0) -> None:
        self.client = client
        self._frames = frames

    def exchange(self, port: int, data: bytes, expected: int) -> list[tuple[int, bytes]]:
        """What comes out, by port, after `data` went in: `expected` frames, or fewer if no more come in time."""
        self._frames.send(_HEADER.pack(_PACKET_IN, port, len(data)) + data)
        out: list[tuple[int, bytes]] = []
        while len(out) < expected and (frame := self._receive(_ARRIVAL_MS)):
            out.append(frame)
        return out

    def rest(self) -> list[tuple[int, bytes]]:
        """Everything that still comes out, until nothing does for a while."""
        return list(iter(lambda: self._receive(_QUIET_MS), None))

    def _receive(self, timeout_ms: int) -> tuple[int, bytes] | None:
        self._frames.recv_timeout = timeout_ms
        try:
            message = self._frames.recv()
        except pynng.Timeout:
            return None
        kind, port, _ = _HEADER.unpack_from(message)
        assert kind == _PACKET_OUT
        return port, message[_HEADER.size :]


@contextmanager
def running(scratch: Path) -> Iterator[Bmv2]:
    """A fresh one, without a program."""
    nn, address, log = f"ipc://{scratch}/bmv2.ipc", f"127.0.0.1:{_free_port()}", scratch / "bmv2.log"
    command = [
        *(str(EXECUTABLE), "--no-p4", "--log-level", "warn", "--log-console"),
        *("--device-id", str(DEVICE_ID), "--packet-in", nn, "--notifications-addr", f"ipc://{scratch}/notify.ipc"),
        *("--thrift-port", str(_free_port()), "--", "--grpc-server-addr", address),
    ]
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        client = Client(address)
        try:
            _await(process, client, log)
            with pynng.Pair0(dial=nn, send_timeout=_ARRIVAL_MS) as frames:
                yield Bmv2(client.become_primary(), frames)
        finally:
            client.close()
            process.kill()


def _await(process: subprocess.Popen[bytes], client: Client, log: Path) -> None:
    ready = grpc.channel_ready_future(client.channel)
    deadline = time.monotonic() + _START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return ready.result(timeout=0.5)
        except grpc.FutureTimeoutError:
            continue
    raise AssertionError(f"simple_switch_grpc is not ready:\n{log.read_text()}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
