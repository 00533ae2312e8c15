# SPDX-License-Identifier: Apache-2.0
"""The forwarders between two veth pairs: plain C, BMv2 and softnic, each as a process."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import grpc

from .measure import Plan
from .peers.bmv2 import DEVICE_ID, Bmv2, load, primary
from .peers.plain_c import PlainC, compile_c
from .peers.softnic import available_engine
from .process import running, wait_for
from .scenario import Scenario

PLAIN_C, BMV2, SOFTNIC = "plain C", "BMv2", "softnic"
_START_S = 60.0


class Forwarder(Protocol):
    def missing(self) -> str | None: ...

    def running(
        self, inside: tuple[str, ...], scenario: Scenario, scratch: Path, plan: Plan
    ) -> AbstractContextManager[None]:
        """Forwards what comes in on ``in`` to ``out``, until the end of the context. Raises: PeerError."""
        ...


def forwarders() -> Mapping[str, Forwarder]:
    return {PLAIN_C: _PlainC(), BMV2: _Bmv2(), SOFTNIC: _Softnic()}


def missing_for_links() -> str | None:
    """What keeps this machine from having veth pairs in a namespace."""
    if os.geteuid():
        return "run as root: it needs a network namespace"
    return None if shutil.which("ip") else "apt install iproute2"


class _PlainC:
    """Swaps MACs: no program could do less."""

    def missing(self) -> str | None:
        return PlainC().missing()

    @contextmanager
    def running(self, inside: tuple[str, ...], scenario: Scenario, scratch: Path, plan: Plan) -> Iterator[None]:
        executable, log = compile_c("forward", ("trace",), scratch), scratch / "forward.log"
        command = [*inside, "taskset", "-c", str(plan.core), str(executable), "in", "out"]
        with running(command, log) as process:
            wait_for(lambda: b"ready" in log.read_bytes(), "forward", process, log, _START_S)
            yield


class _Bmv2:
    """On all cores: its threads share them with the generator better than they share one."""

    def missing(self) -> str | None:
        return Bmv2().missing()

    @contextmanager
    def running(self, inside: tuple[str, ...], scenario: Scenario, scratch: Path, plan: Plan) -> Iterator[None]:
        address, log = f"unix:{scratch}/bmv2.sock", scratch / "bmv2.log"
        command = [
            *(*inside, "simple_switch_grpc", "--no-p4", "--log-level", "off", "--device-id", str(DEVICE_ID)),
            *("--notifications-addr", f"ipc://{scratch}/notify.ipc", "-i", "0@in", "-i", "1@out"),
            *("--", "--grpc-server-addr", address),
        ]
        with running(command, log) as process, grpc.insecure_channel(address) as channel:
            ready = grpc.channel_ready_future(channel)
            wait_for(ready.done, "BMv2", process, log, _START_S)
            with primary(channel) as stub:
                load(stub, scenario)
                yield


class _Softnic:
    def missing(self) -> str | None:
        return None

    @contextmanager
    def running(self, inside: tuple[str, ...], scenario: Scenario, scratch: Path, plan: Plan) -> Iterator[None]:
        entries, log = scenario.write_entries(scratch / "entries.txtpb"), scratch / "softnic.log"
        command = [
            *(*inside, "taskset", "-c", str(plan.core), sys.executable, "-m", "softnic", "run"),
            *(str(scenario.program_json), "--p4info", str(scenario.p4info), "--entries", str(entries)),
            *("--engine", available_engine()[0], "--port", "0=eth:in", "--port", "1=eth:out"),
            *("--grpc-addr", f"unix:{scratch}/softnic.sock"),
        ]
        with running(command, log) as process:
            wait_for(lambda: b"softnic ready" in log.read_bytes(), "softnic", process, log, _START_S)
            yield
