# SPDX-License-Identifier: Apache-2.0
"""The flow cache with its controller in charge: what a gateway of two tenants with the same addresses promises.

1. The first packet of a flow takes the slow path, the second the cache; both leave alike.
2. A rule that is added in mid-flow stops it with the next packet.
3. A change to one tenant leaves the other's hit rate where it is.
4. Neither of two tenants with the same addresses sees the other's packets, cached or not.
5. An aggregate holds for no packet that a stage would have treated differently.
6. Translated flows find back, keep their ports, are not answered from the cache when they end, and are forgotten.
7. A scan of new flows is policed; established flows keep hitting, and nothing is dropped for it.
8. Cached flows go on without a controller, and the next one takes them over and sweeps what is stale.

How the same holds of 10,000 random packets: tests/gateway.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from harness.frames import IPV4, routed, tcp, udp
from harness.gateway.live import Live, live_test
from harness.gateway.nat import translated
from harness.gateway.ports import BLUE_HOSTS, RED_HOSTS, UPLINK
from headgate.vocabulary import CacheOutcome, DropReason

BLUE, RED = 1, 2
PORTS = {BLUE: BLUE_HOSTS, RED: RED_HOSTS}
OUTSIDE = {BLUE: "203.0.113.64", RED: "203.0.113.65"}
HOST_MAC, GATEWAY_MAC = "02:00:00:00:aa:10", "02:00:00:00:f2:01"
WORLD_MAC, UPLINK_MAC = "00:00:5e:00:53:01", "02:00:00:00:f1:01"
HOST, WORLD = "10.0.0.10", "198.51.100.7"
WEB = 80
SYN, SYN_ACK, ACK, FIN_ACK = "S", "SA", "A", "FA"

HITS = CacheOutcome.HIT


def _tenant(name: str, tenant_id: int) -> dict[str, Any]:
    """The same but for its name and number, the port it is on and its outside address."""
    return {
        "name": name,
        "tenant_id": tenant_id,
        "router": "north",
        "segments": [
            {
                "name": "hosts",
                "segment_id": 1,
                "mac": GATEWAY_MAC,
                "addresses": ["10.0.0.1/24"],
                "attached": [{"interface": name}],
                "hosts": [{"address": HOST, "mac": HOST_MAC}],
            }
        ],
        "routes": [{"prefix": "0.0.0.0/0", "to": "router"}],
        "firewall": {"rules": [{"name": "out", "ingress": "inside", "action": "allow_stateful"}]},
        "nat": {
            "pools": [
                {"name": "pool", "pool_id": 1, "inside": ["10.0.0.0/24"], "outside": [f"{OUTSIDE[tenant_id]}/32"]}
            ]
        },
    }


CONFIG: dict[str, Any] = {
    "program": "gateway",
    "interfaces": [
        {"name": "blue", "port": BLUE_HOSTS},
        {"name": "red", "port": RED_HOSTS},
        {"name": "wan", "port": UPLINK},
    ],
    "routers": [
        {
            "name": "north",
            "router_id": 1,
            "uplinks": [{"interface": "wan", "mac": UPLINK_MAC, "addresses": ["203.0.113.2/29"]}],
            "neighbors": [{"address": "203.0.113.1", "mac": WORLD_MAC}],
            "routes": [{"prefix": "0.0.0.0/0", "via": ["203.0.113.1"]}],
        }
    ],
    "tenants": [_tenant("blue", BLUE), _tenant("red", RED)],
}


def blue_with(rule: dict[str, Any]) -> dict[str, Any]:
    """`CONFIG` where a rule of blue's goes before the others."""
    config = deepcopy(CONFIG)
    config["tenants"][0]["firewall"]["rules"].insert(0, rule)
    return config


NO_WEB = blue_with({"name": "no-web", "protocol": "tcp", "destination_ports": WEB, "action": "deny"})


def datagram(port: int = 4000) -> bytes:
    return udp(IPV4, (HOST_MAC, GATEWAY_MAC), (HOST, WORLD), ports=(port, 53))


def segment(flags: str, port: int = 4000) -> bytes:
    return tcp(IPV4, (HOST_MAC, GATEWAY_MAC), (HOST, WORLD), ports=(port, WEB), flags=flags)


