# SPDX-License-Identifier: Apache-2.0
"""A real switch with either executor, its P4Runtime server on a Unix socket, and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from p4rt import CPU_PORT, DEVICE_ID, Client

from softnic.native import NativeEngine
from softnic.ports import MemoryPort
from softnic.reference import ReferenceEngine
from softnic.server import P4RuntimeServer
from softnic.switch import Switch


@pytest.fixture
def ports() -> dict[int, MemoryPort]:
    return {number: MemoryPort(number) for number in (0, 1, 2, 3)}


@pytest.fixture(params=[ReferenceEngine, NativeEngine], ids=["reference", "native"])
def switch(request: pytest.FixtureRequest, ports: dict[int, MemoryPort]) -> Iterator[Switch]:
    switch = Switch(cpu_port=CPU_PORT, engine_factory=lambda program: request.param(program, cpu_port=CPU_PORT))
    for port in ports.values():
        switch.add_port(port)
    switch.start()
    yield switch
    switch.stop()


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"unix:{tmp_path}/p4runtime.sock"


@pytest.fixture
def server(switch: Switch, address: str) -> Iterator[P4RuntimeServer]:
    server = P4RuntimeServer(switch, address=address, device_id=DEVICE_ID)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connect(server: P4RuntimeServer, address: str) -> Iterator[Callable[..., Client]]:
    """Makes clients, and closes them in the end."""
    clients: list[Client] = []

    def make(election_id: int | None = 1, role: str = "") -> Client:
        clients.append(Client(address, election_id, role))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def primary(connect: Callable[..., Client]) -> Client:
    """The primary, with the test program committed."""
    client = connect().become_primary()
    client.set_config()
    return client
