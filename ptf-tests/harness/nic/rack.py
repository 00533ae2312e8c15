# SPDX-License-Identifier: Apache-2.0
"""The two hosts that most tests are about, as headgate's configurations, and the addresses in them.

`RACK`: a host, three ordinary guests, VLANs with every kind of tag. Guest C repeats guest A's MAC address and IP
addresses in another VLAN. `routers(...)`: a guest that passes packets on, by any of the three ways to do so.
"""

from __future__ import annotations

from typing import Any, Literal

from harness.frames import IPV4, IPV6, Family
from harness.nic.ports import LAN, ROUTER, ROUTER_FORWARD, VM_A, VM_B, VM_C, WAN

VLAN_UNTAGGED, VLAN_C_TAG, VLAN_S_TAG, VLAN_PRIVATE, VLAN_LAN = 10, 20, 30, 40, 50
WIRE_S_TAG = 300
"""The tag that names VLAN_S_TAG on the wire."""

OUTSIDE_MAC = "00:00:5e:00:53:99"
"""A host beyond the uplink (RFC 7042 2.1.2)."""
STRANGER_MAC = "00:00:5e:00:53:66"
"""Nobody's."""

HOST_VNIC, A_VNIC, B_VNIC, C_VNIC, ROUTER_VNIC = 1, 2, 3, 4, 5
HOST_RING, A_RING, B_RING, C_RING, ROUTER_RING, ROUTER_FORWARD_RING = 1, 2, 3, 4, 5, 6
HOST_MAC = "02:00:00:00:00:01"
A_MAC, A_SECOND_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:1a"
B_MAC = "02:00:00:00:00:0b"
C_MAC = A_MAC
ROUTER_MAC = "02:00:00:00:00:05"

A_IP: dict[Family, str] = {IPV4: "10.0.0.10", IPV6: "2001:db8::10"}
B_IP: dict[Family, str] = {IPV4: "10.0.0.11", IPV6: "2001:db8::11"}
C_IP = A_IP
ROUTER_IP: dict[Family, str] = {IPV4: "10.0.0.1", IPV6: "2001:db8::1"}
GATEWAY_IP: dict[Family, str] = {IPV4: "10.0.0.254", IPV6: "2001:db8::fe"}
"""Where routes lead, beyond the uplink."""
GATEWAY_MAC = "00:00:5e:00:53:fe"

_WIDE_OPEN = {"packets_per_s": 100_000, "burst_packets": 10_000}

PORTS = [
    {"name": "wan", "port": WAN, "role": "uplink"},
    {"name": "lan", "port": LAN, "role": "uplink"},
    {"name": "a", "port": VM_A, "role": "ring"},
    {"name": "b", "port": VM_B, "role": "ring"},
    {"name": "c", "port": VM_C, "role": "ring"},
]
VLANS = [
    {"vlan_id": VLAN_UNTAGGED, "uplink": "wan", "tag": "untagged"},
    {"vlan_id": VLAN_C_TAG, "uplink": "wan", "tag": "tagged"},
    {"vlan_id": VLAN_S_TAG, "uplink": "wan", "tag": {"ether_type": "802.1ad", "vlan_id": WIRE_S_TAG}},
    {"vlan_id": VLAN_PRIVATE},
    {"vlan_id": VLAN_LAN, "uplink": "lan", "tag": "untagged"},
]
HOST = {
    "name": "host",
    "vnic_id": HOST_VNIC,
    "vlan": VLAN_UNTAGGED,
    "macs": [HOST_MAC],
    "rings": {"local": [{"ring_id": HOST_RING, "port": "host"}]},
}


def guest(
    name: str, vnic_id: int, ring_id: int, macs: list[str], vlan: int | None, *tagged_vlans: int
) -> dict[str, Any]:
    """An ordinary guest: one ring, wired to the port of its name."""
    vnic: dict[str, Any] = {
        "name": name,
        "vnic_id": vnic_id,
        "tagged_vlans": list(tagged_vlans),
        "macs": macs,
        "rings": {"local": [{"ring_id": ring_id, "port": name}]},
    }
    return vnic if vlan is None else {**vnic, "vlan": vlan}


