# SPDX-License-Identifier: Apache-2.0
"""Tests with a real kernel at the other end of the veth.

Each runs in a process of its own, in a fresh network namespace, and if need be user namespace: no root is needed, and
nothing is left behind.
"""

from __future__ import annotations

import array
import fcntl
import functools
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

TIMEOUT_S = 5.0
_AF_XDP = 44
# linux/sockios.h and linux/ethtool.h
_SIOCETHTOOL, _ETHTOOL_STXCSUM, _ETHTOOL_STSO = 0x8946, 0x17, 0x1F
FRAME = bytes.fromhex("020000000002 020000000001 88b5") + bytes(46)
"""IEEE 802's local experimental EtherType."""


@functools.cache
def unshare() -> list[str] | None:
    """The command that runs another in a network namespace of which it is root; None where that is not permitted."""
    commands = [["unshare", "-n"], ["unshare", "-Urn"]]
    if not (shutil.which("unshare") and shutil.which("ip")):
        return None
    return next((command for command in commands if _works(command)), None)


def _works(command: list[str]) -> bool:
    return subprocess.run([*command, "ip", "link"], capture_output=True, check=False).returncode == 0


def has_xdp() -> bool:
    """Whether the kernel has AF_XDP, and we are root beyond our own namespaces."""
    try:
        socket.socket(_AF_XDP, socket.SOCK_RAW).close()
    except OSError:
        return False
    return unshare() == ["unshare", "-n"]


needs_namespaces = pytest.mark.skipif(not unshare(), reason="no network namespaces (unshare -n or -Urn) here")
needs_xdp = pytest.mark.skipif(not has_xdp(), reason="AF_XDP is not in this kernel, or needs root")


def in_namespace(test: Callable[..., None]) -> Callable[..., None]:
    """Run the test's body as root of a namespace: in a new process that runs its file with its name and parameters.

    The file ends with ``run_inside(globals())`` for when it is run.
    """

    @functools.wraps(test)
    def run(**parameters: Any) -> None:
        test_and_parameters = [test.__code__.co_filename, test.__name__, json.dumps(parameters)]
        command = [*(unshare() or []), sys.executable, *test_and_parameters]
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


def run_inside(tests: Mapping[str, Any]) -> None:
    """What the process in the namespace does."""
    tests[sys.argv[1]].__wrapped__(**json.loads(sys.argv[2]))


def sh(*commands: str) -> None:
    for command in commands:
        subprocess.run(command.split(), check=True)


def add_veth(name: str, mtu: int = 1500) -> None:
    """``<name>`` for the port, ``<name>-peer`` for the host at the other end; no IPv6, which would chat."""
    sh(f"ip link add name {name} mtu {mtu} type veth peer name {name}-peer mtu {mtu}")
    for end in (name, f"{name}-peer"):
        Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6").write_text("1")
        sh(f"ip link set {end} up")


def raw_socket(interface: str) -> socket.socket:
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0003))
    raw.bind((interface, 0x0003))
    raw.settimeout(TIMEOUT_S)
    return raw


def leave_nothing_to_the_nic(interface: str) -> None:
    """Let the kernel finish checksums and segments before it sends on `interface` (ethtool's ``tx off tso off``)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in (_ETHTOOL_STXCSUM, _ETHTOOL_STSO):
            value = array.array("I", [command, 0])
            request = struct.pack("16sP16x", interface.encode(), value.buffer_info()[0])
            fcntl.ioctl(control, _SIOCETHTOOL, request)


class Host:
    """A network namespace of its own that holds the far end of a veth, with addresses; for the kernel's own traffic."""

    def __init__(self, interface: str, *addresses: str) -> None:
        self._sleeper = subprocess.Popen(["unshare", "-n", "sleep", "90"])
        while self._namespace(self._sleeper.pid) in ("", self._namespace(os.getpid())):
            pass
        self._enter = ["nsenter", "-n", "-t", str(self._sleeper.pid)]
        sh(f"ip link set {interface} netns {self._sleeper.pid}")
        self.run("ip link set lo up")
        self.run(f"ip link set {interface} up")
        for address in addresses:
            self.run(f"ip addr add {address} dev {interface}" + (" nodad" if ":" in address else ""))

    def run(self, command: str) -> None:
        subprocess.run([*self._enter, *command.split()], check=True)

    def python(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        command = [*self._enter, sys.executable, "-c", script, *arguments]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        self._sleeper.kill()
        self._sleeper.wait()

    @staticmethod
    def _namespace(pid: int) -> str:
        try:
            return os.readlink(f"/proc/{pid}/ns/net")
        except OSError:
            return ""
