# SPDX-License-Identifier: Apache-2.0
"""DPDK's SWX pipeline, the run-time of p4c's DPDK backend, driven through its own example application.

The application comes as source with Debian's ``dpdk-doc`` and is built here; so is the C that it generates of
``bench/swx/*.spec``, with ``-march=native`` as ours is.
"""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .. import router, vxlan
from ..frames import internet_checksum
from ..measure import Plan, Window, sample_windows, thread_named
from ..pcaps import read_frames
from ..process import PeerError, free_port, run, running, wait_for
from ..scenario import Facts, Scenario
from .doxygen import header_text

_SPECS = Path(__file__).parents[1] / "swx"
_EXAMPLE = Path("/usr/share/dpdk/examples/pipeline")
_HEADER_PAGES = {
    "rte_swx_pipeline_internal.h": Path("/usr/share/doc/dpdk/api/rte__swx__pipeline__internal_8h_source.html"),
    "rte_swx_pipeline_spec.h": Path("/usr/share/doc/dpdk/api/rte__swx__pipeline__spec_8h_source.html"),
}
"""What generated C includes and ``libdpdk-dev`` leaves out; the documentation has it."""

_PROMPT = b"pipeline> "
_START_S = 30.0
_POLL_S = 0.05
_COMMAND_S = 120.0
_MEMORY_MB = 1024


class Swx:
    name = "rte_swx"
    own_entropy = True

    def missing(self) -> str | None:
        packages = {
            "libdpdk-dev": _has_libdpdk(),
            "dpdk-doc": _EXAMPLE.is_dir() and all(page.exists() for page in _HEADER_PAGES.values()),
            "gcc": shutil.which("gcc") is not None,
        }
        absent = [package for package, present in packages.items() if not present]
        return f"apt install {' '.join(absent)}" if absent else None

    def outputs(self, scenario: Scenario, scratch: Path) -> list[bytes]:
        out = scratch / "out.pcap"
        plan = Plan(windows=0, seconds=0, core=1, control_core=0)
        with _pipeline(scenario, scratch, plan, loops=1, sink=str(out)) as (cli, _):
            deadline = time.monotonic() + _COMMAND_S
            while _packets_in(cli) < len(scenario.trace):
                if time.monotonic() > deadline:
                    raise PeerError(f"{self.name}: the trace does not end")
                time.sleep(_POLL_S)
        return read_frames(out)

    def windows(self, scenario: Scenario, scratch: Path, plan: Plan) -> list[Window]:
        with _pipeline(scenario, scratch, plan, loops=0, sink="none") as (cli, thread):
            return sample_windows(plan, lambda: _packets_in(cli), thread)


