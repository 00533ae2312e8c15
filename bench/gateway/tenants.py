# SPDX-License-Identifier: Apache-2.0
"""A gateway of many tenants with the same addresses: VXLAN inside, NAT and a long list of rules, four ways outside."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

from headgate.config import parse_config
from headgate.config.gateway import GatewayConfig

FABRIC_PORT, WAN_PORT = 0, 1
VNI_BASE = 5000
GATEWAY_VTEP = IPv4Address("192.0.2.1")
FABRIC_MAC, WAN_MAC = "02:00:00:00:f0:01", "02:00:00:00:f1:01"
SEGMENT_MAC = "02:00:00:01:01:01"
HOSTS = 4
"""Of each tenant."""

_FIRST_HOST = int(IPv4Address("10.0.1.10"))
_FIRST_VTEP = int(IPv4Address("198.51.100.1"))
_VTEPS = 16
_FIRST_NAT_ADDRESS = int(IPv4Address("198.18.0.1"))  # RFC 2544: for benchmarks
_WAYS_OUT = [f"203.0.113.{host}" for host in range(1, 5)]

Data = dict[str, Any]


def gateway_of(tenants: int, rules: int) -> GatewayConfig:
    """Tenants 1 to `tenants`, each with so many rules, the last of which lets packets to the outside pass.

    Without rules there is neither a firewall nor NAT.
    """
    config = parse_config(
        {
            "program": "gateway",
            "interfaces": [
                {"name": "fabric", "port": FABRIC_PORT, "mtu_bytes": 9000},
                {"name": "wan", "port": WAN_PORT},
            ],
            "underlay": {
                "addresses": [str(GATEWAY_VTEP)],
                "interfaces": [{"interface": "fabric", "mac": FABRIC_MAC, "addresses": ["192.0.2.5/30"]}],
                "next_hops": [{"name": "spine", "interface": "fabric", "mac": "02:00:00:00:fa:01"}],
            },
            "tunnels": [_tunnel(number) for number in range(_VTEPS)],
            "routers": [_router()],
            "tenants": [_tenant(tenant_id, rules) for tenant_id in range(1, tenants + 1)],
        }
    )
    assert isinstance(config, GatewayConfig)
    return config


def host_address(host: int) -> IPv4Address:
    return IPv4Address(_FIRST_HOST + host)


def host_mac(host: int) -> str:
    return f"02:00:00:01:02:{host:02x}"


def vtep_of(tenant_id: int, host: int) -> IPv4Address:
    """Where a tenant's host is."""
    return IPv4Address(_FIRST_VTEP + (tenant_id + host) % _VTEPS)


def _tunnel(number: int) -> Data:
    remote = IPv4Address(_FIRST_VTEP + number)
    ends = {"local": str(GATEWAY_VTEP), "remote": str(remote)}
    return {"name": f"to-{remote}", "tunnel_id": number + 1, "type": "vxlan", "next_hop": "spine", **ends}


def _router() -> Data:
    return {
        "name": "north",
        "router_id": 1,
        "uplinks": [{"interface": "wan", "mac": WAN_MAC, "addresses": ["203.0.113.250/24"]}],
        "neighbors": [{"address": way, "mac": f"02:00:00:00:fb:{n:02x}"} for n, way in enumerate(_WAYS_OUT)],
        "routes": [{"prefix": "0.0.0.0/0", "via": _WAYS_OUT}],
    }


def _tenant(tenant_id: int, rules: int) -> Data:
    hosts = [
        {"address": str(host_address(host)), "mac": host_mac(host), "via": f"to-{vtep_of(tenant_id, host)}"}
        for host in range(HOSTS)
    ]
    segment = {
        "name": "hosts",
        "segment_id": 1,
        "mac": SEGMENT_MAC,
        "addresses": ["10.0.1.1/24"],
        "attached": [{"network_id": VNI_BASE + tenant_id}],
        "hosts": hosts,
    }
    tenant = {
        "name": f"tenant{tenant_id}",
        "tenant_id": tenant_id,
        "router": "north",
        "segments": [segment],
        "routes": [{"prefix": "0.0.0.0/0", "to": "router"}],
    }
    if not rules:
        return tenant
    outside = IPv4Address(_FIRST_NAT_ADDRESS + tenant_id)
    pool = {"name": "shared", "pool_id": 1, "inside": ["10.0.0.0/16"], "outside": [f"{outside}/32"]}
    firewall = {"rules": [*_rules(rules - 1), {**_OUT, "name": "out"}]}
    return {**tenant, "firewall": firewall, "nat": {"pools": [pool]}}


_OUT = {"ingress": "inside", "source": "10.0.0.0/16", "action": "allow_stateful"}


def _rules(count: int) -> Iterator[Data]:
    """Networks nobody may talk to, services that are open to the outside, and what the hosts may use of others."""
    for number in range(count):
        name, octet = f"rule{number}", number % 256
        match number % 3:
            case 0:
                yield {"name": name, "ingress": "inside", "destination": f"100.64.{octet}.0/24", "action": "deny"}
            case 1:
                ports = {"protocol": "tcp", "destination_ports": f"{8000 + 10 * number}-{8009 + 10 * number}"}
                inbound = {"ingress": "outside", "destination": f"10.0.1.{10 + octet % HOSTS}"}
                yield {"name": name, **inbound, **ports, "action": "allow_stateful"}
            case _:
                ports = {"protocol": "udp", "destination_ports": 5000 + number}
                yield {**_OUT, "name": name, "destination": f"100.65.{octet}.0/24", **ports}
