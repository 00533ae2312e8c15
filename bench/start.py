# SPDX-License-Identifier: Apache-2.0
"""How soon ``softnic run nic.json`` serves P4Runtime when the program was compiled before."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from bench.control_target import running
from bench.result import Result
from bench.standalone import main

COMPILED = Path(__file__).parents[1] / "p4src/compiled"
PROGRAM, P4INFO = COMPILED / "nic.json", COMPILED / "nic.p4info.txtpb"
GOAL_S = 0.5
STARTS = 9


def measure() -> list[Result]:
    subprocess.run([sys.executable, "-m", "softnic", "compile", PROGRAM], stdout=subprocess.DEVNULL, check=True)
    wall_s, cpu_s = zip(*(_start() for _ in range(STARTS)), strict=True)
    note = f"median of {STARTS}, compiled before; at best {min(wall_s):.2f} s, {median(cpu_s):.2f} s of processor time"
    return [Result("second start of nic", median(wall_s), "s", GOAL_S, False, note)]


def _start() -> tuple[float, float]:
    """Wall time and processor time, in seconds, until somebody can connect."""
    began = time.monotonic()
    with running("softnic", "run", str(PROGRAM), "--p4info", str(P4INFO), "--grpc-addr", "127.0.0.1:0") as target:
        host, _, port = target.address.rpartition(":")
        socket.create_connection((host, int(port))).close()
        return time.monotonic() - began, target.cpu_s()


if __name__ == "__main__":
    main(measure)
