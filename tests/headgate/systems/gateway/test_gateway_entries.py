# SPDX-License-Identifier: Apache-2.0
"""What the configuration of a gateway asks of a device, entry by entry."""

from __future__ import annotations

from typing import Any

import pytest
from finsy import P4TableEntry
from finsy.p4entity import decode_entity
from gateways import gateways, small
from hypothesis import given, settings

from headgate.config import parse_config
from headgate.describe import action_text, describe, key_text
from headgate.device import program
from headgate.names import Names
from headgate.reconcile.canonical import canonical, key_of
from headgate.systems import desired

SCHEMA = program("gateway")


def asked(data: dict[str, Any]) -> dict[str, list[str]]:
    """``{"tenant": ["tenant_id=red -> set_tenant(...)", ...]}``, in a fixed order."""
    config = parse_config(data)
    names = Names.of(config)
    tables: dict[str, list[str]] = {}
    for entity in desired(config):
        described = describe(decode_entity(entity.encode(SCHEMA), SCHEMA), SCHEMA)
        line = f"{key_text(described, names)} -> {action_text(described, names)}"
        tables.setdefault(described.table, []).append(line)
    return {table: sorted(lines) for table, lines in tables.items()}


SMALL = {
    "punt_meter": [
        "reason=ICMP_ERROR -> limit(packets_per_s=200, burst_packets=100)",
        "reason=LOCAL -> limit(packets_per_s=200, burst_packets=100)",
        "reason=NAT_MAPPING_MISS -> limit(packets_per_s=5000, burst_packets=2000)",
        "reason=NEIGHBOR_HEARD -> limit(packets_per_s=200, burst_packets=100)",
        "reason=NEIGHBOR_MISS -> limit(packets_per_s=200, burst_packets=100)",
        "reason=NO_ROUTE -> limit(packets_per_s=50, burst_packets=20)",
        "reason=PACKET_TOO_BIG -> limit(packets_per_s=50, burst_packets=20)",
        "reason=TTL_EXPIRED -> limit(packets_per_s=50, burst_packets=20)",
    ],
    "interface": [
        "port=0 vlan_id=0(fabric) -> from_underlay(mac=02:00:00:00:f0:01)",
        "port=1 vlan_id=0(wan-a) -> uplink(router_id=north, mac=02:00:00:00:f1:01)",
        "port=1 vlan_id=100(wan-b) -> uplink(router_id=north, mac=02:00:00:00:f1:02)",
        "port=2 vlan_id=0(rack) -> segment(tenant_id=blue, segment_id=web, mac=02:00:00:01:01:01)",
    ],
    "underlay": [
        ("underlay_id=spine -> leave(port=0, vlan_id=0(fabric), src_mac=02:00:00:00:f0:01, dst_mac=02:00:00:00:fa:01)"),
    ],
    "tunnel_peer_ipv4": [
        "tunnel_type=GRE src_addr=198.51.100.40 dst_addr=198.51.100.1 -> accept(scope=7, tunnel_id=branch)",
        "tunnel_type=VXLAN src_addr=198.51.100.11 dst_addr=198.51.100.1 -> accept(scope=0, tunnel_id=hv1)",
    ],
    "tunnel": [
        (
            "tunnel_id=branch -> encap_ipv4(tunnel_type=GRE, src_addr=198.51.100.1, dst_addr=198.51.100.40, "
            "dscp_uniform=1, dscp=0, ttl=64, udp_checksum=0, underlay_id=spine)"
        ),
        (
            "tunnel_id=hv1 -> encap_ipv4(tunnel_type=VXLAN, src_addr=198.51.100.1, dst_addr=198.51.100.11, "
            "dscp_uniform=0, dscp=0, ttl=64, udp_checksum=0, underlay_id=spine)"
        ),
    ],
    "tunnel_network": [
        "scope=0 network_id=5001 -> enter(tenant_id=red, segment_id=web, mac=02:00:00:01:01:01)",
        "scope=7 network_id=77 -> enter(tenant_id=red, segment_id=branch, mac=00:00:00:00:00:00)",
    ],
    "next_hop": [
        (
            "next_hop_id=north/wan-a/203.0.113.1 -> to_port(port=1, vlan_id=0(wan-a), src_mac=02:00:00:00:f1:01, "
            "dst_mac=02:00:00:00:fb:01, mtu=1500)"
        ),
        "next_hop_id=north/wan-a/any -> unresolved(next_hop=0.0.0.0)",
        "next_hop_id=north/wan-b/203.0.113.9 -> unresolved(next_hop=203.0.113.9)",
        "next_hop_id=north/wan-b/any -> unresolved(next_hop=0.0.0.0)",
        (
            "next_hop_id=red/branch/10.0.3.2 -> to_tunnel(tunnel_id=branch, network_id=77, "
            "src_mac=00:00:00:00:00:00, dst_mac=00:00:00:00:00:00, mtu=1500)"
        ),
        (
            "next_hop_id=red/web/10.0.1.10 -> to_tunnel(tunnel_id=hv1, network_id=5001, "
            "src_mac=02:00:00:01:01:01, dst_mac=02:00:00:01:01:10, mtu=1500)"
        ),
        "next_hop_id=red/web/10.0.1.11 -> unresolved(next_hop=10.0.1.11)",
    ],
    "neighbor_ipv4": [
        "tenant_id=red segment_id=branch next_hop=10.0.3.2 -> to_next_hop(next_hop_id=red/branch/10.0.3.2)",
        "tenant_id=red segment_id=web next_hop=10.0.1.10 -> to_next_hop(next_hop_id=red/web/10.0.1.10)",
        "tenant_id=red segment_id=web next_hop=10.0.1.11 -> to_next_hop(next_hop_id=red/web/10.0.1.11)",
    ],
    "router": [
        "router_id=north -> set_router(epoch=1)",
    ],
    "local_address_ipv4": [
        "tenant_id=0 owner_id=north dst_addr=203.0.113.10 -> local()",
        "tenant_id=0 owner_id=north dst_addr=203.0.113.15 -> local()",
        "tenant_id=0 owner_id=north dst_addr=203.0.113.2 -> local()",
        "tenant_id=0 owner_id=north dst_addr=203.0.113.7 -> local()",
        "tenant_id=blue owner_id=web dst_addr=10.0.1.1 -> local()",
        "tenant_id=blue owner_id=web dst_addr=10.0.1.255 -> local()",
        "tenant_id=red owner_id=branch dst_addr=10.0.1.1 -> local()",
        "tenant_id=red owner_id=branch dst_addr=10.0.3.1 -> local()",
        "tenant_id=red owner_id=branch dst_addr=10.0.3.3 -> local()",
        "tenant_id=red owner_id=web dst_addr=10.0.1.1 -> local()",
        "tenant_id=red owner_id=web dst_addr=10.0.1.255 -> local()",
        "tenant_id=red owner_id=web dst_addr=10.0.3.1 -> local()",
    ],
    "tenant": [
        "tenant_id=blue -> set_tenant(epoch=1, router_id=north, firewall=0, nat=0, firewall_fields=NONE)",
        (
            "tenant_id=red -> set_tenant(epoch=1, router_id=north, firewall=1, nat=1, "
            "firewall_fields=DST_ADDR|PROTOCOL|DST_PORT|SESSIONS)"
        ),
    ],
    "tenant_destination_ipv4": [
        "router_id=north dst_addr=10.0.1.0/24 -> to_tenant(tenant_id=blue)",
        "router_id=north dst_addr=203.0.113.64/31 -> to_tenant_nat(tenant_id=red)",
        "router_id=north dst_addr=203.0.113.70/32 -> to_tenant_nat(tenant_id=red)",
    ],
    "local_address_ipv6": [
        "tenant_id=red owner_id=branch dst_addr=2001:db8:1:1::1 -> local()",
        "tenant_id=red owner_id=web dst_addr=2001:db8:1:1:: -> local()",
        "tenant_id=red owner_id=web dst_addr=2001:db8:1:1::1 -> local()",
    ],
    "tenant_route_ipv4": [
        "tenant_id=blue dst_addr=10.0.1.0/24 -> connected(segment_id=web)",
        "tenant_id=red dst_addr=0.0.0.0/0 -> to_router()",
        "tenant_id=red dst_addr=10.0.1.0/24 -> connected(segment_id=web)",
        "tenant_id=red dst_addr=10.0.3.0/30 -> connected(segment_id=branch)",
        "tenant_id=red dst_addr=10.77.0.0/16 -> via_ipv4(segment_id=branch, next_hop=10.0.3.2)",
        "tenant_id=red dst_addr=10.99.0.0/16 -> to_group(group_id=red/10.99.0.0/16)",
    ],
    "tenant_route_ipv6": [
        "tenant_id=red dst_addr=2001:db8:1:1::/64 -> connected(segment_id=web)",
    ],
    "ecmp": [
        "group_id=north/0.0.0.0/0 -> share(members=north/wan-b/203.0.113.9 north/wan-a/203.0.113.1)",
        "group_id=red/10.99.0.0/16 -> share(members=red/web/10.0.1.10 red/web/10.0.1.11*2)",
    ],
    "central_route_ipv4": [
        "router_id=north dst_addr=0.0.0.0/0 -> to_group(group_id=north/0.0.0.0/0)",
        "router_id=north dst_addr=203.0.113.0/29 -> to_next_hop(next_hop_id=north/wan-a/any)",
        "router_id=north dst_addr=203.0.113.1/32 -> to_next_hop(next_hop_id=north/wan-a/203.0.113.1)",
        "router_id=north dst_addr=203.0.113.8/29 -> to_next_hop(next_hop_id=north/wan-b/any)",
        "router_id=north dst_addr=203.0.113.9/32 -> to_next_hop(next_hop_id=north/wan-b/203.0.113.9)",
    ],
    "nat_pool": [
        "tenant_id=red src_addr=10.0.0.0/16 -> allocate(pool_id=shared)",
    ],
    "nat_static_in": [
        "tenant_id=red dst_addr=203.0.113.70 -> translate_destination_address(addr=10.0.1.12)",
    ],
    "nat_static_out": [
        "tenant_id=red src_addr=10.0.1.12 -> translate_source_address(addr=203.0.113.70)",
    ],
    "nat_mapping_in": [
        (
            "tenant_id=red protocol=TCP dst_addr=203.0.113.64 dst_port=443 -> "
            "translate_destination(addr=10.0.1.10, port=8443)"
        ),
    ],
    "nat_mapping_out": [
        (
            "tenant_id=red protocol=TCP src_addr=10.0.1.10 src_port=8443 -> translate_source(addr=203.0.113.64, "
            "port=443)"
        ),
    ],
    "firewall_rule_ipv4": [
        "tenant_id=red protocol=TCP dst_port=23 -> deny(rule_id=red/no-telnet)",
        "tenant_id=red segment_id=branch -> allow_stateful(rule_id=red/out)",
        (
            "tenant_id=red segment_id=outside dst_addr=10.0.1.0/24 protocol=TCP dst_port=443 -> "
            "allow(rule_id=red/web-in)"
        ),
        (
            "tenant_id=red segment_id=outside dst_addr=10.0.1.0/24 protocol=TCP dst_port=8000-8099 -> "
            "allow(rule_id=red/web-in)"
        ),
        "tenant_id=red segment_id=web -> allow_stateful(rule_id=red/out)",
    ],
    "firewall_rule_ipv6": [
        "tenant_id=red protocol=TCP dst_port=23 -> deny(rule_id=red/no-telnet)",
        "tenant_id=red segment_id=branch -> allow_stateful(rule_id=red/out)",
        "tenant_id=red segment_id=web -> allow_stateful(rule_id=red/out)",
    ],
    "digest": [
        "digest=flow_ipv4_t -> report(max_list_size=512, max_timeout_ns=10000000, ack_timeout_ns=1000000000)",
        "digest=flow_ipv6_t -> report(max_list_size=512, max_timeout_ns=10000000, ack_timeout_ns=1000000000)",
    ],
    "learning_meter_total": [
        "index=0 -> limit(packets_per_s=100000, burst_packets=20000)",
    ],
    "learning_meter": [
        "tenant_id=blue -> limit(packets_per_s=50000, burst_packets=10000)",
        "tenant_id=red -> limit(packets_per_s=50000, burst_packets=10000)",
    ],
}


