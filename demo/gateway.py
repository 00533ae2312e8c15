# SPDX-License-Identifier: Apache-2.0
"""`make demo-gateway`: an edge gateway between two tenants and the outside.

    red  10.0.1.10 -- VXLAN 5001 -- hypervisor 1 --+                           +-- web server 203.0.113.1
                                                   |  softnic running gateway  |
    blue 10.0.1.10 -- VXLAN 5002 -- hypervisor 2 --+                           +   (NAT: .64 to .67)

Both tenants use the same addresses. VXLAN, TCP and HTTP are the kernel's and Python's own. The first packets of a
flow take the gateway's stages, the controller turns what they decided into cache entries, the rest hits the cache; then
red's firewall gets one more rule in the middle of a download.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from statistics import median
from typing import NamedTuple

from lab import Host, LabError, enter
from screen import ADDRESS, BIN, compile_program, console, headgate, say, show, start_softnic

HERE = Path(__file__).parent
CONFIG = HERE / "gateway.yaml"
PORTS = {0: "gw-fabric1", 1: "gw-fabric2", 2: "gw-wan"}


class Tenant(NamedTuple):
    """What tells tenants apart; their VMs' MAC and IPv4 addresses do not."""

    tenant_id: int
    vni: int
    ipv6_prefix: str


TENANTS = {"red": Tenant(1, 5001, "2001:db8:1:1::"), "blue": Tenant(2, 5002, "2001:db8:2:1::")}
VM_ADDRESS = "10.0.1.10"
VM_MAC = "02:00:00:01:01:10"
OUTSIDE = "203.0.113.1"
OUTSIDE_V6 = "2001:db8:a::1"
FABRIC_MTU = 1600
DENY = "        - {name: stop, protocol: tcp, source_ports: 1-65535, destination_ports: 80, action: deny}\n"
FIRST_RULE = "        - {name: out,"

PINGS = 200
PING_INTERVAL_S = 0.005

FETCH = """
import sys, time, urllib.request
started = time.monotonic()
body = urllib.request.urlopen(sys.argv[1], timeout=20).read()
print(f"{len(body):,} bytes in {time.monotonic() - started:.2f} s" if len(body) > 99 else body.decode())
"""
STREAM = """
import sys, urllib.request
reply = urllib.request.urlopen(sys.argv[1], timeout=60)
while block := reply.read1(65536):
    print(len(block), flush=True)
"""


def main() -> None:
    try:
        enter()
    except LabError as error:
        raise SystemExit(f"demo: this one needs hosts, and there are none to be had: {error}") from None
    with ExitStack() as stack:
        run(stack)
    say("done: tenants, tunnels and gateway are gone")


def run(stack: ExitStack) -> None:
    say("two tenants with the same addresses behind VXLANs, a gateway, and a web server outside")
    hosts = cable()
    compile_program("gateway")
    start_softnic(PORTS, stack)
    config = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "gateway.yaml"
    config.write_text(CONFIG.read_text())
    controller = Controller(config, stack)
    console.print(f"$ headgate run -c demo/gateway.yaml --device {ADDRESS} &", style="green")
    show(controller.await_line("configured:"))

    server = hosts["outside"].start(sys.executable, str(HERE / "web.py"))
    stack.enter_context(server)
    stack.callback(server.terminate)
    assert server.stdout
    server.stdout.readline()

    say("who the web server sees: a tenant's pool has addresses of its own")
    for tenant in TENANTS:
        for address in (OUTSIDE, f"[{OUTSIDE_V6}]"):
            show(f"{tenant:5}{fetch(hosts[tenant], f'http://{address}/whoami')}")

    say("how long a new flow takes to get into the cache")
    for tenant in TENANTS:
        ping(tenant, hosts[tenant])

    say("both download at once: the first packets take every stage, the rest hits the cache")
    downloads = {
        tenant: hosts[tenant].start(sys.executable, "-c", FETCH, f"http://{OUTSIDE}/file") for tenant in TENANTS
    }
    for tenant, download in downloads.items():
        output, _ = download.communicate(timeout=60)
        if download.returncode:
            raise SystemExit(f"demo: {tenant}'s download failed: {output}")
        show(f"{tenant:5}{output}")

    say("a rule for red, in the middle of a download")
    stop_in_mid_stream(hosts, controller, config)

    say("what was dropped, and whether the sums agree")
    headgate(config, "drops")


def cable() -> dict[str, Host]:
    """Hypervisors, the tenants' VMs behind their VXLANs, and the host outside."""
    hosts = {}
    for index, (name, tenant) in enumerate(TENANTS.items()):
        hypervisor, vm = Host.create(f"hypervisor{index + 1}"), Host.create(name)
        hypervisor.plug("eth0", PORTS[index], f"02:00:00:00:f0:1{index + 1}")
        own, gateway = f"192.0.2.{4 * index + 2}", f"192.0.2.{4 * index + 1}"
        hypervisor.address("eth0", f"{own}/30")
        for interface in ("eth0", PORTS[index]):
            (hypervisor.sh if interface == "eth0" else lab_sh)(f"ip link set {interface} mtu {FABRIC_MTU} up")
        hypervisor.sh(f"ip neighbor add {gateway} lladdr 02:00:00:00:f0:0{index + 1} dev eth0")
        hypervisor.sh(f"ip route add 198.51.100.1 via {gateway}")
        # Made in the hypervisor's namespace, where its packets stay, and handed to the VM's.
        hypervisor.sh(
            f"ip link add vm0 address {VM_MAC} type vxlan id {tenant.vni} local {own} remote 198.51.100.1 dstport 4789"
        )
        hypervisor.sh(f"ip link set vm0 netns {name} name eth0")
        vm.address("eth0", f"{VM_ADDRESS}/24", f"{tenant.ipv6_prefix}10/64")
        vm.sh("ip link set eth0 mtu 1500 up")
        vm.sh("ip route add default via 10.0.1.1")
        vm.sh(f"ip -6 route add default via {tenant.ipv6_prefix}1")
        hosts |= {hypervisor.name: hypervisor, name: vm}
    outside = hosts["outside"] = Host.create("outside")
    outside.plug("eth0", PORTS[2], "02:00:00:00:fb:01")
    outside.address("eth0", f"{OUTSIDE}/24", f"{OUTSIDE_V6}/64")
    outside.sh("ip link set eth0 up")
    for tenant in TENANTS.values():
        outside.sh(f"ip -6 route add {tenant.ipv6_prefix}/64 via 2001:db8:a::2")
    return hosts


