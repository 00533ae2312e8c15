# SPDX-License-Identifier: Apache-2.0
"""Open vSwitch's user-space datapath on DPDK: one poll-mode thread, packets from a capture.

The router's six tables are one OpenFlow table here; OVS caches the fate of a flow across tables anyway. VXLAN is a
tunnel port, chosen by destination MAC, over a second bridge that has the local VTEP's address; OVS's own neighbor table
knows the next hop's MAC.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from math import ceil
from pathlib import Path

from .. import router, vxlan
from ..measure import Plan, Window, sample_windows, thread_named
from ..pcaps import read_frames
from ..scenario import Facts, Scenario
from .vswitchd import EXECUTABLE, Vswitchd, vswitchd

_IN, _OUT, _TUNNEL = 1, 2, 3
"""OpenFlow port numbers."""
_VTEP_PREFIX_LEN = 24
_VXLAN_PORT = 4789
_LEAD_IN_PACKETS = 65_536
"""Packets are lost while ports and flows come up: what is compared comes after so many."""
_TRACE_S = 120.0
_POLL_S = 0.1


class Ovs:
    name = "OVS-DPDK"
    own_entropy = True

    def missing(self) -> str | None:
        if not EXECUTABLE.exists():
            return "apt install openvswitch-switch-dpdk"
        if os.geteuid() or not shutil.which("ip"):
            return "run as root, with iproute2: it needs a network namespace"
        return None

    def outputs(self, scenario: Scenario, scratch: Path) -> list[bytes]:
        out = scratch / "out.pcap"
        plan = Plan(windows=0, seconds=0, core=1, control_core=0)
        passes = 1 + ceil(_LEAD_IN_PACKETS / len(scenario.trace))
        longer = replace(scenario, trace=scenario.trace * passes)
        with _forwarding(longer, scratch, plan, sink=f"net_pcap1,tx_pcap={out}", source_option="") as ovs:
            ovs.wait_for(lambda: ovs.packets_in() >= len(longer.trace), "the end of the trace", _TRACE_S)
            ovs.vsctl("del-port", "out")  # the capture is whole once its port is closed
        return read_frames(out)[-len(scenario.trace) :]

    def windows(self, scenario: Scenario, scratch: Path, plan: Plan) -> list[Window]:
        with _forwarding(scenario, scratch, plan, sink="net_null1,no-rx=1", source_option=",infinite_rx=1") as ovs:
            ovs.wait_for(lambda: _has_learnt(ovs, len(scenario.trace)), "a cached flow for every packet", _TRACE_S)
            return sample_windows(plan, ovs.packets_in, thread_named(ovs.process.pid, f"pmd-c{plan.core:02}"))


@contextmanager
def _forwarding(scenario: Scenario, scratch: Path, plan: Plan, sink: str, source_option: str) -> Iterator[Vswitchd]:
    trace = scenario.write_trace(scratch / "trace.pcap")
    source = f"net_pcap0,rx_pcap={trace}{source_option}"
    with vswitchd(scratch / f"ovs-{plan.windows}", plan) as ovs:
        ovs.add_bridge("br", flows(scenario.facts))
        if isinstance(scenario.facts, router.Router):
            ovs.add_port("br", "out", _OUT, "type=dpdk", f"options:dpdk-devargs={sink}")
        else:
            _add_underlay(ovs, sink, {tunnel.remote_vtep for tunnel in scenario.facts})
        ovs.add_port("br", "in", _IN, "type=dpdk", f"options:dpdk-devargs={source}")
        yield ovs


def _has_learnt(ovs: Vswitchd, packets: int) -> bool:
    """Whether a whole pass went by without a miss: OVS raises its limit of cached flows by some 2000 a second."""
    packets_before, misses_before = ovs.packets_in(), ovs.misses()
    while ovs.packets_in() < packets_before + packets:
        time.sleep(_POLL_S)
    return ovs.misses() == misses_before


def _add_underlay(ovs: Vswitchd, sink: str, remotes: set[int]) -> None:
    """What VXLAN packets leave by: a bridge that has the local VTEP's address, and neighbors for the remote ones."""
    ovs.add_bridge("underlay", [f"in_port=LOCAL,udp,tp_dst={_VXLAN_PORT},actions=output:{_OUT}"])
    ovs.vsctl("set", "Bridge", "underlay", f'other-config:hwaddr="{_mac(vxlan.OWN_MAC)}"')
    ovs.add_port("underlay", "out", _OUT, "type=dpdk", f"options:dpdk-devargs={sink}")
    ovs.run("ip", "address", "add", f"{IPv4Address(vxlan.LOCAL_VTEP)}/{_VTEP_PREFIX_LEN}", "dev", "underlay")
    ovs.run("ip", "link", "set", "underlay", "up")
    for remote in remotes:
        ovs.appctl("tnl/arp/set", "underlay", str(IPv4Address(remote)), _mac(vxlan.NEXT_HOP_MAC))
    ovs.add_port("br", "tunnel", _TUNNEL, "type=vxlan", "options:remote_ip=flow", "options:key=flow")


def flows(facts: Facts) -> list[str]:
    """As ``ovs-ofctl add-flows`` reads them."""
    if not isinstance(facts, router.Router):
        return [
            f"in_port={_IN},dl_dst={_mac(t.station_mac)},actions=set_tunnel:{t.vni},"
            f"set_field:{IPv4Address(t.remote_vtep)}->tun_dst,output:{_TUNNEL}"
            for t in facts
        ]
    return [
        f"priority={r.prefix_len},in_port={_IN},ip,nw_dst={IPv4Address(r.address)}/{r.prefix_len},"
        f"actions=dec_ttl,mod_dl_src:{_mac(r.nexthop.src_mac)},mod_dl_dst:{_mac(r.nexthop.dst_mac)},output:{_OUT}"
        for r in facts.routes
    ]


def _mac(address: int) -> str:
    return address.to_bytes(6).hex(":")
