# SPDX-License-Identifier: Apache-2.0
"""How fast new flows get into the flow cache, end to end: packet -> digest -> Write -> hit.

The target is a process with a veth interface, headgate's handler another, and what sends the packets a third.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig
from headgate.device import Device
from headgate.handlers.gateway.flow_cache import Change
from headgate.handlers.gateway.handler import GatewayHandler
from headgate.metrics import Metrics
from headgate.reconcile import apply
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CacheOutcome

from .flow_source import FIRST_HOST, ROUTER_MAC, Progress
from .from_memory import Say
from .namespace import network_namespace
from .process import free_port, run, running, wait_for
from .result import Result
from .veth_peers import missing_for_links

COMPILED = Path(__file__).parents[1] / "p4src/compiled"
PROGRAM, P4INFO = COMPILED / "gateway.json", COMPILED / "gateway.p4info.txtpb"
GOAL_FLOWS_PER_S = 40_000
TENANTS = 1000
FLOWS = {"softnic": 256 * 1024, "BMv2": 32 * 1024}
WINDOW = {"softnic": 2048, "BMv2": 4096}
AGAIN_PPS = {"softnic": 100_000, "BMv2": 1_000}

_WIRES = {"softnic": "gen", "BMv2": "ipc://{scratch}/packets.ipc"}  # BMv2 reads an interface by 32 frames each 0.2 s
_START_S = 60.0
_TIMEOUT_S = 300.0


def gateway_config(tenants: int) -> dict[str, Any]:
    """Tenants with the same addresses, each in a VLAN of port 0; port 1 leads outside. There are no aggregates."""
    vlans = range(1, tenants + 1)
    return {
        "program": "gateway",
        "interfaces": [
            {"name": "wan", "port": 1},
            *({"name": f"vlan{vlan}", "port": 0, "vlan_id": vlan} for vlan in vlans),
        ],
        "routers": [
            {
                "name": "north",
                "router_id": 1,
                "uplinks": [{"interface": "wan", "mac": "02:00:00:00:f1:01", "addresses": ["203.0.113.2/29"]}],
                "neighbors": [{"address": "203.0.113.1", "mac": "02:00:00:00:fb:01"}],
                "routes": [{"prefix": "0.0.0.0/0", "via": ["203.0.113.1"]}],
            }
        ],
        "tenants": [
            {
                "name": f"tenant{vlan}",
                "tenant_id": vlan,
                "router": "north",
                "segments": [
                    {
                        "name": "hosts",
                        "segment_id": 1,
                        "mac": ROUTER_MAC,
                        "addresses": ["10.255.0.1/8"],
                        "attached": [{"interface": f"vlan{vlan}"}],
                    }
                ],
                "routes": [{"prefix": "0.0.0.0/0", "to": "router"}],
            }
            for vlan in vlans
        ],
        "cache": {"aggregate": False, "idle_timeout_s": 3600},
        "learning_limits": {
            "total": {"packets_per_s": 1_000_000, "burst_packets": 65_535},
            "per_tenant": {"packets_per_s": 1_000_000, "burst_packets": 65_535},
        },
    }


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor time in seconds, latencies from a packet's departure to the acknowledged Write in milliseconds."""

    flows: int
    seconds: float
    controller_cpu_s: float
    target_cpu_s: float
    p50_ms: float
    p99_ms: float
    hits: int
    lists_lost: int


class _Observer:
    """Notes when a flow was acknowledged."""

    def __init__(self, handler: GatewayHandler, progress: Progress) -> None:
        self._progress = progress
        self._written = handler.cache.written
        handler.cache.written = self.written
        self.latencies_ns: list[int] = []

    def written(self, changes: Sequence[Change], now_ns: int) -> Sequence[Any]:
        flows = [int.from_bytes(change.entry.key[4:8], "big") - FIRST_HOST for change in changes]
        self.latencies_ns += [now_ns - self._progress.sent_ns(flow) for flow in flows]
        self._progress.installed(flows)
        return self._written(changes, now_ns)


async def _measure(address: str, target_pid: int, name: str, scratch: Path, tenants: int, flows: int) -> Measured:
    config = parse_config(gateway_config(tenants))
    assert isinstance(config, GatewayConfig)
    progress = Progress(scratch / "progress", flows)
    async with Device(address, program="gateway") as device:
        result = await apply(device, config)
        assert not result.failures, result.failures[0]
        handler = GatewayHandler(device, config, Metrics(address))
        await handler.configured(config, result)
        observer = _Observer(handler, progress)
        stop = asyncio.Event()
        serving = asyncio.create_task(handler.serve(stop))
        numbers = map(str, (flows, tenants, WINDOW[name], AGAIN_PPS[name]))
        source = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.flow_source", _WIRES[name].format(scratch=scratch)),
            *(str(scratch / "progress"), *numbers),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert source.stdin
        assert source.stdout
        await source.stdout.readline()
        began_s, began_cpu_s, began_target_s = time.monotonic(), time.process_time(), _cpu_s(target_pid)
        source.stdin.write(b"go\n")
        await asyncio.wait_for(source.stdout.readline(), _TIMEOUT_S)
        seconds = time.monotonic() - began_s
        controller_s, target_s = time.process_time() - began_cpu_s, _cpu_s(target_pid) - began_target_s
        hits = await _hits(device, tenants)
        source.stdin.write(b"again\n")
        await asyncio.wait_for(source.stdout.readline(), _TIMEOUT_S)
        await asyncio.sleep(1)
        hits = await _hits(device, tenants) - hits
        stop.set()
        await serving
        percentiles = quantiles(observer.latencies_ns, n=100)
        return Measured(
            flows,
            seconds,
            controller_s,
            target_s,
            percentiles[49] / 1e6,
            percentiles[98] / 1e6,
            hits,
            device.digest_lists_lost,
        )