def lab_sh(command: str) -> None:
    subprocess.run(command.split(), check=True, capture_output=True)


def fetch(host: Host, url: str) -> str:
    return host.output(sys.executable, "-c", FETCH, url)


def ping(tenant: str, host: Host) -> None:
    """Send echo requests, and tell how the first fared, and how many came before the cache knew of them."""
    before = uncached_packets(tenant)
    output = host.output("ping", "-c", str(PINGS), "-i", str(PING_INTERVAL_S), "-W", "2", OUTSIDE)
    uncached = uncached_packets(tenant) - before
    times_ms = {int(number): float(ms) for number, ms in re.findall(r"icmp_seq=(\d+) .*time=([\d.]+)", output)}
    first = f"after {times_ms[1]:.1f} ms" if 1 in times_ms else "never"
    show(
        f"{tenant:5}{len(times_ms)} of {PINGS} echoes answered, the first {first} with a NAT port, "
        f"half after {median(times_ms.values()):.2f} ms"
    )
    cached_s = uncached / 2 * PING_INTERVAL_S  # a request and an answer each interval
    show(f"{tenant:5}{uncached} of {2 * PINGS} packets took the stages: cached after some {cached_s * 1000:.0f} ms")


def uncached_packets(tenant: str) -> int:
    """A tenant's packets so far that the cache was asked about in vain."""
    command = [f"{BIN}/headgate", "cache", "stats", "--json", "--device", ADDRESS]
    report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    outcomes = {item["tenant_id"]: item["outcomes"] for item in report["tenants"]}[TENANTS[tenant].tenant_id]
    return outcomes["MISS"] + outcomes["STALE"]


class Controller:
    """`headgate run` and what it logs."""

    def __init__(self, config: Path, stack: ExitStack) -> None:
        self.process = stack.enter_context(
            subprocess.Popen(
                [f"{BIN}/headgate", "run", "-c", str(config), "--device", ADDRESS],
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(self.process.terminate)
        self._lines: SimpleQueue[str] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self._lines.put(line)

    def await_line(self, text: str, timeout_s: float = 30) -> str:
        """The next line that contains `text`. Raises: SystemExit (none came, or the controller ended)."""
        seen = []
        try:
            while text not in (line := self._lines.get(timeout=timeout_s)):
                seen.append(line)
        except Empty:
            raise SystemExit(f"demo: the controller did not say {text!r}, but:\n{''.join(seen)}") from None
        return line


class Stream:
    """A download without end, and when its last bytes came."""

    def __init__(self, host: Host, stack: ExitStack) -> None:
        self._process = stack.enter_context(
            subprocess.Popen(
                host.command([sys.executable, "-c", STREAM, f"http://{OUTSIDE}/stream"]),
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(self._process.terminate)
        self.received_bytes = 0
        self.last_at_s = 0.0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self.received_bytes += int(line)
            self.last_at_s = time.monotonic()

    def await_bytes(self, more: int, timeout_s: float = 20) -> None:
        """Wait for that many more. Raises: SystemExit (they did not come)."""
        goal, deadline_s = self.received_bytes + more, time.monotonic() + timeout_s
        while self.received_bytes < goal:
            if time.monotonic() > deadline_s:
                raise SystemExit(f"demo: a stream stopped at {self.received_bytes:,} bytes")
            time.sleep(0.01)


def stop_in_mid_stream(hosts: dict[str, Host], controller: Controller, config: Path) -> None:
    """Deny red's connections to port 80 while both tenants download."""
    with ExitStack() as stack:
        streams = {tenant: Stream(hosts[tenant], stack) for tenant in TENANTS}
        for stream in streams.values():
            stream.await_bytes(4_000_000)
        headgate(config, "cache", "show", "--limit", "4")
        headgate(config, "cache", "stats")
        config.write_text(config.read_text().replace(FIRST_RULE, DENY + FIRST_RULE, 1))
        show("+" + DENY.rstrip())
        show(controller.await_line("configured:"))
        committed_s = time.monotonic()
        streams["blue"].await_bytes(8_000_000)
        red = streams["red"]
        after_ms = (red.last_at_s - committed_s) * 1000
        if red.last_at_s > committed_s + 1:
            raise SystemExit("demo: red's download went on")
        show(f"red   stopped at {red.received_bytes:,} bytes; its last came {after_ms:+.0f} ms from the commit")
        show(f"blue  goes on: {streams['blue'].received_bytes:,} bytes")


if __name__ == "__main__":
    main()
