# SPDX-License-Identifier: Apache-2.0
"""The facts of the router scenario, from which every engine's entries and the trace are made."""

from __future__ import annotations

from dataclasses import dataclass

from finsy.proto import p4i, p4r

from .frames import udp_frame
from .shuffle import scattered, shuffled
from .updates import Inserts

IN_PORT, OUT_PORT = 0, 1
BD, VRF = 10, 7
NEXTHOPS = 16
PREFIX_LEN = 24
HOSTS_PER_PREFIX = 4
"""Of so many flows one is routed by a prefix, the others by host routes."""

_ROUTER_MAC = 0x0200_0000_0001
_SOURCE_MAC = 0x0200_0000_00AA
_SOURCE_ADDRESS = 0x0B00_0000  # 11.0.0.0
_HOSTS = 0x0A00_0000  # 10.0.0.0/8
_PREFIXES = 0x1400_0000  # 20.0.0.0/8


@dataclass(frozen=True, slots=True)
class Nexthop:
    id: int
    src_mac: int
    dst_mac: int


@dataclass(frozen=True, slots=True)
class Route:
    """To one host (`prefix_len` 32) or to a prefix."""

    address: int
    prefix_len: int
    nexthop: Nexthop


@dataclass(frozen=True, slots=True)
class Router:
    """One port, one bridge domain, one VRF; `routes` has one for each flow of the trace."""

    nexthops: tuple[Nexthop, ...]
    routes: tuple[Route, ...]


def router(flows: int) -> Router:
    """Three quarters host routes, one quarter /24; neighbours in the list are not neighbours in the address space."""
    nexthops = tuple(Nexthop(n, _ROUTER_MAC, 0x0200_0000_1000 + n) for n in range(1, NEXTHOPS + 1))
    return Router(nexthops, tuple(_route(flow, nexthops[flow % NEXTHOPS]) for flow in range(flows)))


def _route(flow: int, nexthop: Nexthop) -> Route:
    if flow % HOSTS_PER_PREFIX:
        return Route(_HOSTS + scattered(flow, bits=24), 32, nexthop)
    return Route(_PREFIXES + (scattered(flow // HOSTS_PER_PREFIX, bits=16) << 8), PREFIX_LEN, nexthop)


def trace(facts: Router, packets: int, frame_bytes: int) -> tuple[bytes, ...]:
    """As many packets of each route as of any other, in a scattered order."""
    frames = [_frame(flow, route, frame_bytes) for flow, route in enumerate(facts.routes)]
    return tuple(frames[i % len(frames)] for i in shuffled(packets))


def _frame(flow: int, route: Route, frame_bytes: int) -> bytes:
    host = 0 if route.prefix_len == 32 else 1 + flow % 250
    return udp_frame(
        dst_mac=_ROUTER_MAC,
        src_mac=_SOURCE_MAC,
        src=_SOURCE_ADDRESS + flow,
        dst=route.address + host,
        src_port=1024 + flow % 60_000,
        dst_port=53,
        frame_bytes=frame_bytes,
    )


def writes(facts: Router, p4info: p4i.P4Info) -> p4r.WriteRequest:
    """The entries of ``router.p4``."""
    inserts = Inserts(p4info)
    updates = [
        inserts.entry("port_mapping", {"std.ingress_port": IN_PORT}, "set_bd", bd=BD),
        inserts.entry("bd", {"meta.bd": BD}, "set_vrf", vrf=VRF),
    ]
    for hop in facts.nexthops:
        updates += [
            inserts.entry("nexthop", {"meta.nexthop": hop.id}, "set_egress_port", port=OUT_PORT),
            inserts.entry("rewrite_mac", {"meta.nexthop": hop.id}, "set_macs", src=hop.src_mac, dst=hop.dst_mac),
        ]
    for route in facts.routes:
        table, dst = (
            ("ipv4_fib", route.address)
            if route.prefix_len == 32
            else ("ipv4_fib_lpm", (route.address, route.prefix_len))
        )
        match = {"meta.vrf": VRF, "hdr.ipv4.dst": dst}
        updates.append(inserts.entry(table, match, "set_nexthop", nexthop=route.nexthop.id))
    return p4r.WriteRequest(updates=updates)
