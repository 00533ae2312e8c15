# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd swapping MACs: what receiving, touching and sending a packet costs with nothing in between."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from ..measure import Plan, Window, sample_windows, thread_named
from ..process import PeerError, running, wait_for

_PROMPT = b"testpmd> "
_START_S = 30.0
_ANSWER_S = 10.0
_MEMORY_MB = 1024


class Testpmd:
    name = "testpmd macswap"

    def missing(self) -> str | None:
        return None if shutil.which("dpdk-testpmd") else "apt install dpdk-dev"

    def windows(self, frame_bytes: int, scratch: Path, plan: Plan) -> list[Window]:
        """A null device that copies a frame of `frame_bytes` into each buffer, and one that takes everything."""
        log = scratch / "testpmd.log"
        command = [
            *("stdbuf", "-oL", "dpdk-testpmd", "--no-huge", "--no-pci", "--no-shconf", "-m", str(_MEMORY_MB)),
            *("-l", f"{plan.control_core},{plan.core}", "--main-lcore", str(plan.control_core)),
            *(f"--vdev=net_null0,size={frame_bytes},copy=1", "--", "--interactive", "--forward-mode=macswap"),
        ]
        with running(command, log) as process:
            wait_for(lambda: _PROMPT in log.read_bytes(), "testpmd", process, log, _START_S)
            _ask(process, log, "start", until=b"packets/burst")
            thread = thread_named(process.pid, f"rte-worker-{plan.core}")
            return sample_windows(plan, lambda: _packets_in(process, log), thread)


def _packets_in(process: subprocess.Popen[bytes], log: Path) -> int:
    match = re.search(r"RX-packets: (\d+)", _ask(process, log, "show port stats 0", until=b"Throughput"))
    if not match:
        raise PeerError("testpmd: no statistics of port 0")
    return int(match[1])


def _ask(process: subprocess.Popen[bytes], log: Path, command: str, until: bytes) -> str:
    """What testpmd prints once it was given `command`. Raises: PeerError."""
    before = log.stat().st_size
    assert process.stdin is not None
    process.stdin.write(command.encode() + b"\n")
    process.stdin.flush()
    wait_for(lambda: until in log.read_bytes()[before:], f"testpmd: {command}", process, log, _ANSWER_S)
    return log.read_bytes()[before:].decode()
