# SPDX-License-Identifier: Apache-2.0
"""Which entries that nobody configured are left on a gateway: what could be learned again today, and all of it."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address
from typing import Any

import pytest
from finsy import Action, Match, P4TableEntry
from finsy.p4entity import decode_entity
from gateways import small
from model_device import GATEWAY, ModelDevice

from headgate.config import GatewayConfig, parse_config
from headgate.config.gateway import Via
from headgate.reconcile.gateway.epochs import outdated_by
from headgate.reconcile.plan import name_of
from headgate.reconcile.transition import Difference
from headgate.systems import LEARNED, desired
from headgate.systems.gateway import Ids
from headgate.systems.gateway.hops import NextHop, host_next_hop, uplink_next_hop
from headgate.systems.gateway.next_hops import next_hop_entry

CONFIG = parse_config(small(), GatewayConfig)
RED, BLUE = CONFIG.tenants
LEARNED_ID = 1 << 31
MAC = "02:00:00:00:00:77"


def hop(address: str) -> NextHop:
    """A host in blue's segment, which is on an interface."""
    found = host_next_hop(CONFIG, BLUE, BLUE.segments[0], ip_address(address))
    assert found is not None
    return found


def station(address: str) -> NextHop:
    """A neighbor on an uplink."""
    found = uplink_next_hop(CONFIG, CONFIG.routers[0], Via.model_construct(address=ip_address(address), on=None))
    assert found is not None
    return found


def host_entries(address: str = "10.0.1.77", *, metadata: bytes = LEARNED) -> list[P4TableEntry]:
    match = Match(tenant_id=2, segment_id=1, next_hop=address)
    action = Action("neighbor.to_next_hop", next_hop_id=LEARNED_ID)
    return [
        P4TableEntry("neighbor_ipv4", match=match, action=action, metadata=metadata),
        next_hop_entry(hop(address), LEARNED_ID, learned_mac=MAC),
    ]


def station_entries(address: str = "203.0.113.3") -> list[P4TableEntry]:
    match = Match(router_id=1, dst_addr=f"{address}/32")
    action = Action("central_routing.to_next_hop", next_hop_id=LEARNED_ID)
    return [
        P4TableEntry("central_route_ipv4", match=match, action=action, metadata=LEARNED),
        next_hop_entry(station(address), LEARNED_ID, learned_mac=MAC),
    ]


def mapping_entries(inside: str = "10.0.1.9", outside: str = "203.0.113.65") -> list[P4TableEntry]:
    tenant = {"tenant_id": 1, "protocol": 17}
    return [
        P4TableEntry(
            "nat_mapping_out",
            match=Match(**tenant, src_addr=inside, src_port=5000),
            action=Action("translate_source", addr=IPv4Address(outside), port=2000),
            metadata=LEARNED,
        ),
        P4TableEntry(
            "nat_mapping_in",
            match=Match(**tenant, dst_addr=outside, dst_port=2000),
            action=Action("translate_destination", addr=IPv4Address(inside), port=5000),
            metadata=LEARNED,
        ),
    ]


def left(entries: list[P4TableEntry], *changes: tuple[str, Any]) -> int:
    """How many of `entries`, which were learned under the small configuration, are left under a changed one."""
    device = ModelDevice([*desired(CONFIG), *entries], GATEWAY)
    device.apply(parse_config(small(*changes)))
    keys = {(entry.table_id, str(decode_entity(entry.encode(GATEWAY), GATEWAY).match)) for entry in entries}
    there = (entry for entry in device.read() if isinstance(entry, P4TableEntry))
    return sum((entry.table_id, str(entry.match)) in keys for entry in there)


@pytest.mark.parametrize(
    "entries", [host_entries(), station_entries(), mapping_entries()], ids=["a host", "a station", "a translation"]
)
def test_what_was_learned_stays_whole_and_the_plan_is_empty(entries: list[P4TableEntry]) -> None:
    device = ModelDevice([*desired(CONFIG), *entries], GATEWAY)
    assert device.plan_for(CONFIG).changes == ()


