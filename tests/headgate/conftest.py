# SPDX-License-Identifier: Apache-2.0
"""A device to talk to: softnic in this process, on a port that the system picks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from headgate.vocabulary import CPU_PORT
from softnic.engine import NoRoom, TableEntry
from softnic.ir import Program
from softnic.reference import ReferenceEngine
from softnic.server import P4RuntimeServer
from softnic.switch import Switch


class FussyEngine(ReferenceEngine):
    """Has no room in any table whose name ends in `full`."""

    full = "no such table"

    def insert(self, table: str, entry: TableEntry) -> None:
        if table.endswith(self.full):
            raise NoRoom(f"{table} is full")
        super().insert(table, entry)


class Servers:
    """Starts devices without a program; they are stopped at the end of the test, if not before."""

    def __init__(self) -> None:
        self._running: list[tuple[Switch, P4RuntimeServer]] = []

    def __call__(self, full: str = FussyEngine.full) -> str:
        """Start one and return its address. `full` names a table that has no room."""

        def engine(program: Program) -> FussyEngine:
            made = FussyEngine(program, cpu_port=CPU_PORT)
            made.full = full
            return made

        switch = Switch(cpu_port=CPU_PORT, engine_factory=engine)
        server = P4RuntimeServer(switch, address="127.0.0.1:0")
        port = server.start()
        switch.start()
        self._running.append((switch, server))
        return f"127.0.0.1:{port}"

    def stop(self) -> None:
        """Stop them all."""
        while self._running:
            switch, server = self._running.pop()
            server.stop()
            switch.stop()


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop()


@pytest.fixture
def address(serve: Servers) -> str:
    """The address of a device without a program."""
    return serve()