def answer(tenant: int, outside_port: int, flags: str) -> bytes:
    return tcp(IPV4, (WORLD_MAC, UPLINK_MAC), (WORLD, OUTSIDE[tenant]), ports=(WEB, outside_port), flags=flags)


def outside_port(frame: bytes) -> int:
    return Ether(frame)[IP].payload.sport


def out(live: Live, tenant: int, frame: bytes) -> bytes:
    """What leaves by the uplink of what the tenant's host sends."""
    live.send(PORTS[tenant], frame)
    came = live.take(UPLINK)
    assert came == routed(translated(frame, src=OUTSIDE[tenant], sport=outside_port(came)), UPLINK_MAC, WORLD_MAC)
    return came


def back(live: Live, tenant: int, frame: bytes, port: int = 4000) -> None:
    """What comes in by the uplink reaches the tenant's host."""
    live.send(UPLINK, frame)
    assert live.take(PORTS[tenant]) == routed(translated(frame, dst=HOST, dport=port), GATEWAY_MAC, HOST_MAC)


def until_cached(live: Live, tenant: int, frame: bytes) -> bytes:
    """Sends a flow's packets until one is answered from the cache, which is the last."""

    def is_hit() -> bool:
        before = live.outcomes(tenant, HITS)
        out(live, tenant, frame)
        return live.outcomes(tenant, HITS) > before

    live.until(is_hit)
    return out(live, tenant, frame)


def connect(live: Live, tenant: int) -> int:
    """A connection of the host's, cached in both directions. Returns: its outside port."""
    port = outside_port(out(live, tenant, segment(SYN)))
    live.until(lambda: tenant in {entry["tenant_id"] for entry in live.entries("firewall_session_ipv4")})
    back(live, tenant, answer(tenant, port, SYN_ACK))
    until_cached(live, tenant, segment(ACK))

    def is_hit() -> bool:
        before = live.outcomes(tenant, HITS)
        back(live, tenant, answer(tenant, port, ACK))
        return live.outcomes(tenant, HITS) > before

    live.until(is_hit)
    return port


@live_test
def test_1_first_packet_takes_the_slow_path_and_the_second_leaves_alike_from_the_cache(live: Live) -> None:
    live.start(CONFIG)
    hits, frame = live.outcomes(BLUE, HITS), datagram()
    first = out(live, BLUE, frame)
    assert live.outcomes(BLUE, HITS) == hits
    assert until_cached(live, BLUE, frame) == first


@live_test
def test_2_rule_that_is_added_in_mid_flow_stops_it_with_the_next_packet(live: Live) -> None:
    live.start(CONFIG)
    port = connect(live, BLUE)
    live.reconfigure(NO_WEB)
    hits, dropped = live.outcomes(BLUE, HITS), live.drops(DropReason.FIREWALL_DENY)
    live.send(BLUE_HOSTS, segment(ACK))
    live.send(UPLINK, answer(BLUE, port, ACK))
    live.until(lambda: live.drops(DropReason.FIREWALL_DENY) == dropped + 2)
    assert live.outcomes(BLUE, HITS) == hits


@live_test
def test_3_change_to_one_tenant_leaves_the_others_hit_rate_where_it_is(live: Live) -> None:
    live.start(CONFIG)
    for tenant in (BLUE, RED):
        until_cached(live, tenant, datagram())
    live.reconfigure(NO_WEB)
    hits, stale = live.outcomes(RED, HITS), live.outcomes(RED, CacheOutcome.STALE)
    for _ in range(10):
        out(live, RED, datagram())
    assert live.outcomes(RED, HITS) == hits + 10
    assert live.outcomes(RED, CacheOutcome.STALE) == stale


@live_test
def test_4_neither_of_two_tenants_with_the_same_addresses_sees_the_others_packets(live: Live) -> None:
    live.start(CONFIG)
    for _ in range(2):  # new flows, then cached ones
        ports = {tenant: connect(live, tenant) for tenant in (BLUE, RED)}
        for tenant, port in ports.items():
            back(live, tenant, answer(tenant, port, ACK))
            assert Ether(out(live, tenant, segment(ACK)))[IP].src == OUTSIDE[tenant]