async def _hits(device: Device, tenants: int) -> int:
    rows = await device.counter("cache_outcome")
    wanted = (tenant * CACHE_OUTCOMES_PER_TENANT + CacheOutcome.HIT for tenant in range(1, tenants + 1))
    return sum(rows[row].packet_count for row in wanted if row in rows)


def _cpu_s(pid: int) -> float:
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


# ---- targets


@contextmanager
def _target(name: str, scratch: Path) -> Iterator[tuple[str, int]]:
    """Its address, and its process. Raises: PeerError."""
    address, log = f"127.0.0.1:{free_port()}", scratch / "target.log"
    if name == "softnic":
        command = [sys.executable, "-m", "softnic", "run", str(PROGRAM), "--p4info", str(P4INFO)]
        command += ["--port", "0=eth:in", "--port", "1=eth:out", "--grpc-addr", address]
    else:
        command = ["simple_switch_grpc", "--no-p4", "--device-id", "1", "--packet-in", f"ipc://{scratch}/packets.ipc"]
        command += ["--notifications-addr", f"ipc://{scratch}/notify.ipc", "--thrift-port", str(free_port())]
        command += ["--", "--grpc-server-addr", address, "--cpu-port", "510"]
    with running(command, log) as process:
        host, _, port = address.rpartition(":")

        def serves() -> bool:
            return not subprocess.run(
                ["bash", "-c", f"exec 3<>/dev/tcp/{host}/{port}"], stderr=subprocess.DEVNULL, check=False
            ).returncode

        wait_for(serves, name, process, log, _START_S)
        yield address, process.pid


def _inside(name: str, tenants: int, flows: int) -> Measured:
    """To be run where the interfaces are."""
    with TemporaryDirectory(prefix="headgate-bench-") as folder, _target(name, Path(folder)) as (address, pid):
        return asyncio.run(_measure(address, pid, name, Path(folder), tenants, flows))


def _outside(name: str) -> Measured:
    with network_namespace() as inside:
        for setting in ("all", "default"):
            run([*inside, "sysctl", "-q", "-w", f"net.ipv6.conf.{setting}.disable_ipv6=1"])
        for near, far in (("gen", "in"), ("out", "sink")):
            run([*inside, "ip", "link", "add", near, "type", "veth", "peer", "name", far])
        for link in ("lo", "gen", "in", "out", "sink"):
            run([*inside, "ip", "link", "set", link, "up"])
        printed = run([*inside, sys.executable, "-m", "bench.flow_setup", name])
    return Measured(**json.loads(printed))


def measure(say: Say) -> Iterator[Result]:
    """softnic, and BMv2 where it is installed. Takes about a minute."""
    if reason := missing_for_links():
        say(f"gateway: {reason}")
        return
    for name in ["softnic"] + (["BMv2"] if shutil.which("simple_switch_grpc") else []):
        say(f"gateway: new flows on {name}")
        yield from _results(name, _outside(name))


def _results(name: str, measured: Measured) -> list[Result]:
    flows = measured.flows
    note = (
        f"{TENANTS} tenants, {flows} flows, {measured.hits} of them hit afterwards; CPU for each flow: controller "
        f"{measured.controller_cpu_s / flows * 1e6:.1f} us, target {measured.target_cpu_s / flows * 1e6:.1f} us"
    )
    goal = GOAL_FLOWS_PER_S if name == "softnic" else None
    latency = "from the first packet to the acknowledged Write, under that load"
    return [
        Result(f"gateway, new flows installed: {name}", flows / measured.seconds, "flows/s", goal, True, note),
        Result(f"gateway, flow set-up, median: {name}", measured.p50_ms, "ms", None, False, latency),
        Result(f"gateway, flow set-up, 99th percentile: {name}", measured.p99_ms, "ms", None, False, latency),
    ]


if __name__ == "__main__":
    [wanted, *rest] = sys.argv[1:]
    print(json.dumps(asdict(_inside(wanted, *(map(int, rest) if rest else (TENANTS, FLOWS[wanted]))))))
