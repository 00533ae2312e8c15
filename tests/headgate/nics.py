# SPDX-License-Identifier: Apache-2.0
"""Configurations for tests: a small one to bend, and a strategy for arbitrary ones."""

from __future__ import annotations

from typing import Any

from bend import bend
from hypothesis import strategies as st

SMALL: dict[str, Any] = {
    "ports": [{"name": "wan", "port": 0, "role": "uplink"}, {"name": "vm1", "port": 1, "role": "ring"}],
    "vlans": [{"vlan_id": 10, "uplink": "wan", "tag": "untagged"}, {"vlan_id": 20, "uplink": "wan"}],
    "vnics": [
        {
            "name": "vm1",
            "vnic_id": 1,
            "vlan": 10,
            "macs": ["02:00:00:00:00:01"],
            "addresses": ["10.0.0.1/24"],
            "rings": {"local": [{"ring_id": 1, "port": "vm1"}]},
        },
        {
            "name": "router",
            "vnic_id": 2,
            "vlan": 10,
            "tagged_vlans": [20],
            "macs": ["02:00:00:00:00:02"],
            "addresses": ["10.0.0.2/24", {"address": "2001:db8::2/64", "vlan": 20}],
            "rings": {"local": [{"ring_id": 2, "port": "host"}], "forwarding": [{"ring_id": 3, "port": "host"}]},
            "forwarding": {
                "routed_by": "nic_on_transmit",
                "routes": [{"prefix": "0.0.0.0/0", "via": "10.0.0.254"}],
                "neighbors": [{"address": "10.0.0.254", "mac": "02:00:00:00:00:fe"}],
            },
        },
    ],
    "default_ring": {"vnic": "router"},
}


def small(*changes: tuple[str, Any]) -> dict[str, Any]:
    """`SMALL` with values put in place: see `bend`."""
    return bend(SMALL, *changes)


@st.composite
def nics(draw: st.DrawFn) -> dict[str, Any]:
    """A well-formed configuration of up to four VNICs, in which rings, VLANs and roles of VNICs vary."""
    ids = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
    free_rings = draw(st.permutations(range(1, 13)))
    return {
        "ports": [{"name": "wan", "port": 0, "role": "uplink"}],
        "vlans": [{"vlan_id": 10, "uplink": "wan", "tag": "untagged"}, {"vlan_id": 20}],
        "vnics": [draw(_vnic(vnic_id, free_rings[3 * index : 3 * index + 3])) for index, vnic_id in enumerate(ids)],
        "default_ring": {"vnic": f"vnic{ids[0]}"} if ids and draw(st.booleans()) else None,
    }


@st.composite
def _vnic(draw: st.DrawFn, vnic_id: int, ring_ids: list[int]) -> dict[str, Any]:
    rings = [{"ring_id": ring_id, "port": "host"} for ring_id in ring_ids]
    vlan = draw(st.sampled_from([10, 20]))
    vnic: dict[str, Any] = {
        "name": f"vnic{vnic_id}",
        "vnic_id": vnic_id,
        "vlan": vlan,
        "macs": [f"02:00:00:00:00:{vnic_id:02x}"],
        "addresses": [f"10.0.{vlan}.{vnic_id}/24"],
    }
    routed_by = draw(st.sampled_from([None, "guest", "nic_on_transmit", "nic_on_receive"]))
    if routed_by is None:
        return {**vnic, "rings": {"local": rings[: draw(st.integers(1, 3))]}}
    return {
        **vnic,
        "rings": {"local": rings[: draw(st.integers(1, 2))], "forwarding": rings[2:]},
        "forwarding": {"routed_by": routed_by},
    }
