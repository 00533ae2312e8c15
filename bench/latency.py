# SPDX-License-Identifier: Apache-2.0
"""How long one frame takes through each forwarder between two veth pairs while nothing else is sent."""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from .from_memory import Say
from .measure import Plan
from .process import PeerError, run
from .result import Result
from .scenario import Scenario, router_scenario
from .veth import FRAME_BYTES, Running, links
from .veth_peers import forwarders, missing_for_links

PROBES = 500
_PAUSE_S = 0.002
"""Long enough for whoever polls for a while to be asleep again."""

_GIVE_UP_S = 5.0
_ALL_PROTOCOLS = 0x0003


def measure(plan: Plan, say: Say) -> Iterator[Result]:
    """The median of each forwarder that is here."""
    if missing_for_links():
        return
    scenario = router_scenario(16, FRAME_BYTES)
    for name, forwarder in forwarders().items():
        if forwarder.missing():
            continue
        say(f"latency: {name}")
        try:
            took_ns = _times_of(forwarder.running, scenario, plan)
        except (PeerError, OSError) as error:
            say(f"latency: {name} failed: {error}")
            continue
        note = f"median of {PROBES} frames, one way, {_PAUSE_S * 1e3:g} ms apart; at best {min(took_ns) / 1e3:.0f} us"
        yield Result(f"latency, {FRAME_BYTES} B: {name}", median(took_ns) / 1e3, "us", None, False, note)


def _times_of(forwarding: Running, scenario: Scenario, plan: Plan) -> list[int]:
    with (
        TemporaryDirectory(prefix="headgate-bench-") as folder,
        links() as inside,
        forwarding(inside, scenario, Path(folder), plan),
    ):
        return json.loads(run([*inside, sys.executable, "-m", "bench.latency", scenario.trace[0].hex()]))


def _probe(frame: bytes) -> list[int]:
    """Nanoseconds from `send` on ``gen`` to `recv` on ``sink``, in the namespace that has both."""
    sender, receiver = _raw_socket("gen"), _raw_socket("sink")
    return [_one_way_ns(sender, receiver, frame) for _ in range(PROBES)]


def _one_way_ns(sender: socket.socket, receiver: socket.socket, frame: bytes) -> int:
    time.sleep(_PAUSE_S)
    sent_ns = time.perf_counter_ns()
    sender.send(frame)
    receiver.recv(2 * FRAME_BYTES)
    return time.perf_counter_ns() - sent_ns


def _raw_socket(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    raw.bind((interface, _ALL_PROTOCOLS))
    raw.settimeout(_GIVE_UP_S)
    return raw


if __name__ == "__main__":
    print(json.dumps(_probe(bytes.fromhex(sys.argv[1]))))