class _Cli:
    """The application's command line, over TCP."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._answer()

    def __call__(self, command: str) -> str:
        """Raises: PeerError when the command is refused."""
        self._socket.sendall(command.encode() + b"\n")
        answer = self._answer()
        if re.search(r"error|invalid|fail|wrong", answer, re.IGNORECASE):
            raise PeerError(f"rte_swx: {command}: {answer.strip()}")
        return answer

    def close(self) -> None:
        self._socket.close()

    def _answer(self) -> str:
        received = b""
        while not received.endswith(_PROMPT):
            chunk = self._socket.recv(65536)
            if not chunk:
                raise PeerError(f"rte_swx closed its command line: {received.decode()}")
            received += chunk
        return received.removesuffix(_PROMPT).decode()


@contextmanager
def _pipeline(scenario: Scenario, scratch: Path, plan: Plan, loops: int, sink: str) -> Iterator[tuple[_Cli, Path]]:
    """A pipeline that runs the trace `loops` times (0: for ever), and its thread."""
    application, log, port = _build_application(scratch), scratch / "swx.log", free_port()
    command = [
        *(str(application), "--no-huge", "--no-pci", "--no-shconf", "-m", str(_MEMORY_MB)),
        *("-l", f"{plan.control_core},{plan.core}", "--main-lcore", str(plan.control_core)),
        *("--", "-h", "127.0.0.1", "-p", str(port)),
    ]
    with running(command, log) as process:
        cli = _Cli(wait_for(lambda: _connect(port), "rte_swx", process, log, _START_S))
        try:
            _load(cli, scenario, scratch, loops, sink)
            cli(f"thread {plan.core} pipeline PIPELINE0 enable")
            yield cli, thread_named(process.pid, f"rte-worker-{plan.core}")
        finally:
            cli.close()


def _load(cli: _Cli, scenario: Scenario, scratch: Path, loops: int, sink: str) -> None:
    code, library, io = scratch / "pipeline.c", scratch / "pipeline.so", scratch / "pipeline.io"
    trace = scenario.write_trace(scratch / "trace.pcap")
    io.write_text(
        f"port in 0 source mempool MEMPOOL0 file {trace} loop {loops} packets {len(scenario.trace)}\n"
        f"port out {router.IN_PORT} sink file none\n"
        f"port out {router.OUT_PORT} sink file {sink}\n"
    )
    cli(f"pipeline codegen {_SPECS / scenario.program}.spec {code}")
    _compile([code], library, scratch, "-shared", "-fPIC", "-Wno-deprecated-declarations")
    cli("mempool MEMPOOL0 buffer 2304 pool 128K cache 256 cpu 0")
    cli(f"pipeline PIPELINE0 build lib {library} io {io} numa 0")
    for table, lines in entries(scenario.facts).items():
        path = scratch / f"{table}.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        cli(f"pipeline PIPELINE0 table {table} add {path}")
    cli("pipeline PIPELINE0 commit")


def entries(facts: Facts) -> dict[str, list[str]]:
    """The lines of each table's file, as ``rte_swx_ctl_pipeline_table_entry_read`` takes them."""
    if not isinstance(facts, router.Router):
        return {"tunnel": [_tunnel(tunnel) for tunnel in facts]}
    hosts = [route for route in facts.routes if route.prefix_len == 32]
    prefixes = [route for route in facts.routes if route.prefix_len < 32]
    return {
        "port_mapping": [f"match {router.IN_PORT} action set_bd bd {router.BD}"],
        "bd": [f"match {router.BD} action set_vrf vrf {router.VRF}"],
        "ipv4_fib": [f"match {router.VRF} {r.address} action set_nexthop nexthop {r.nexthop.id}" for r in hosts],
        "ipv4_fib_lpm": [
            f"match {router.VRF} {r.address}/{_mask(r.prefix_len)} action set_nexthop nexthop {r.nexthop.id}"
            for r in prefixes
        ],
        "nexthop": [f"match {hop.id} action set_egress_port port {router.OUT_PORT}" for hop in facts.nexthops],
        "rewrite_mac": [
            f"match {hop.id} action set_macs src {hop.src_mac} dst {hop.dst_mac}" for hop in facts.nexthops
        ],
    }


def _mask(prefix_len: int) -> int:
    return (1 << 32) - (1 << (32 - prefix_len))


def _tunnel(tunnel: vxlan.Tunnel) -> str:
    addresses = vxlan.LOCAL_VTEP.to_bytes(4) + tunnel.remote_vtep.to_bytes(4)
    checksum = internet_checksum(bytes.fromhex("4500 0032 0000 4000 4011 0000") + addresses)
    return (
        f"match {tunnel.station_mac} action encapsulate next_hop_mac {vxlan.NEXT_HOP_MAC} own_mac {vxlan.OWN_MAC} "
        f"local {vxlan.LOCAL_VTEP} remote {tunnel.remote_vtep} checksum {checksum} "
        f"vni_reserved {tunnel.vni << 8} port {vxlan.OUT_PORT}"
    )


def _build_application(scratch: Path) -> Path:
    application = scratch / "pipeline"
    if not application.exists():
        _compile(sorted(_EXAMPLE.glob("*.c")), application, scratch, "-D_GNU_SOURCE", f"-I{_EXAMPLE}", "-w")
    return application


def _compile(sources: Sequence[Path], output: Path, scratch: Path, *flags: str) -> None:
    for name, page in _HEADER_PAGES.items():
        (scratch / name).write_text(header_text(page.read_text()))
    cflags, libs = (run(["pkg-config", option, "libdpdk"]).split() for option in ("--cflags", "--libs"))
    run(
        [
            *("gcc", "-O3", *cflags, "-march=native", "-DALLOW_EXPERIMENTAL_API", f"-I{scratch}", *flags),
            *("-o", str(output), *map(str, sources), *libs),
        ]
    )


def _has_libdpdk() -> bool:
    try:
        run(["pkg-config", "--exists", "libdpdk"])
    except (PeerError, FileNotFoundError):
        return False
    return True


def _packets_in(cli: _Cli) -> int:
    match = re.search(r"Input ports:\s+Port 0: packets (\d+)", cli("pipeline PIPELINE0 stats"))
    if not match:
        raise PeerError("rte_swx: no statistics of port 0")
    return int(match[1])


def _connect(port: int) -> socket.socket | None:
    """One connection, kept: the application does not survive one that goes away at once."""
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=_COMMAND_S)
    except ConnectionRefusedError:
        return None