@pytest.mark.parametrize(
    ("entries", "changes"),
    [
        (host_entries(), [("tenants.1", None)]),
        (host_entries(), [("tenants.1.segments.0.segment_id", 9)]),
        (host_entries(), [("tenants.1.segments.0.addresses.0", "10.0.2.1/24"), ("tenants.1.advertise", [])]),
        (host_entries(), [("tenants.1.segments.0.addresses.0", "10.0.1.77/24")]),
        (host_entries(), [("tenants.1.segments.0.mac", "02:00:00:01:01:99")]),
        (host_entries(), [("interfaces.3.port", 9)]),
        (host_entries(), [("tenants.1.segments.0.mtu_bytes", 1400)]),
        (host_entries(metadata=b""), []),
        (station_entries(), [("routers.0.uplinks.0.mac", "02:00:00:00:f1:99")]),
        (station_entries(), [("routers.0.uplinks.0.addresses.0", "203.0.113.3/29")]),
        (mapping_entries(), [("tenants.0.nat.pools.0.outside", "203.0.113.72/31")]),
        (mapping_entries(), [("tenants.0.nat.pools.0.inside", "10.0.3.0/24")]),
        (mapping_entries(), [("tenants.0.nat", None)]),
    ],
    ids=[
        "the tenant is gone",
        "the segment has another number",
        "the prefix is gone",
        "the address is the gateway's now",
        "the gateway has another MAC address",
        "the segment is on another port",
        "another MTU",
        "without the mark",
        "the uplink has another MAC address",
        "the address is the router's now",
        "the pool has other addresses",
        "the pool is for others",
        "no translation any more",
    ],
)
def test_what_would_not_be_learned_like_that_again_goes(
    entries: list[P4TableEntry], changes: list[tuple[str, Any]]
) -> None:
    assert left(entries, *changes) == 0


# ---- next hops that are configured without their MAC address


def resolved(config: GatewayConfig) -> P4TableEntry:
    """The uplink's neighbor 203.0.113.9, of which the small configuration does not know the MAC address."""
    unresolved = station("203.0.113.9")
    return next_hop_entry(unresolved, Ids.of(config).next_hops[unresolved.identity], learned_mac=MAC)


def device_with(entry: P4TableEntry) -> ModelDevice:
    others = [
        entity
        for entity in desired(CONFIG)
        if not (
            isinstance(entity, P4TableEntry)
            and entity.table_id == "next_hop"
            and entity["next_hop_id"] == entry["next_hop_id"]
        )
    ]
    return ModelDevice([*others, entry], GATEWAY)


def test_a_configured_next_hop_stays_resolved() -> None:
    assert device_with(resolved(CONFIG)).plan_for(CONFIG).changes == ()


@pytest.mark.parametrize(
    "changes",
    [
        [("routers.0.neighbors.1", {"address": "203.0.113.9", "mac": "02:00:00:00:00:99"})],
        [("interfaces.2.vlan_id", 101)],
    ],
    ids=["its MAC address is configured now", "it is in another VLAN"],
)
def test_a_resolved_next_hop_is_changed_in_place_where_the_configuration_says_otherwise(
    changes: list[tuple[str, Any]],
) -> None:
    device = device_with(resolved(CONFIG))
    plan = device.plan_for(parse_config(small(*changes)))
    [change] = [change for change in plan.modifies if name_of(change.entity, GATEWAY) == "next_hop"
                and change.before is not None and change.before.table_entry.metadata.startswith(LEARNED)]  # fmt: skip
    assert not change.entity.table_entry.metadata.startswith(LEARNED)


def test_a_neighbor_that_is_new_puts_nothing_out_of_date_but_one_that_goes_does() -> None:
    entry = host_entries()[0]
    assert list(outdated_by(Difference(None, entry))) == []
    assert list(outdated_by(Difference(entry, None))) == [("tenant", 2)]