GUEST_A = guest("a", A_VNIC, A_RING, [A_MAC, A_SECOND_MAC], VLAN_UNTAGGED)
GUEST_B = guest("b", B_VNIC, B_RING, [B_MAC], VLAN_UNTAGGED, VLAN_S_TAG, VLAN_PRIVATE, VLAN_LAN)
GUEST_C = guest("c", C_VNIC, C_RING, [C_MAC], VLAN_C_TAG)

RACK: dict[str, Any] = {
    "program": "nic",
    "ports": PORTS,
    "vlans": VLANS,
    "vnics": [HOST, GUEST_A, GUEST_B, GUEST_C],
    "default_ring": {"vnic": "host"},
}

RoutedBy = Literal["guest", "nic_on_transmit", "nic_on_receive"]


NIC_ROUTES: dict[str, Any] = {
    "routes": [
        {"prefix": "203.0.113.0/24", "via": GATEWAY_IP[IPV4]},
        {"prefix": "2001:db8:f::/48", "via": GATEWAY_IP[IPV6]},
        {"prefix": "198.18.0.0/15", "to": "blackhole"},
        {"prefix": "2001:db8:dead::/48", "to": "blackhole"},
    ],
    "neighbors": [
        {"address": GATEWAY_IP[IPV4], "mac": GATEWAY_MAC},
        {"address": GATEWAY_IP[IPV6], "mac": GATEWAY_MAC},
    ],
}


def rack_with_router(routed_by: RoutedBy, **changes: Any) -> dict[str, Any]:
    """`RACK` and a router in its untagged VLAN and, tagged, in VLAN_C_TAG.

    Where the NIC routes: to `Family.far` by a gateway on the wire, and a black hole. `changes` are keys of its
    `forwarding`.
    """
    forwarding = {"routed_by": routed_by, **({} if routed_by == "guest" else NIC_ROUTES), **changes}
    router = {
        "name": "router",
        "vnic_id": ROUTER_VNIC,
        "vlan": VLAN_UNTAGGED,
        "tagged_vlans": [VLAN_C_TAG],
        "macs": [ROUTER_MAC],
        "addresses": [
            f"{ROUTER_IP[IPV4]}/24",
            f"{ROUTER_IP[IPV6]}/64",
            {"address": "10.20.0.1/24", "vlan": VLAN_C_TAG},
            {"address": "2001:db8:20::1/64", "vlan": VLAN_C_TAG},
        ],
        "rings": {
            "local": [{"ring_id": ROUTER_RING, "port": "router"}],
            "forwarding": [{"ring_id": ROUTER_FORWARD_RING, "port": "router-forward"}],
        },
        "forwarding": forwarding,
    }
    guest_a = {**GUEST_A, "addresses": [f"{A_IP[IPV4]}/24", f"{A_IP[IPV6]}/64"]}
    guest_b = {**GUEST_B, "addresses": [f"{B_IP[IPV4]}/24", f"{B_IP[IPV6]}/64"]}
    return {
        **RACK,
        "ports": [
            *PORTS,
            {"name": "router", "port": ROUTER, "role": "ring"},
            {"name": "router-forward", "port": ROUTER_FORWARD, "role": "ring"},
        ],
        "vnics": [HOST, guest_a, guest_b, GUEST_C, router],
        "punt_limits": dict.fromkeys(
            ["neighbor_miss", "neighbor_heard", "ttl_expired", "packet_too_big", "no_route"], _WIDE_OPEN
        ),
    }


def without_vnic(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The configuration after a guest is gone."""
    return {**config, "vnics": [vnic for vnic in config["vnics"] if vnic["name"] != name]}