@pytest.mark.parametrize(("table", "lines"), SMALL.items(), ids=SMALL)
def test_the_small_configuration_asks_for_exactly_this(table: str, lines: list[str]) -> None:
    assert asked(small())[table] == sorted(lines)


def test_the_small_configuration_asks_for_nothing_else() -> None:
    assert asked(small()).keys() == SMALL.keys()


@settings(deadline=None, max_examples=50)
@given(gateways())
def test_no_key_is_asked_for_twice(data: dict[str, Any]) -> None:
    keys = [key_of(canonical(entity, SCHEMA)) for entity in desired(parse_config(data))]
    assert len(keys) == len(set(keys))


# ---- firewall


def rules(*changes: tuple[str, Any]) -> list[P4TableEntry]:
    entries = (entity for entity in desired(parse_config(small(*changes))) if isinstance(entity, P4TableEntry))
    return [entry for entry in entries if entry.table_id == "firewall_rule_ipv4"]


def test_earlier_rules_have_larger_priorities_and_the_last_one_has_1() -> None:
    assert [entry.priority for entry in rules()] == [3, 2, 2, 1, 1]


def test_a_rule_in_front_changes_no_other_entry() -> None:
    first = {"name": "now", "source": "192.0.2.0/24", "action": "deny"}
    more = rules(("tenants.0.firewall.rules", [first, *small()["tenants"][0]["firewall"]["rules"]]))
    assert more[1:] == rules()