STATELESS = deepcopy(CONFIG)
for _tenant_data in STATELESS["tenants"]:
    del _tenant_data["nat"]
    _tenant_data["firewall"]["rules"] = [
        {"name": "no-web", "protocol": "tcp", "destination_ports": WEB, "action": "deny"},
        {"name": "all", "action": "allow"},
    ]


@live_test
def test_5_aggregate_holds_for_no_packet_that_a_stage_would_have_treated_differently(live: Live) -> None:
    live.start(STATELESS)

    def leaves(frame: bytes) -> None:
        live.send(BLUE_HOSTS, frame)
        assert live.take(UPLINK) == routed(frame, UPLINK_MAC, WORLD_MAC)

    leaves(datagram())
    live.until(lambda: len(live.entries("cache_aggregate_ipv4")) == 1)
    before = live.outcomes(BLUE, CacheOutcome.AGGREGATE_HIT)
    leaves(datagram(port=4001))
    assert live.outcomes(BLUE, CacheOutcome.AGGREGATE_HIT) == before + 1
    dropped = live.drops(DropReason.FIREWALL_DENY)
    live.send(BLUE_HOSTS, segment(ACK))
    live.until(lambda: live.drops(DropReason.FIREWALL_DENY) == dropped + 1)


FORGETFUL = {**CONFIG, "cache": {"idle_timeout_s": 1}}


@live_test
def test_6_translated_flow_finds_back_and_ends_and_is_forgotten(live: Live) -> None:
    live.start(FORGETFUL)
    port = connect(live, BLUE)
    assert outside_port(out(live, BLUE, segment(ACK))) == port
    hits, bypassed = live.outcomes(BLUE, HITS), live.outcomes(BLUE, CacheOutcome.BYPASS)
    assert outside_port(out(live, BLUE, segment(FIN_ACK))) == port
    back(live, BLUE, answer(BLUE, port, FIN_ACK))
    assert live.outcomes(BLUE, HITS) == hits
    assert live.outcomes(BLUE, CacheOutcome.BYPASS) == bypassed + 2
    live.until(lambda: not live.entries("cache_ipv4"))


SCANNED = {**CONFIG, "learning_limits": {"per_tenant": {"packets_per_s": 20, "burst_packets": 20}}}
SCAN = 400


@live_test
def test_7_scan_is_policed_and_established_flows_keep_hitting(live: Live) -> None:
    config = deepcopy(SCANNED)
    for tenant in config["tenants"]:
        del tenant["nat"]
        tenant["firewall"] = {"rules": [{"name": "all", "action": "allow_stateful"}]}
    live.start(config)

    def leaves(frame: bytes) -> None:
        live.send(BLUE_HOSTS, frame)
        assert live.take(UPLINK) == routed(frame, UPLINK_MAC, WORLD_MAC)

    established = datagram(port=1)

    def is_hit() -> bool:
        before = live.outcomes(BLUE, HITS)
        leaves(established)
        return live.outcomes(BLUE, HITS) > before

    live.until(is_hit)
    hits, policed = live.outcomes(BLUE, HITS), live.count("learning_policed", BLUE)
    for port in range(SCAN):
        leaves(datagram(port=2000 + port))
        leaves(established)
    assert live.outcomes(BLUE, HITS) >= hits + SCAN
    assert live.count("learning_policed", BLUE) > policed
    assert len(live.entries("cache_ipv4")) < SCAN


@live_test
def test_8_cached_flows_go_on_without_a_controller_and_the_next_one_takes_them_over(live: Live) -> None:
    live.start(CONFIG)
    ports = {tenant: outside_port(until_cached(live, tenant, datagram())) for tenant in (BLUE, RED)}
    live.stop()
    hits = live.outcomes(RED, HITS)
    assert outside_port(out(live, RED, datagram())) == ports[RED]
    assert live.outcomes(RED, HITS) == hits + 1

    live.apply(NO_WEB)  # blue's entries are stale, and nobody sweeps them
    held = {entry["tenant_id"] for entry in live.entries("cache_ipv4")}
    assert held == {BLUE, RED}
    live.start(NO_WEB)
    live.until(lambda: {entry["tenant_id"] for entry in live.entries("cache_ipv4")} == {RED})
    assert outside_port(out(live, RED, datagram())) == ports[RED]
    assert live.outcomes(RED, HITS) == hits + 2
    assert outside_port(until_cached(live, BLUE, datagram())) == ports[BLUE]
