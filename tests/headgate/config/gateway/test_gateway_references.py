# SPDX-License-Identifier: Apache-2.0
"""Names that lead nowhere, and names and numbers that are there twice, are refused with their path and the fix."""

from __future__ import annotations

from typing import Any

import pytest
from bend import Case, problems
from gateways import small

CASES: dict[str, Case] = {
    # changes -> the messages
    "an unknown interface": (
        [("underlay.interfaces.0.interface", "fabrik")],
        [
            ("underlay.interfaces[0].interface: 'fabrik' is not an interface: did you mean 'fabric'?"),
            ("underlay.next_hops[0].interface: 'fabric' is not an interface of the underlay: did you mean 'fabrik'?"),
        ],
    ),
    "an unknown interface of an uplink": (
        [("routers.0.uplinks.0.interface", "wan")],
        ["routers[0].uplinks[0].interface: 'wan' is not an interface: did you mean 'wan-b'?"],
    ),
    "an unknown interface of a segment": (
        [("tenants.1.segments.0.attached.0.interface", "rak")],
        [("tenants[1].segments[0].attached[0].interface: 'rak' is not an interface: did you mean 'rack'?")],
    ),
    "an interface for two things": (
        [("tenants.1.segments.0.attached.0.interface", "wan-a")],
        [
            (
                "tenants[1].segments[0].attached[0].interface: 'wan-a' is also "
                "routers[0].uplinks[0].interface: use each interface for one thing"
            )
        ],
    ),
    "a next hop on no interface of the underlay": (
        [("underlay.next_hops.0.interface", "rack")],
        [("underlay.next_hops[0].interface: 'rack' is not an interface of the underlay: there is 'fabric'")],
    ),
    "an unknown underlay next hop": (
        [("tunnels.0.next_hop", "spin")],
        ["tunnels[0].next_hop: 'spin' is not an underlay next hop: did you mean 'spine'?"],
    ),
    "an unknown router": (
        [("tenants.0.router", "nort")],
        ["tenants[0].router: 'nort' is not a router: did you mean 'north'?"],
    ),
    "an unknown tunnel of a host": (
        [("tenants.0.segments.0.hosts.0.via", "hv2")],
        [
            (
                "tenants[0].segments[0].hosts[0].via: 'hv2' is not an interface or tunnel that the "
                "segment is attached to: did you mean 'hv1'?"
            )
        ],
    ),
    "a tunnel of a scope the segment is not attached to": (
        [("tenants.0.segments.0.hosts.0.via", "branch")],
        [
            (
                "tenants[0].segments[0].hosts[0].via: 'branch' is not an interface or tunnel that the"
                " segment is attached to: there is 'hv1'"
            )
        ],
    ),
    "a scope without tunnels": (
        [("tenants.0.segments.0.attached.0.scope", 3)],
        [
            ("tenants[0].segments[0].attached[0].scope: 3 has no tunnel: add one, or use a scope that has (0, 7)"),
            (
                "tenants[0].segments[0].hosts[0].via: 'hv1' is not an interface or tunnel that the "
                "segment is attached to: there is none"
            ),
            (
                "tenants[0].segments[0].hosts[1].via: 'hv1' is not an interface or tunnel that the "
                "segment is attached to: there is none"
            ),
        ],
    ),
    "an unknown segment in a rule": (
        [("tenants.0.firewall.rules.1.ingress", "wep")],
        [("tenants[0].firewall.rules[1].ingress[0]: 'wep' is not a segment of the tenant: did you mean 'web'?")],
    ),
    "an unknown segment of a next hop": (
        [("tenants.0.routes.1.via", {"address": "10.0.3.2", "on": "brunch"})],
        [("tenants[0].routes[1].via[0].on: 'brunch' is not a segment of the tenant: did you mean 'branch'?")],
    ),
    "a segment called outside": (
        [("tenants.1.segments.0.name", "outside")],
        [("tenants[1].segments[0].name: 'outside' has a meaning of its own in firewall rules: take another name")],
    ),
    "two tenants with one id": (
        [("tenants.1.tenant_id", 1)],
        ["tenants[1].tenant_id: 1 is also tenants[0].tenant_id: give each tenant its own"],
    ),
    "two tenants with one name": (
        [("tenants.1.name", "red")],
        ["tenants[1].name: 'red' is also tenants[0].name: give each tenant its own"],
    ),
    "two segments with one id": (
        [("tenants.0.segments.1.segment_id", 1)],
        [
            (
                "tenants[0].segments[1].segment_id: 1 is also tenants[0].segments[0].segment_id: give"
                " each segment of a tenant its own"
            )
        ],
    ),
    "two tunnels with one id": (
        [("tunnels.1.tunnel_id", 1)],
        ["tunnels[1].tunnel_id: 1 is also tunnels[0].tunnel_id: give each tunnel its own"],
    ),
    "a tunnel called like an interface": (
        [("tunnels.1.name", "rack")],
        [
            (
                "tunnels[1].name: 'rack' is also interfaces[3].name: hosts are `via` either, so give "
                "each interface and tunnel its own name"
            ),
            (
                "tenants[0].segments[1].hosts[0].via: 'branch' is not an interface or tunnel that the"
                " segment is attached to: did you mean 'rack'?"
            ),
        ],
    ),
    "two interfaces on one wire": (
        [("interfaces.2.vlan_id", None)],
        [
            (
                "interfaces[2].vlan_id: 'untagged' is also interfaces[1].vlan_id: on one port frames "
                "of the two could not be told apart, so give each its own"
            )
        ],
    ),
    "two interfaces in one VLAN": (
        [("interfaces.1.vlan_id", 100)],
        [
            (
                "interfaces[2].vlan_id: 'VLAN 100' is also interfaces[1].vlan_id: on one port frames "
                "of the two could not be told apart, so give each its own"
            )
        ],
    ),
    "two rules with one name": (
        [("tenants.0.firewall.rules.1.name", "no-telnet")],
        [
            (
                "tenants[0].firewall.rules[1].name: 'no-telnet' is also "
                "tenants[0].firewall.rules[0].name: give each rule of a tenant its own"
            )
        ],
    ),
    "two pools with one id": (
        [("tenants.0.nat.pools.1", {"name": "more", "pool_id": 1, "inside": "10.1.0.0/16", "outside": "203.0.113.72"})],
        [
            (
                "tenants[0].nat.pools[1].pool_id: 1 is also tenants[0].nat.pools[0].pool_id: give "
                "each pool of a tenant its own"
            )
        ],
    ),
    "tunnels without an underlay": (
        [("underlay", None)],
        ["tunnels: need a network to go through: add `underlay: {...}`"],
    ),
}


@pytest.mark.parametrize(("changes", "messages"), CASES.values(), ids=CASES)
def test_a_name_that_leads_nowhere_or_is_there_twice_is_refused(
    changes: list[tuple[str, Any]], messages: list[str]
) -> None:
    assert problems(small(*changes)) == messages
