# SPDX-License-Identifier: Apache-2.0
"""The facts of the VXLAN scenario, from which every engine's entries and the trace are made."""

from __future__ import annotations

from dataclasses import dataclass

from finsy.proto import p4i, p4r

from .frames import udp_frame
from .shuffle import scattered, shuffled
from .updates import Inserts

IN_PORT, OUT_PORT = 0, 1

LOCAL_VTEP = 0xC0A8_0001  # 192.168.0.1
OWN_MAC = 0x0200_0000_0001
NEXT_HOP_MAC = 0x0200_0000_0002
_REMOTE_VTEPS = 0xC0A8_0010
_REMOTES = 64
_STATION = 0x0200_1000_0000
_SOURCE_MAC = 0x0200_0000_00AA
_SOURCE_ADDRESS, _DESTINATION_ADDRESS = 0x0B00_0000, 0x0A00_0000


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Behind which VTEP, and in which network, a station is."""

    station_mac: int
    remote_vtep: int
    vni: int


def tunnels(entries: int) -> tuple[Tunnel, ...]:
    return tuple(
        Tunnel(_STATION + scattered(n, bits=24), _REMOTE_VTEPS + n % _REMOTES, 0x1000 + n) for n in range(entries)
    )


def trace(facts: tuple[Tunnel, ...], packets: int, frame_bytes: int) -> tuple[bytes, ...]:
    """As many packets to each station as to any other, each station's of one flow, in a scattered order."""
    frames = [_frame(n, tunnel, frame_bytes) for n, tunnel in enumerate(facts)]
    return tuple(frames[i % len(frames)] for i in shuffled(packets))


def _frame(n: int, tunnel: Tunnel, frame_bytes: int) -> bytes:
    return udp_frame(
        dst_mac=tunnel.station_mac,
        src_mac=_SOURCE_MAC,
        src=_SOURCE_ADDRESS + n,
        dst=_DESTINATION_ADDRESS + n,
        src_port=1024 + n,
        dst_port=53,
        frame_bytes=frame_bytes,
    )


def writes(facts: tuple[Tunnel, ...], p4info: p4i.P4Info) -> p4r.WriteRequest:
    """The entries of ``vxlan_encap.p4``."""
    inserts = Inserts(p4info)
    return p4r.WriteRequest(
        updates=[
            inserts.entry(
                "tunnel",
                {"hdr.ethernet.dst": tunnel.station_mac},
                "encapsulate",
                next_hop_mac=NEXT_HOP_MAC,
                own_mac=OWN_MAC,
                local=LOCAL_VTEP,
                remote=tunnel.remote_vtep,
                vni=tunnel.vni,
                port=OUT_PORT,
            )
            for tunnel in facts
        ]
    )
