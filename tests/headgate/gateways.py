# SPDX-License-Identifier: Apache-2.0
"""Configurations of gateways for tests: a small one to bend, and a strategy for arbitrary ones."""

from __future__ import annotations

from typing import Any

from bend import bend
from hypothesis import strategies as st

SMALL: dict[str, Any] = {
    "program": "gateway",
    "interfaces": [
        {"name": "fabric", "port": 0, "mtu_bytes": 1600},
        {"name": "wan-a", "port": 1},
        {"name": "wan-b", "port": 1, "vlan_id": 100},
        {"name": "rack", "port": 2},
    ],
    "underlay": {
        "addresses": ["198.51.100.1"],
        "interfaces": [{"interface": "fabric", "mac": "02:00:00:00:f0:01", "addresses": ["192.0.2.1/30"]}],
        "next_hops": [{"name": "spine", "interface": "fabric", "mac": "02:00:00:00:fa:01"}],
    },
    "tunnels": [
        {
            "name": "hv1",
            "tunnel_id": 1,
            "type": "vxlan",
            "local": "198.51.100.1",
            "remote": "198.51.100.11",
            "next_hop": "spine",
        },
        {
            "name": "branch",
            "tunnel_id": 2,
            "type": "gre",
            "scope": 7,
            "local": "198.51.100.1",
            "remote": "198.51.100.40",
            "next_hop": "spine",
            "dscp": "uniform",
        },
    ],
    "routers": [
        {
            "name": "north",
            "router_id": 1,
            "uplinks": [
                {"interface": "wan-a", "mac": "02:00:00:00:f1:01", "addresses": ["203.0.113.2/29"]},
                {"interface": "wan-b", "mac": "02:00:00:00:f1:02", "addresses": ["203.0.113.10/29"]},
            ],
            "neighbors": [{"address": "203.0.113.1", "mac": "02:00:00:00:fb:01"}],
            "routes": [{"prefix": "0.0.0.0/0", "via": ["203.0.113.1", "203.0.113.9"]}],
        }
    ],
    "tenants": [
        {
            "name": "red",
            "tenant_id": 1,
            "router": "north",
            "segments": [
                {
                    "name": "web",
                    "segment_id": 1,
                    "mac": "02:00:00:01:01:01",
                    "addresses": ["10.0.1.1/24", "2001:db8:1:1::1/64"],
                    "attached": [{"network_id": 5001}],
                    "hosts": [
                        {"address": "10.0.1.10", "mac": "02:00:00:01:01:10", "via": "hv1"},
                        {"address": "10.0.1.11", "via": "hv1"},
                    ],
                },
                {
                    "name": "branch",
                    "segment_id": 2,
                    "addresses": ["10.0.3.1/30"],
                    "attached": [{"scope": 7, "network_id": 77}],
                    "hosts": [{"address": "10.0.3.2", "via": "branch"}],
                },
            ],
            "routes": [
                {"prefix": "0.0.0.0/0", "to": "router"},
                {"prefix": "10.77.0.0/16", "via": "10.0.3.2"},
                {"prefix": "10.99.0.0/16", "via": ["10.0.1.10", {"address": "10.0.1.11", "weight": 2}]},
            ],
            "firewall": {
                "rules": [
                    {"name": "no-telnet", "protocol": "tcp", "destination_ports": 23, "action": "deny"},
                    {"name": "out", "ingress": "inside", "action": "allow_stateful"},
                    {
                        "name": "web-in",
                        "ingress": "outside",
                        "destination": ["10.0.1.0/24"],
                        "protocol": "tcp",
                        "destination_ports": [443, "8000-8099"],
                        "action": "allow",
                    },
                ]
            },
            "nat": {
                "pools": [{"name": "shared", "pool_id": 1, "inside": "10.0.0.0/16", "outside": "203.0.113.64/31"}],
                "one_to_one": [{"inside": "10.0.1.12", "outside": "203.0.113.70"}],
                "port_forwards": [
                    {
                        "protocol": "tcp",
                        "outside": "203.0.113.64",
                        "outside_port": 443,
                        "inside": "10.0.1.10",
                        "inside_port": 8443,
                    }
                ],
            },
        },
        {
            "name": "blue",
            "tenant_id": 2,
            "router": "north",
            "advertise": ["10.0.1.0/24"],
            "segments": [
                {
                    "name": "web",
                    "segment_id": 1,
                    "mac": "02:00:00:01:01:01",
                    "addresses": ["10.0.1.1/24"],
                    "attached": [{"interface": "rack"}],
                }
            ],
        },
    ],
}


