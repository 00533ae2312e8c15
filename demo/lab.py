# SPDX-License-Identifier: Apache-2.0
"""Hosts in network namespaces around a software NIC.

The lab is a process in network, mount and process namespaces of its own: when it ends, however it ends, the kernel
takes its processes, its interfaces and its hosts away. It needs root or an unprivileged user namespace.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

INSIDE = "HEADGATE_LAB"


class LabError(Exception):
    """There are no namespaces to be had, or no tools to fill them."""


def enter() -> None:
    """Run this program again inside a lab and exit with its status; return at once when this already is the inside.

    Raises:
        LabError: neither root nor an unprivileged user namespace is to be had, or a tool is missing.
    """
    if os.environ.get(INSIDE):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to both; the one outside acts on it
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        sh("ip link set lo up")
        return
    missing = [tool for tool in ("unshare", "nsenter", "ip", "ping") if not shutil.which(tool)]
    if missing:
        raise LabError(f"{', '.join(missing)} not found: apt install util-linux iproute2 iputils-ping")
    unshare = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    trial = subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", "/run"], capture_output=True, text=True)
    if trial.returncode != 0:
        raise LabError(f"no namespaces here: {trial.stderr.strip() or 'unshare failed'}")
    sys.exit(supervise([*unshare, sys.executable, *sys.argv]))


def supervise(command: list[str]) -> int:
    """Run the lab to its end, or end it: unshare itself ignores SIGINT and SIGTERM, and takes the lab along when it is
    killed."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with subprocess.Popen(command, env={**os.environ, INSIDE: "1"}) as lab:
        try:
            return lab.wait()
        finally:
            lab.kill()


def sh(command: str) -> None:
    """Run a command of the lab's own making. Raises: CalledProcessError, with what it printed."""
    subprocess.run(command.split(), check=True, capture_output=True, text=True)


@dataclass(frozen=True, slots=True)
class Host:
    """A Linux host: a network namespace with the kernel's own stack."""

    name: str

    @classmethod
    def create(cls, name: str) -> Host:
        host = cls(name)
        sh(f"ip netns add {name}")
        host.sh("ip link set lo up")
        # Nothing but what the demo sends: no duplicate address detection, no router solicitations.
        for setting in ("conf/all/accept_dad", "conf/default/accept_dad", "conf/default/router_solicitations"):
            host.set(f"ipv6/{setting}", 0)
        return host

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line that runs another one on this host."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *arguments]

    def sh(self, command: str) -> None:
        sh(" ".join(self.command(command.split())))

    def set(self, setting: str, value: int) -> None:
        """Write /proc/sys/net/SETTING of this host."""
        writer = f"open('/proc/sys/net/{setting}', 'w').write('{value}')"
        subprocess.run(self.command([sys.executable, "-c", writer]), check=True, capture_output=True)

    def plug(self, interface: str, into: str, mac: str) -> None:
        """A cable: `interface` on this host, still down, `into` in the lab's own namespace, where the NIC is."""
        sh(f"ip link add {into} type veth peer name {interface} netns {self.name} address {mac}")
        # The NIC's side is a port, not a host: its own stack must stay silent.
        sh(f"ip link set {into} addrgenmode none up")

    def address(self, interface: str, *addresses: str) -> None:
        for address in addresses:
            self.sh(f"ip address add {address} dev {interface}" + (" nodad" if ":" in address else ""))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )

    def output(self, *arguments: str, timeout_s: float = 60) -> str:
        """What a command prints. Raises: CalledProcessError, TimeoutExpired."""
        return subprocess.run(
            self.command(arguments), check=True, capture_output=True, text=True, timeout=timeout_s
        ).stdout
