# SPDX-License-Identifier: Apache-2.0
"""What is measured: a program, its entries and a trace, the same for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from finsy.proto import p4r
from google.protobuf import text_format

from softnic.inputs import read_p4info
from softnic.pcap import PcapWriter

from . import router, vxlan

_COMPILED = Path(__file__).parent / "p4" / "compiled"
_MIN_PACKETS = 1024

ENTROPY_BYTES = slice(34, 36)
"""Where a VXLAN packet has the source port that RFC 7348, 5 leaves to the sender: UDP behind Ethernet and IPv4."""

Facts = router.Router | tuple[vxlan.Tunnel, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`trace` comes in on port 0, every packet leaves on port 1. `facts` are what peers make their own entries of.

    One core is to reach `goal_mpps` and `goal_ratio` times the fastest of rte_swx and OVS; 0 where that is no goal.
    """

    name: str
    program: str
    facts: Facts
    trace: tuple[bytes, ...]
    goal_mpps: float
    goal_ratio: float = 0.0
    is_small: bool = True

    @property
    def program_json(self) -> Path:
        return _COMPILED / f"{self.program}.json"

    @property
    def p4info(self) -> Path:
        return _COMPILED / f"{self.program}.p4info.txtpb"

    @property
    def arrivals(self) -> tuple[tuple[int, bytes], ...]:
        """The trace, each packet with its port."""
        return tuple((router.IN_PORT, frame) for frame in self.trace)

    @property
    def is_vxlan(self) -> bool:
        return not isinstance(self.facts, router.Router)

    def writes(self) -> p4r.WriteRequest:
        p4info = read_p4info(self.p4info)
        if isinstance(self.facts, router.Router):
            return router.writes(self.facts, p4info)
        return vxlan.writes(self.facts, p4info)

    def write_trace(self, path: Path) -> Path:
        with path.open("wb") as stream:
            writer = PcapWriter(stream)
            for index, frame in enumerate(self.trace):
                writer.write(index * 1_000, frame)
        return path

    def write_entries(self, path: Path) -> Path:
        path.write_text(text_format.MessageToString(self.writes()))
        return path


def router_scenario(flows: int, frame_bytes: int, goal_mpps: float = 0.0, goal_ratio: float = 0.0) -> Scenario:
    facts = router.router(flows)
    frames = router.trace(facts, max(flows, _MIN_PACKETS), frame_bytes)
    name = f"router, {flows:,} flows, {frame_bytes} B"
    return Scenario(name, "router", facts, frames, goal_mpps, goal_ratio, flows <= _MIN_PACKETS)


def vxlan_scenario(entries: int, frame_bytes: int, goal_mpps: float) -> Scenario:
    facts = vxlan.tunnels(entries)
    frames = vxlan.trace(facts, max(entries, _MIN_PACKETS), frame_bytes)
    name = f"VXLAN, {entries:,} entries, {frame_bytes} B"
    return Scenario(name, "vxlan_encap", facts, frames, goal_mpps, is_small=entries <= _MIN_PACKETS)


FEW_FLOWS, MANY_FLOWS = "router, 16 flows, 128 B", "router, 65,536 flows, 128 B"
"""The pair that tells whether there is a cliff."""


def scenarios() -> tuple[Scenario, ...]:
    return (
        router_scenario(16, 128, goal_mpps=10.0, goal_ratio=2.0),
        router_scenario(16, 64),
        router_scenario(8_192, 128),
        router_scenario(65_536, 128),
        vxlan_scenario(16, 64, goal_mpps=8.0),
        vxlan_scenario(4_096, 64, goal_mpps=8.0),
    )