def small(*changes: tuple[str, Any]) -> dict[str, Any]:
    """`SMALL` with values put in place: see `bend`."""
    return bend(SMALL, *changes)


_ACTIONS = st.sampled_from(["allow", "allow_stateful", "deny"])
_PREFIXES = st.sampled_from(["10.0.1.0/24", "10.0.1.10/32", "0.0.0.0/0", "2001:db8:1:1::/64"])


@st.composite
def gateways(draw: st.DrawFn) -> dict[str, Any]:
    """A well-formed configuration of up to three tenants with the same addresses, of which hosts, routes, rules and
    translations vary."""
    tenant_ids = draw(st.lists(st.integers(1, 3), unique=True, max_size=3))
    return {
        **{key: SMALL[key] for key in ("program", "interfaces", "underlay", "tunnels")},
        "routers": [{**SMALL["routers"][0], "routes": draw(_router_routes())}],
        "tenants": [draw(_tenants(tenant_id)) for tenant_id in tenant_ids],
    }


@st.composite
def _router_routes(draw: st.DrawFn) -> list[dict[str, Any]]:
    hops = st.sampled_from(["203.0.113.1", "203.0.113.3", "203.0.113.9"])
    shared = {"prefix": "198.18.0.0/15", "via": draw(st.lists(hops, min_size=1, max_size=3, unique=True))}
    return [shared, *draw(st.sampled_from([[], [{"prefix": "0.0.0.0/0", "to": "blackhole"}]]))]


@st.composite
def _tenants(draw: st.DrawFn, tenant_id: int) -> dict[str, Any]:
    addresses = draw(st.lists(st.sampled_from(["10.0.1.10", "10.0.1.11", "10.0.1.12"]), unique=True, min_size=1))
    hosts = [
        {"address": address, "mac": draw(st.sampled_from(["02:00:00:00:00:aa", "02:00:00:00:00:bb"])), "via": "hv1"}
        for address in addresses
    ]
    routes = [
        {"prefix": prefix, "via": draw(st.lists(st.sampled_from(addresses), min_size=1, unique=True))}
        for prefix in draw(st.lists(st.sampled_from(["10.77.0.0/16", "10.99.0.0/16"]), unique=True))
    ]
    rules = [
        {"name": name, "source": draw(_PREFIXES), "action": draw(_ACTIONS)}
        for name in draw(st.permutations(["one", "two", "three"]))[: draw(st.integers(0, 3))]
    ]
    outside = f"203.0.113.{60 + tenant_id}"
    return {
        "name": f"tenant{tenant_id}",
        "tenant_id": tenant_id,
        "router": "north",
        "advertise": draw(st.sampled_from([[], [f"2001:db8:{tenant_id}::/48"]])),
        "segments": [
            {
                "name": "web",
                "segment_id": 1,
                "mac": "02:00:00:01:01:01",
                "addresses": ["10.0.1.1/24", f"2001:db8:{tenant_id}::1/64"],
                "attached": [{"network_id": 5000 + tenant_id}],
                "hosts": hosts,
            }
        ],
        "routes": [{"prefix": "198.18.0.0/15", "to": "router"}, *routes],
        **({"firewall": {"rules": rules}} if draw(st.booleans()) else {}),
        **({"nat": {"one_to_one": [{"inside": "10.0.1.10", "outside": outside}]}} if draw(st.booleans()) else {}),
    }
