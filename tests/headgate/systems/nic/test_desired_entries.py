# SPDX-License-Identifier: Apache-2.0
"""What a configuration asks of a device, entry by entry."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from nics import nics, small

from headgate.config import parse_config
from headgate.describe import action_text, describe, key_text
from headgate.device import program
from headgate.names import Names
from headgate.reconcile import NicTransition, plan
from headgate.reconcile.canonical import canonical, key_of
from headgate.systems import desired

SCHEMA = program("nic")


def asked(data: dict[str, Any]) -> dict[str, list[str]]:
    """``{"l2_classify": ["vlan_id=10 dst_mac=... -> to_vnic(vnic_id=1)", ...]}``, in a fixed order."""
    tables: dict[str, list[str]] = {}
    for entity in desired(parse_config(data)):
        described = describe(entity, SCHEMA)
        line = f"{key_text(described, Names())} -> {action_text(described, Names())}"
        tables.setdefault(described.table, []).append(line)
    return {table: sorted(lines) for table, lines in tables.items()}


def test_the_small_configuration_asks_for_exactly_this() -> None:
    assert asked(small()) == {
        "clone_session": ["session_id=1 -> replicate(replicas=510)"],
        "punt_meter": [
            "reason=NEIGHBOR_HEARD -> limit(packets_per_s=200, burst_packets=100)",
            "reason=NEIGHBOR_MISS -> limit(packets_per_s=200, burst_packets=100)",
            "reason=NO_ROUTE -> limit(packets_per_s=50, burst_packets=20)",
            "reason=PACKET_TOO_BIG -> limit(packets_per_s=50, burst_packets=20)",
            "reason=TTL_EXPIRED -> limit(packets_per_s=50, burst_packets=20)",
        ],
        "port": [
            "port=0 -> admit_uplink()",
            "port=1 -> admit_vnic(vnic_id=1, transmit=SWITCHED)",
            "port=509 -> admit_host()",
            "port=510 -> admit_cpu()",
        ],
        "uplink_vlan": [
            "port=0 tag_type=C_TAG tag_vlan_id=20 -> set_vlan(vlan_id=20)",
            "port=0 tag_type=UNTAGGED tag_vlan_id=0 -> set_vlan(vlan_id=10)",
        ],
        "uplink_tag": [
            "port=0 vlan_id=10 -> untag()",
            "port=0 vlan_id=20 -> tag(ether_type=0x8100, tag_vlan_id=20)",
        ],
        "vlan_uplink": ["vlan_id=10 -> send_to_uplink(port=0)", "vlan_id=20 -> send_to_uplink(port=0)"],
        "multicast_group": [
            "group_id=10 -> replicate(replicas=0 1@1 2@509)",
            "group_id=20 -> replicate(replicas=0 2@509)",
        ],
        "vlan_flood": ["vlan_id=10 -> replicate(group_id=10)", "vlan_id=20 -> replicate(group_id=20)"],
        "vnic_vlan": [
            "vnic_id=1 tag_type=UNTAGGED tag_vlan_id=0 -> set_vlan(vlan_id=10)",
            "vnic_id=2 tag_type=C_TAG tag_vlan_id=20 -> set_vlan(vlan_id=20)",
            "vnic_id=2 tag_type=UNTAGGED tag_vlan_id=0 -> set_vlan(vlan_id=10)",
        ],
        "vnic_tag": [
            "vnic_id=1 vlan_id=10 -> untag()",
            "vnic_id=2 vlan_id=10 -> untag()",
            "vnic_id=2 vlan_id=20 -> tag(ether_type=0x8100, tag_vlan_id=20)",
        ],
        "transmit_mac": [
            "vnic_id=1 src_mac=02:00:00:00:00:01 -> allow()",
            "vnic_id=2 src_mac=02:00:00:00:00:02 -> allow()",
        ],
        "forwarded_mac": ["vnic_id=2 dst_mac=02:00:00:00:00:02 -> allow()"],
        "l2_classify": [
            "vlan_id=10 dst_mac=02:00:00:00:00:01 -> to_vnic(vnic_id=1)",
            "vlan_id=10 dst_mac=02:00:00:00:00:02 -> to_vnic(vnic_id=2)",
            "vlan_id=20 dst_mac=02:00:00:00:00:02 -> to_vnic(vnic_id=2)",
        ],
        "ring": ["ring_id=1 -> to_port(port=1)", "ring_id=2 -> to_host()", "ring_id=3 -> to_host()"],
        "replica": ["vnic_id=1 -> copy_to_ring(ring_id=1)", "vnic_id=2 -> copy_to_ring(ring_id=2)"],
        "ring_group": [
            "vnic_id=1 ring_type=LOCAL -> spread(bucket_mask=0)",
            "vnic_id=2 ring_type=FORWARD -> spread(bucket_mask=0)",
            "vnic_id=2 ring_type=LOCAL -> spread(bucket_mask=0)",
        ],
        "ring_pick": [
            "vnic_id=1 ring_type=LOCAL bucket=0 -> set_ring(ring_id=1)",
            "vnic_id=2 ring_type=FORWARD bucket=0 -> set_ring(ring_id=3)",
            "vnic_id=2 ring_type=LOCAL bucket=0 -> set_ring(ring_id=2)",
        ],
        "default_ring": ["default action -> set_default_ring(vnic_id=2, ring_id=2)"],
        "steering": ["vnic_id=2 -> by_ring(learn_neighbors=1)"],
        "local_ipv4": ["vnic_id=2 ipv4_dst=10.0.0.2 -> local()", "vnic_id=2 ipv4_dst=10.0.0.255 -> local()"],
        "local_ipv6": ["vnic_id=2 ipv6_dst=2001:db8:: -> local()", "vnic_id=2 ipv6_dst=2001:db8::2 -> local()"],
        "next_local_ipv4": ["vnic_id=2 ipv4_dst=10.0.0.2 -> local()", "vnic_id=2 ipv4_dst=10.0.0.255 -> local()"],
        "next_local_ipv6": ["vnic_id=2 ipv6_dst=2001:db8:: -> local()", "vnic_id=2 ipv6_dst=2001:db8::2 -> local()"],
        "own_source_ipv4": [
            "vnic_id=2 ipv4_src=10.0.0.2 -> refuse_source()",
            "vnic_id=2 ipv4_src=10.0.0.255 -> refuse_source()",
        ],
        "own_source_ipv6": ["vnic_id=2 ipv6_src=2001:db8::2 -> refuse_source()"],
        "ipv4_route": [
            "vnic_id=2 ipv4_dst=0.0.0.0/0 -> via_ipv4(next_hop=10.0.0.254, vlan_id=10, mtu_bytes=1500)",
            "vnic_id=2 ipv4_dst=10.0.0.0/24 -> on_link(vlan_id=10, mtu_bytes=1500)",
        ],
        "ipv6_route": ["vnic_id=2 ipv6_dst=2001:db8::/64 -> on_link(vlan_id=20, mtu_bytes=1500)"],
        "ipv4_neighbor": [
            "vnic_id=2 vlan_id=10 next_hop=10.0.0.1 -> "
            "to_vnic(src_mac=02:00:00:00:00:02, dst_mac=02:00:00:00:00:01, vnic_id=1)",
            "vnic_id=2 vlan_id=10 next_hop=10.0.0.254 -> to_wire(src_mac=02:00:00:00:00:02, dst_mac=02:00:00:00:00:fe)",
        ],
    }


@pytest.mark.parametrize(
    ("routed_by", "steering", "transmit"),
    [
        ("guest", "by_ring(learn_neighbors=0)", "SWITCHED"),
        ("nic_on_transmit", "by_ring(learn_neighbors=1)", "ROUTED"),
        ("nic_on_receive", "by_route()", "SWITCHED"),
    ],
)
def test_who_routes_decides_on_steering_and_on_what_the_forwarding_port_transmits(
    routed_by: str, steering: str, transmit: str
) -> None:
    tables = asked(
        small(
            ("vnics.0.rings.local.0.port", "host"),
            ("vnics.1.rings.forwarding.0.port", "vm1"),
            ("vnics.1.forwarding", {"routed_by": routed_by}),
        )
    )
    assert tables["steering"] == [f"vnic_id=2 -> {steering}"]
    assert f"port=1 -> admit_vnic(vnic_id=2, transmit={transmit})" in tables["port"]


def test_a_guest_that_routes_for_itself_has_no_routes_in_the_nic() -> None:
    tables = asked(small(("vnics.1.forwarding", {"routed_by": "guest"})))
    assert not {"ipv4_route", "ipv6_route", "ipv4_neighbor", "forwarded_mac"} & tables.keys()


def test_several_rings_share_128_buckets_evenly() -> None:
    rings = [{"ring_id": ring_id, "port": "host"} for ring_id in (7, 8, 9)]
    tables = asked(small(("vnics.0.rings.local", rings)))
    assert "vnic_id=1 ring_type=LOCAL -> spread(bucket_mask=127)" in tables["ring_group"]
    picks = [line for line in tables["ring_pick"] if line.startswith("vnic_id=1 ")]
    assert sorted(sum(f"ring_id={ring_id})" in line for line in picks) for ring_id in (7, 8, 9)) == [42, 43, 43]


def test_without_a_default_ring_frames_for_nobody_are_dropped() -> None:
    assert asked(small(("default_ring", None)))["default_ring"] == ["default action -> no_default_ring()"]


def test_a_vlan_without_uplink_stays_on_the_host() -> None:
    tables = asked(small(("vlans.1.uplink", None)))
    assert "group_id=20 -> replicate(replicas=2@509)" in tables["multicast_group"]
    assert tables["vlan_uplink"] == ["vlan_id=10 -> send_to_uplink(port=0)"]


def test_a_vlan_without_members_and_uplink_has_nobody_to_flood_to() -> None:
    tables = asked(small(("vlans.2", {"vlan_id": 30})))
    assert not any("30" in line for line in tables["vlan_flood"] + tables["multicast_group"])


def test_a_service_tag_of_another_number_names_the_vlan_on_the_uplink() -> None:
    tables = asked(small(("vlans.1.tag", {"ether_type": "802.1ad", "vlan_id": 100})))
    assert "port=0 tag_type=S_TAG tag_vlan_id=100 -> set_vlan(vlan_id=20)" in tables["uplink_vlan"]
    assert "port=0 vlan_id=20 -> tag(ether_type=0x88a8, tag_vlan_id=100)" in tables["uplink_tag"]


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("10.0.0.2/24", {"10.0.0.2", "10.0.0.255"}),
        ("10.0.0.2/31", {"10.0.0.2"}),  # RFC 3021: no broadcast address
        ("10.0.0.2/32", {"10.0.0.2"}),
        ("2001:db8::2/64", {"2001:db8::2", "2001:db8::"}),  # RFC 4291 2.6.1: the subnet-router anycast address
        ("2001:db8::2/127", {"2001:db8::2"}),  # RFC 6164: none
    ],
)
def test_local_addresses_are_the_vnics_own_and_those_every_router_of_the_prefix_answers(
    address: str, local: set[str]
) -> None:
    tables = asked(small(("vnics.1.addresses", [address]), ("vnics.1.forwarding", {"routed_by": "nic_on_transmit"})))
    [table] = {"local_ipv4", "local_ipv6"} & tables.keys()
    assert {line.split("_dst=")[1].split(" ")[0] for line in tables[table]} == local


def test_a_neighbor_that_forwards_is_asked_whether_the_packet_is_its_own() -> None:
    forwards = {"routed_by": "nic_on_receive"}
    tables = asked(small(("vnics.0.forwarding", forwards)))
    assert any("to_forwarding_vnic(" in line and "next_hop=10.0.0.1 " in line for line in tables["ipv4_neighbor"])


def test_what_the_configuration_says_of_a_neighbor_goes_before_what_follows_from_a_vnics_address() -> None:
    tables = asked(small(("vnics.1.forwarding.neighbors.0", {"address": "10.0.0.1", "mac": "02:00:00:00:00:aa"})))
    assert [line.split(" -> ")[1] for line in tables["ipv4_neighbor"] if "next_hop=10.0.0.1 " in line] == [
        "to_wire(src_mac=02:00:00:00:00:02, dst_mac=02:00:00:00:00:aa)"
    ]


def test_a_vnic_in_another_vlan_is_no_neighbor_although_its_address_would_fit() -> None:
    tables = asked(small(("vnics.0.vlan", 20), ("vnics.0.addresses", ["10.0.0.7/24"])))
    assert not any("next_hop=10.0.0.7 " in line for line in tables["ipv4_neighbor"])


def test_a_link_local_next_hop_is_reached_on_the_vlan_it_names() -> None:
    route = {"prefix": "::/0", "via": "fe80::1", "vlan": 10}
    tables = asked(small(("vnics.1.forwarding.routes.1", route)))
    assert "vnic_id=2 ipv6_dst=::/0 -> via_ipv6(next_hop=fe80::1, vlan_id=10, mtu_bytes=1500)" in tables["ipv6_route"]


@settings(deadline=None, max_examples=50)
@given(nics())
def test_no_two_entities_have_the_same_key(data: dict[str, Any]) -> None:
    entities = desired(parse_config(data))
    assert len({key_of(canonical(entity, SCHEMA)) for entity in entities}) == len(entities)


@settings(deadline=None, max_examples=50)
@given(nics())
def test_what_is_desired_is_there_once_it_was_written(data: dict[str, Any]) -> None:
    entities = desired(parse_config(data))
    again = plan(entities, desired(parse_config(data)), SCHEMA, NicTransition())
    assert again.changes == ()
    assert again.unchanged == len(entities)
