# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch as two processes of our own: no system service, files in one folder, links in one namespace."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..measure import Plan
from ..namespace import network_namespace
from ..process import run, running, wait_for

EXECUTABLE = Path("/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk")
_SCHEMA = Path("/usr/share/openvswitch/vswitch.ovsschema")
_START_S = 60.0
_EAL = "--no-huge --legacy-mem --no-pci -m 2048"
"""``--legacy-mem``, because OVS would else add ``--in-memory``, which EAL refuses beside ``--no-huge``."""


@dataclass(frozen=True, slots=True)
class Vswitchd:
    """A running one."""

    folder: Path
    inside: tuple[str, ...]
    process: subprocess.Popen[bytes]

    def run(self, *command: str) -> str:
        """A command in its namespace. Raises: PeerError."""
        return run([*self.inside, *command], env=_env(self.folder))

    def vsctl(self, *arguments: str) -> None:
        self.run("ovs-vsctl", f"--db=unix:{self.folder}/db.sock", *arguments)

    def appctl(self, *arguments: str) -> str:
        return self.run("ovs-appctl", "-t", f"{self.folder}/vswitchd.ctl", *arguments)

    def add_bridge(self, name: str, flows: Iterable[str]) -> None:
        """A user-space bridge with these OpenFlow flows and no others."""
        self.vsctl("add-br", name, "--", "set", "Bridge", name, "datapath_type=netdev")
        path = self.folder / f"{name}.flows"
        path.write_text("".join(f"{flow}\n" for flow in flows))
        self.run("ovs-ofctl", "del-flows", name)
        self.run("ovs-ofctl", "add-flows", name, str(path))

    def add_port(self, bridge: str, name: str, number: int, *settings: str) -> None:
        self.vsctl("add-port", bridge, name, "--", "set", "Interface", name, f"ofport_request={number}", *settings)

    def packets_in(self) -> int:
        """What its poll-mode threads have received."""
        return self._count(r"packets received: (\d+)")

    def misses(self) -> int:
        """How many of these no cached flow was found for."""
        return self._count(r"miss with \w+ upcall: (\d+)")

    def _count(self, line: str) -> int:
        return sum(map(int, re.findall(line, self.appctl("dpif-netdev/pmd-stats-show"))))

    def wait_for(self, ready: Callable[[], bool], what: str, seconds: float) -> None:
        """Raises: PeerError."""
        wait_for(ready, f"OVS: {what}", self.process, _log(self.folder), seconds)


@contextmanager
def vswitchd(folder: Path, plan: Plan) -> Iterator[Vswitchd]:
    """Both daemons, without a bridge; its poll-mode thread is on ``plan.core``."""
    folder.mkdir()
    run(["ovsdb-tool", "create", f"{folder}/conf.db", str(_SCHEMA)])
    database = ("ovsdb-server", f"{folder}/conf.db", f"--remote=punix:{folder}/db.sock", f"--unixctl={folder}/db.ctl")
    switch = (str(EXECUTABLE), f"unix:{folder}/db.sock", f"--unixctl={folder}/vswitchd.ctl")
    options = {
        "dpdk-init": "true",
        "dpdk-extra": _EAL,
        "dpdk-lcore-mask": hex(1 << plan.control_core),
        "pmd-cpu-mask": hex(1 << plan.core),
    }
    with network_namespace() as inside, running([*inside, *database], _log(folder), _env(folder)) as server:
        wait_for((folder / "db.sock").exists, "ovsdb-server", server, _log(folder), _START_S)
        settings = [f'other_config:{name}="{value}"' for name, value in options.items()]
        run(["ovs-vsctl", f"--db=unix:{folder}/db.sock", "--no-wait", "set", "Open_vSwitch", ".", *settings])
        with running([*inside, *switch], _log(folder), _env(folder)) as process:
            ovs = Vswitchd(folder, inside, process)
            ovs.wait_for((folder / "vswitchd.ctl").exists, "start", _START_S)
            yield ovs


def _log(folder: Path) -> Path:
    return folder / "ovs.log"


def _env(folder: Path) -> dict[str, str]:
    return {**os.environ, "OVS_RUNDIR": str(folder), "OVS_LOGDIR": str(folder), "OVS_DBDIR": str(folder)}