def test_a_port_range_is_one_entry() -> None:
    [entry] = rules(("tenants.0.firewall.rules", [
        {"name": "x", "protocol": "udp", "source_ports": "1000-2000", "action": "allow"}
    ]))  # fmt: skip
    assert entry["src_port"] == (1000, 2000)


@pytest.mark.parametrize(
    ("rule", "fields"),
    [
        ({"action": "deny"}, "NONE"),
        ({"action": "allow_stateful"}, "SESSIONS"),
        ({"action": "deny", "source": "0.0.0.0/0"}, "NONE"),
        ({"action": "deny", "source": "10.0.0.0/8"}, "SRC_ADDR"),
        ({"action": "deny", "destination": ["0.0.0.0/0", "2001:db8::/32"]}, "DST_ADDR"),
        ({"action": "deny", "ingress": "outside"}, "NONE"),
        ({"action": "deny", "protocol": 47}, "PROTOCOL"),
        ({"action": "deny", "protocol": "tcp", "source_ports": 22}, "PROTOCOL|SRC_PORT"),
        ({"action": "deny", "protocol": "tcp", "destination_ports": "1-9"}, "PROTOCOL|DST_PORT"),
    ],
    ids=str,
)
def test_the_fields_that_results_depend_on_are_those_that_rules_name(rule: dict[str, Any], fields: str) -> None:
    tables = asked(small(("tenants.0.firewall.rules", [{"name": "x", **rule}])))
    assert f"firewall_fields={fields})" in tables["tenant"][1]


