# SPDX-License-Identifier: Apache-2.0
"""Who is wired to which port of the device under test."""

from __future__ import annotations

from harness.program import CPU_PORT

UNDERLAY = 0
"""Tunnels over untagged frames."""
UNDERLAY_TAGGED = 1
"""Tunnels over frames of VLAN `UNDERLAY_VLAN`."""
UPLINK, SECOND_UPLINK = 2, 3
"""The central router's, to the world; the second one's frames are of VLAN `UPLINK_VLAN`."""
BLUE_HOSTS, RED_HOSTS = 4, 5
"""A plain segment of each tenant."""
TRUNK = 6
"""A second segment of each tenant, told apart by the VLAN."""
UNUSED = 7
"""A port that no rack names."""
PACKETS = (UNDERLAY, UNDERLAY_TAGGED, UPLINK, SECOND_UPLINK, BLUE_HOSTS, RED_HOSTS, TRUNK, UNUSED)

UNDERLAY_VLAN = 100
UPLINK_VLAN = 200
BLUE_VLAN, RED_VLAN = 10, 20
"""On the trunk."""

SENTINEL = 9
"""Where the harness's own frames go in: see `harness.gateway.sentinel`."""
CPU = CPU_PORT

ALL = (*PACKETS, SENTINEL)
