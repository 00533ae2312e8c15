# SPDX-License-Identifier: Apache-2.0
"""The same work written by hand in C: ``bench/c/router.c``, ``bench/c/vxlan_encap.c``."""

from __future__ import annotations

import shutil
from pathlib import Path

from .. import router, vxlan
from ..measure import Plan, Window
from ..pcaps import read_frames
from ..process import run
from ..scenario import Facts, Scenario

_SOURCES = Path(__file__).parents[1] / "c"
_FLAGS = ("-std=gnu11", "-O3", "-march=native", "-flto", "-Wall", "-Wextra", "-Werror")


class PlainC:
    name = "plain C"
    own_entropy = False

    def missing(self) -> str | None:
        return None if shutil.which("cc") else "apt install gcc libc6-dev"

    def outputs(self, scenario: Scenario, scratch: Path) -> list[bytes]:
        out = scratch / "out.pcap"
        run([*self._command(scenario, scratch), "0", "0", str(out)])
        return read_frames(out)

    def windows(self, scenario: Scenario, scratch: Path, plan: Plan) -> list[Window]:
        command = [*self._command(scenario, scratch), str(plan.windows), str(plan.seconds)]
        lines = run(["taskset", "-c", str(plan.core), *command]).splitlines()
        return [Window(*map(int, line.split())) for line in lines]

    def _command(self, scenario: Scenario, scratch: Path) -> list[str]:
        tables = scratch / "tables.txt"
        tables.write_text("".join(f"{line}\n" for line in table_lines(scenario.facts)))
        trace = scenario.write_trace(scratch / "trace.pcap")
        return [str(compile_c(scenario.program, ("harness", "trace"), scratch)), str(tables), str(trace)]


def compile_c(program: str, others: tuple[str, ...], scratch: Path) -> Path:
    """The executable made of ``bench/c/PROGRAM.c`` and the `others`. Raises: PeerError."""
    executable = scratch / program
    run(["cc", *_FLAGS, "-o", str(executable), *(str(_SOURCES / f"{source}.c") for source in (program, *others))])
    return executable


def table_lines(facts: Facts) -> list[str]:
    """The entries as the C programs read them: one a line, numbers in decimal."""
    if not isinstance(facts, router.Router):
        return [
            f"tunnel {t.station_mac} {vxlan.NEXT_HOP_MAC} {vxlan.OWN_MAC} {vxlan.LOCAL_VTEP} {t.remote_vtep} {t.vni}"
            for t in facts
        ]
    return [
        f"port {router.IN_PORT} {router.BD}",
        f"bd {router.BD} {router.VRF}",
        *(f"nexthop {hop.id} {router.OUT_PORT} {hop.src_mac} {hop.dst_mac}" for hop in facts.nexthops),
        *(f"route {router.VRF} {r.address}/{r.prefix_len} {r.nexthop.id}" for r in facts.routes),
    ]
