# SPDX-License-Identifier: Apache-2.0
"""What does not fit together in the configuration of a gateway is refused, and what can be told apart is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from bend import Case, problems
from gateways import small

from headgate.config import ConfigError, GatewayConfig, NicConfig, load_config, parse_config

CASES: dict[str, Case] = {
    # changes -> the messages
    "a tunnel that is not ours": (
        [("tunnels.0.local", "198.51.100.2")],
        [
            (
                "tunnels[0].local: '198.51.100.2' is not ours: add it to `underlay.addresses`, or use"
                " an address of the underlay (198.51.100.1, 192.0.2.1)"
            )
        ],
    ),
    "a tunnel to ourselves": (
        [("tunnels.0.remote", "192.0.2.1")],
        ["tunnels[0].remote: '192.0.2.1' is the gateway's own: give the peer's address"],
    ),
    "a tunnel to a group": (
        [("tunnels.0.remote", "239.0.0.1")],
        [("tunnels[0].remote: '239.0.0.1' is no single machine's address: give the peer's own address")],
    ),
    "two tunnels to one peer": (
        [
            (
                "tunnels.1",
                {
                    "name": "hv2",
                    "tunnel_id": 2,
                    "type": "vxlan",
                    "local": "198.51.100.1",
                    "remote": "198.51.100.11",
                    "next_hop": "spine",
                },
            ),
            ("tenants.0.segments.1.attached.0.scope", 0),
            ("tenants.0.segments.1.hosts.0.via", "hv2"),
            ("tenants.0.segments.1.mac", "02:00:00:00:00:09"),
        ],
        [
            (
                "tunnels[1].remote: '198.51.100.11' is also tunnels[0].remote: packets of the two "
                "could not be told apart, so give each tunnel of a type its own pair of addresses"
            )
        ],
    ),
    "one VNI for two segments": (
        [("tenants.1.segments.0.attached", {"network_id": 5001})],
        [
            (
                "tenants[1].segments[0].attached[0].network_id: 5001 is also "
                "tenants[0].segments[0].attached[0].network_id: in one scope a network is one "
                "segment's, so give each its own, or its tunnels another `scope`"
            )
        ],
    ),
    "a VNI of 25 bits": (
        [("tenants.0.segments.0.attached.0.network_id", 16777216)],
        [
            (
                "tenants[0].segments[0].attached[0].network_id: 16777216 does not fit into vxlan "
                "tunnel hv1: give 16777215 or less"
            )
        ],
    ),
    "a network id in IP in IP": (
        [("tunnels.1.type", "ipip")],
        [
            (
                "tenants[0].segments[1].attached[0].network_id: 77 does not fit into ipip tunnel "
                "branch: it has no network ids, so give 0"
            )
        ],
    ),
    "an MTU that does not fit through the tunnel": (
        [("tenants.0.segments.0.mtu_bytes", 1560)],
        [
            (
                "tenants[0].segments[0].mtu_bytes: 1560 is too large, tunnel hv1 takes 50 of the "
                "underlay's 1600: give 1550 or less, or raise that MTU"
            )
        ],
    ),
    "an MTU that does not fit on the interface": (
        [("tenants.1.segments.0.mtu_bytes", 1504)],
        [
            (
                "tenants[1].segments[0].mtu_bytes: 1504 is too large, interface rack carries no more:"
                " give 1500 or less, or raise that MTU"
            )
        ],
    ),
    "no MAC address where frames pass": (
        [("tenants.0.segments.0.mac", None)],
        [
            (
                "tenants[0].segments[0].mac: is missing, and vxlan tunnel hv1 carries Ethernet "
                "frames: add the gateway's MAC address"
            )
        ],
    ),
    "a MAC address where no frames pass": (
        [("tenants.0.segments.1.hosts.0.mac", "02:00:00:00:00:01")],
        [
            (
                "tenants[0].segments[1].hosts[0].mac: '02:00:00:00:00:01' is never sent: gre carries "
                "IP packets, so take it out"
            )
        ],
    ),
    "a host outside of its segment": (
        [("tenants.0.segments.0.hosts.0.address", "10.0.2.10")],
        [
            (
                "tenants[0].segments[0].hosts[0].address: '10.0.2.10' is on no prefix of the segment "
                "(10.0.1.0/24, 2001:db8:1:1::/64): give an address that is"
            ),
            (
                "tenants[0].routes[2].via[0].address: '10.0.1.10' is behind a tunnel, and nothing "
                "says which: add it to the hosts of segment web"
            ),
        ],
    ),
    "a host with the gateway's address": (
        [("tenants.0.segments.0.hosts.0.address", "10.0.1.1")],
        [
            ("tenants[0].segments[0].hosts[0].address: '10.0.1.1' is the gateway's own: give a host's"),
            (
                "tenants[0].routes[2].via[0].address: '10.0.1.10' is behind a tunnel, and nothing "
                "says which: add it to the hosts of segment web"
            ),
        ],
    ),
    "a host twice": (
        [("tenants.0.segments.0.hosts.1.address", "10.0.1.10")],
        [
            (
                "tenants[0].segments[0].hosts[1].address: '10.0.1.10' is also "
                "tenants[0].segments[0].hosts[0].address: a host is in one place, so keep one of the "
                "two"
            ),
            (
                "tenants[0].routes[2].via[1].address: '10.0.1.11' is behind a tunnel, and nothing "
                "says which: add it to the hosts of segment web"
            ),
        ],
    ),
    "a host behind some tunnel": (
        [("tenants.0.segments.0.hosts.0.via", None)],
        [
            (
                "tenants[0].segments[0].hosts[0].via: is missing, and the segment is on no interface:"
                " say which tunnel leads there"
            )
        ],
    ),
    "a host in one of several networks": (
        [("tenants.0.segments.0.attached.1", {"network_id": 5009})],
        [
            (
                "tenants[0].segments[0].hosts[0].network_id: is missing, and the segment has several "
                "networks there (5001, 5009): say which to send to"
            ),
            (
                "tenants[0].segments[0].hosts[1].network_id: is missing, and the segment has several "
                "networks there (5001, 5009): say which to send to"
            ),
        ],
    ),
    "a network id on an interface": (
        [("tenants.1.segments.0.hosts", [{"address": "10.0.1.9", "network_id": 5}])],
        [("tenants[1].segments[0].hosts[0].network_id: 5 is a tunnel's, and the host is on an interface: take it out")],
    ),
    "two segments with one prefix": (
        [("tenants.0.segments.1.addresses.0", "10.0.1.129/25")],
        [
            (
                "tenants[0].segments[1].addresses[0]: '10.0.1.129/25' overlaps "
                "tenants[0].segments[0].addresses[0] (10.0.1.0/24): give each segment a prefix of its"
                " own"
            ),
            (
                "tenants[0].segments[1].hosts[0].address: '10.0.3.2' is on no prefix of the segment "
                "(10.0.1.128/25): give an address that is"
            ),
            (
                "tenants[0].routes[1].via[0].address: '10.0.3.2' is on no segment's prefix "
                "(10.0.1.0/24, 2001:db8:1:1::/64, 10.0.1.128/25): give a neighbor's address"
            ),
        ],
    ),
    "an address twice": (
        [("tenants.0.segments.0.addresses.2", "10.0.1.1/24")],
        [("tenants[0].segments[0].addresses[2]: '10.0.1.1' is also tenants[0].segments[0].addresses[0]: give it once")],
    ),
    "a broadcast address": (
        [("tenants.0.segments.0.addresses.0", "10.0.1.255/24")],
        [
            (
                "tenants[0].segments[0].addresses[0]: '10.0.1.255/24' is the broadcast address of its"
                " prefix: give an address that a host can have"
            )
        ],
    ),
    "two uplinks with one prefix": (
        [("routers.0.uplinks.1.addresses.0", "203.0.113.3/29")],
        [
            (
                "routers[0].uplinks[1].addresses[0]: '203.0.113.3/29' overlaps "
                "routers[0].uplinks[0].addresses[0] (203.0.113.0/29): give each uplink a prefix of "
                "its own"
            ),
            (
                "routers[0].routes[0].via[1].address: '203.0.113.9' is on no uplink's prefix "
                "(203.0.113.0/29, 203.0.113.0/29): add an address of its prefix"
            ),
        ],
    ),
    "a next hop on no segment": (
        [("tenants.0.routes.1.via", "10.9.9.9")],
        [
            (
                "tenants[0].routes[1].via[0].address: '10.9.9.9' is on no segment's prefix "
                "(10.0.1.0/24, 2001:db8:1:1::/64, 10.0.3.0/30): give a neighbor's address"
            )
        ],
    ),
    "a next hop that is ourselves": (
        [("tenants.0.routes.1.via", "10.0.3.1")],
        [("tenants[0].routes[1].via[0].address: '10.0.3.1' is the gateway's own: give a neighbor's address")],
    ),
    "a next hop behind some tunnel": (
        [("tenants.0.routes.1.via", "10.0.1.99")],
        [
            (
                "tenants[0].routes[1].via[0].address: '10.0.1.99' is behind a tunnel, and nothing "
                "says which: add it to the hosts of segment web"
            )
        ],
    ),
    "a link-local next hop on some segment": (
        [("tenants.0.routes.3", {"prefix": "::/0", "via": "fe80::1"})],
        [("tenants[0].routes[3].via[0].on: is missing, and fe80::1 is link-local: say in which segment (web, branch)")],
    ),
    "a next hop twice": (
        [("tenants.0.routes.2.via", ["10.0.1.10", "10.0.1.10"])],
        [
            (
                "tenants[0].routes[2].via[1].address: '10.0.1.10' is also "
                "tenants[0].routes[2].via[0].address: to give it a larger share, write `{address: "
                "..., weight: ...}`"
            )
        ],
    ),
    "weights beyond the size of a group": (
        [
            (
                "tenants.0.routes.2.via",
                [
                    {"address": "10.0.1.10", "weight": 16},
                    {"address": "10.0.1.11", "weight": 16},
                    {"address": "10.0.3.2", "weight": 16},
                    {"address": "10.0.1.12", "weight": 16},
                    {"address": "10.0.1.13", "weight": 1},
                ],
            ),
            ("tenants.0.segments.0.hosts.2", {"address": "10.0.1.12", "via": "hv1"}),
            ("tenants.0.segments.0.hosts.3", {"address": "10.0.1.13", "via": "hv1"}),
        ],
        [("tenants[0].routes[2].via: has weights of more than 64 in all: give smaller ones in the same proportion")],
    ),
    "a route for a connected prefix": (
        [("tenants.0.routes.1.prefix", "10.0.1.0/24")],
        [("tenants[0].routes[1].prefix: '10.0.1.0/24' is already connected by segment web: keep one of the two")],
    ),
    "two routes for one prefix": (
        [("tenants.0.routes.1.prefix", "10.99.0.0/16")],
        [("tenants[0].routes[2].prefix: '10.99.0.0/16' is already routed by routes[1]: keep one of the two")],
    ),
    "a route to a router there is not": (
        [
            ("tenants.1.router", None),
            ("tenants.1.advertise", None),
            ("tenants.1.routes", [{"prefix": "0.0.0.0/0", "to": "router"}]),
        ],
        ["tenants[1].routes[0].to: 'router' has none to go to: give the tenant a `router`"],
    ),
    "a route to a router that leads nowhere": (
        [("tenants.0.routes.3", {"prefix": "::/0", "to": "router"})],
        [
            (
                "tenants[0].routes[3].to: 'router' is a dead end: north has no route for anything in "
                "::/0, so add one there"
            )
        ],
    ),
    "a central route's next hop on no uplink": (
        [("routers.0.routes.0.via", "203.0.113.200")],
        [
            (
                "routers[0].routes[0].via[0].address: '203.0.113.200' is on no uplink's prefix "
                "(203.0.113.0/29, 203.0.113.8/29): add an address of its prefix"
            )
        ],
    ),
    "a central route's next hop that is ourselves": (
        [("routers.0.routes.0.via", "203.0.113.2")],
        [("routers[0].routes[0].via[0].address: '203.0.113.2' is north's own address: give a neighbor's")],
    ),
    "a neighbor on no uplink": (
        [("routers.0.neighbors.0.address", "203.0.113.200")],
        [
            (
                "routers[0].neighbors[0].address: '203.0.113.200' is on no uplink's prefix "
                "(203.0.113.0/29, 203.0.113.8/29): add an address of its prefix"
            )
        ],
    ),
    "a link-local neighbor on some uplink": (
        [("routers.0.neighbors.1", {"address": "fe80::1", "mac": "02:00:00:00:fb:01"})],
        [("routers[0].neighbors[1].on: is missing, and fe80::1 is link-local: say on which uplink (wan-a, wan-b)")],
    ),
    "an advertised prefix that leads nowhere": (
        [("tenants.1.advertise.0", "10.0.7.0/24")],
        [
            (
                "tenants[1].advertise[0]: '10.0.7.0/24' leads nowhere: no segment and no route of the"
                " tenant has any of it, so add one, or take it out"
            )
        ],
    ),
    "a prefix advertised by two": (
        [("tenants.0.advertise", ["10.0.1.0/25"])],
        [
            (
                "tenants[1].advertise[0]: '10.0.1.0/24' overlaps tenants[0].advertise[0] "
                "(10.0.1.0/25): by north an address leads to one tenant, so give each its own"
            )
        ],
    ),
    "an advertisement without a router": (
        [("tenants.1.router", None)],
        [("tenants[1].advertise: needs a router that the outside comes by: give the tenant a `router`")],
    ),
}


@pytest.mark.parametrize(("changes", "messages"), CASES.values(), ids=CASES)
def test_what_does_not_fit_together_is_refused(changes: list[tuple[str, Any]], messages: list[str]) -> None:
    assert problems(small(*changes)) == messages


SHARED = {"pools": [{"name": "shared", "pool_id": 1, "inside": "10.0.0.0/16", "outside": "203.0.113.65"}]}


@pytest.mark.parametrize(
    "changes",
    [
        [("tenants.1.nat", SHARED), ("tenants.1.routes", [{"prefix": "0.0.0.0/0", "to": "router"}]),
         ("routers.1", {**small()["routers"][0], "name": "south", "router_id": 2, "uplinks": [
             {"interface": "south", "mac": "02:00:00:00:f3:01", "addresses": ["203.0.113.2/28"]}]}),
         ("interfaces.4", {"name": "south", "port": 3}), ("tenants.1.router", "south")],
        [("tenants.0.nat.port_forwards.1", {"protocol": "udp", "outside": "203.0.113.64", "outside_port": 443,
                                            "inside": "10.0.1.10"})],
        [("tenants.1.segments.0.addresses.1", "fe80::1/64"), ("tenants.0.segments.0.addresses.2", "fe80::1/64")],
        [("tunnels.1.scope", 0), ("tenants.0.segments.1.attached.0.scope", 0),
         ("tenants.0.segments.1.mac", "02:00:00:00:00:09")],
        [("tenants.1.segments.0.attached.1", {"network_id": 5002})],
        [("tenants.1.router", None), ("tenants.1.advertise", None)],
    ],
    ids=[
        "the same pool behind another central router",
        "another protocol's port of a forwarded address",
        "one link-local prefix everywhere",
        "tunnels of two kinds in one scope",
        "a segment on an interface and in a tunnel",
        "a tenant without a central router",
    ],
)  # fmt: skip
def test_what_can_be_told_apart_is_allowed(changes: list[tuple[str, Any]]) -> None:
    parse_config(small(*changes))


def test_the_mtu_that_is_left_in_a_tunnel_depends_on_its_headers() -> None:
    config = parse_config(small(), GatewayConfig)
    vxlan, gre = config.tunnels
    assert (vxlan.overhead_bytes, gre.overhead_bytes) == (20 + 8 + 8 + 14, 20 + 8)
    assert config.room_bytes(vxlan) == 1550


def test_a_configuration_of_another_program_is_refused_where_one_is_asked_for() -> None:
    with pytest.raises(ConfigError, match="is another program's configuration"):
        parse_config(small(), NicConfig)


def test_the_example_holds_together() -> None:
    config = load_config(Path(__file__).parents[4] / "configs" / "gateway.yaml", GatewayConfig)
    assert [tenant.name for tenant in config.tenants] == ["red", "blue"]
    assert {tunnel.type for tunnel in config.tunnels} == {"vxlan", "geneve", "gre", "ipip", "gtpu"}
