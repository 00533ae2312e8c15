# SPDX-License-Identifier: Apache-2.0
"""Who is wired to which port of the device under test."""

from __future__ import annotations

from harness.program import CPU_PORT

WAN = 0
"""The first uplink."""
LAN = 1
"""The second uplink."""
VM_A, VM_B, VM_C = 2, 3, 4
"""Guests, each by the port of its one ring."""
ROUTER = 5
"""A router's local ring."""
ROUTER_FORWARD = 6
"""A router's forwarding ring."""
UNUSED = 7
"""A port that no configuration names."""
PACKETS = (WAN, LAN, VM_A, VM_B, VM_C, ROUTER, ROUTER_FORWARD, UNUSED)

SENTINEL = 9
"""Where the harness's own frames go in: see `harness.nic.sentinel`."""
HOST = 509
"""The host's rings, a descriptor in front of each frame (core/types.p4)."""
CPU = CPU_PORT
"""The controller; not a port that packets are tested on."""

ALL = (*PACKETS, SENTINEL, HOST)