def test_icmp_rules_are_of_their_own_family() -> None:
    tables = asked(small(("tenants.0.firewall.rules", [
        {"name": "ping", "protocol": "icmp", "action": "allow"},
        {"name": "ping6", "protocol": "icmpv6", "action": "allow"},
    ])))  # fmt: skip
    assert tables["firewall_rule_ipv4"] == ["tenant_id=red protocol=ICMP -> allow(rule_id=red/ping)"]
    assert tables["firewall_rule_ipv6"] == ["tenant_id=red protocol=ICMPV6 -> allow(rule_id=red/ping6)"]


# ---- routes and next hops


def test_routes_with_the_same_next_hops_share_a_group() -> None:
    again = {"prefix": "10.98.0.0/16", "via": [{"address": "10.0.1.11", "weight": 2}, "10.0.1.10"]}
    tables = asked(small(("tenants.0.routes.3", again)))
    assert len(tables["ecmp"]) == 2
    assert sum("to_group(group_id=red/10.99.0.0/16)" in line for line in tables["tenant_route_ipv4"]) == 2


def test_a_neighbor_of_a_router_is_not_reached_directly_where_a_route_says_otherwise() -> None:
    tables = asked(small(("routers.0.routes.1", {"prefix": "203.0.113.1/32", "to": "blackhole"})))
    assert "router_id=north dst_addr=203.0.113.1/32 -> blackhole()" in tables["central_route_ipv4"]


@pytest.mark.parametrize(
    ("changes", "mtu"),
    [
        ([], 1500),
        ([("interfaces.0.mtu_bytes", 1500)], 1450),
        ([("tenants.0.segments.0.mtu_bytes", 1400)], 1400),
        ([("tenants.0.segments.0.mtu_bytes", 1550)], 1550),
    ],
    ids=["an ordinary one", "what fits", "a smaller one", "a larger one"],
)
def test_the_mtu_of_a_next_hop_is_the_segments_or_what_fits_through_the_tunnel(
    changes: list[tuple[str, Any]], mtu: int
) -> None:
    [line] = [line for line in asked(small(*changes))["next_hop"] if "/web/10.0.1.10 " in line]
    assert line.endswith(f"mtu={mtu})")


def test_a_tenant_without_a_router_has_none_and_is_not_reached_from_outside() -> None:
    tables = asked(small(("tenants.1.router", None), ("tenants.1.advertise", None)))
    [blue] = [line for line in tables["tenant"] if "tenant_id=blue" in line]
    assert blue == "tenant_id=blue -> set_tenant(epoch=1, router_id=0, firewall=0, nat=0, firewall_fields=NONE)"
    assert not any("tenant_id=blue" in line for line in tables["tenant_destination_ipv4"])
