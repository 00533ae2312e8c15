# SPDX-License-Identifier: Apache-2.0
"""Whatever recorded results may depend on is changed first; then, and only then, the epochs of those concerned."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from finsy import Action, Match, P4TableEntry
from finsy.p4entity import decode_entity
from finsy.proto import p4r
from gateways import gateways, small
from hypothesis import given, settings
from hypothesis import strategies as st
from model_device import GATEWAY, ModelDevice, planned

from headgate.config import parse_config
from headgate.reconcile import GatewayTransition, Plan, initial_plan, plan
from headgate.reconcile.gateway.epochs import CHANGING
from headgate.reconcile.gateway.order import DECIDING
from headgate.reconcile.plan import name_of
from headgate.systems import Entity, desired

Scope = tuple[str, int]


def epochs(entities: list[Entity]) -> dict[Scope, int]:
    """``{("tenant", 1): 7, ("router", 1): 7}``"""
    return {
        (entity.table_id, entity[f"{entity.table_id}_id"]): entity.action.args["epoch"]
        for entity in entities
        if isinstance(entity, P4TableEntry)
        and entity.table_id in ("tenant", "router")
        and isinstance(entity.action, Action)
    }


def bumped(before: dict[str, Any], after: dict[str, Any]) -> set[Scope]:
    """Whose epoch the change from one configuration to another moves."""
    device, changes = planned(before, after)
    earlier = epochs(device.read())
    for change in changes.changes:
        device.carry_out(change.update)
    return {scope for scope, epoch in epochs(device.read()).items() if scope in earlier and epoch != earlier[scope]}


def what_decides(data: dict[str, Any]) -> dict[Scope, set[str]]:
    """What each tenant and router of a configuration asks of the tables that decide on packets."""
    asked: dict[Scope, set[str]] = {}
    for entity in desired(parse_config(data)):
        if isinstance(entity, P4TableEntry) and entity.table_id in (*DECIDING, "tenant", "router"):
            match, action = entity.match or Match(), entity.action
            assert isinstance(action, Action)
            tenant_id = match.get("tenant_id") or action.args.get("tenant_id")
            owner = ("tenant", tenant_id) if tenant_id else ("router", match.get("router_id") or match["owner_id"])
            asked.setdefault(owner, set()).add(f"{entity.table_id} {match} {action} {entity.priority}")
    return asked


@settings(deadline=None, max_examples=25)
@given(gateways(), gateways())
def test_the_epochs_that_move_are_those_of_whom_something_changes_for(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    old, new = what_decides(before), what_decides(after)
    changed = {scope for scope in old.keys() & new.keys() if old[scope] != new[scope]}
    only_new_neighbors = {
        scope for scope in changed if all(line.startswith("neighbor_") for line in old[scope] ^ new[scope])
        and old[scope] < new[scope]
    }  # fmt: skip
    assert bumped(before, after) == changed - only_new_neighbors


@settings(deadline=None, max_examples=25)
@given(gateways(), gateways())
def test_all_that_decides_on_packets_is_in_its_place_when_epochs_move(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    _, changes = planned(before, after)
    if changes.commit is None:
        return
    [commit, *later] = changes.stages[changes.commit :]
    assert {name_of(change.entity, GATEWAY) for change in commit} <= {"tenant", "router"}
    assert not {name_of(change.entity, GATEWAY) for stage in later for change in stage} & {
        *DECIDING,
        "tenant",
        "router",
    }


def types(changes: Plan, table: str) -> list[str]:
    return [
        p4r.Update.Type.Name(change.update.type)
        for change in changes.changes
        if name_of(change.entity, GATEWAY) == table
    ]


RED, BLUE, NORTH = ("tenant", 1), ("tenant", 2), ("router", 1)


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ([("tenants.0.firewall.rules.0.action", "allow")], {RED}),
        ([("tenants.0.firewall.rules.0", None)], {RED}),
        ([("tenants.0.firewall", None)], {RED}),
        ([("tenants.0.routes.2", None)], {RED}),
        ([("tenants.0.routes.2.via", "10.0.1.10")], {RED}),
        ([("tenants.0.nat.one_to_one.0.outside", "203.0.113.71")], {RED}),
        ([("tenants.0.nat.port_forwards", [])], {RED}),
        ([("tenants.0.segments.0.addresses.0", "10.0.1.2/24")], {RED}),
        ([("tenants.1.advertise", [])], {BLUE}),
        ([("tenants.1.firewall", {"rules": []})], {BLUE}),
        ([("routers.0.routes.0.via", "203.0.113.1")], {NORTH}),
        ([("routers.0.uplinks.0.addresses.0", "203.0.113.3/29")], {NORTH}),
        ([("tenants.0.segments.0.hosts.0.mac", "02:00:00:01:01:99")], set()),
        ([("tenants.0.segments.0.hosts.2", {"address": "10.0.1.12", "via": "hv1"})], set()),
        ([("tunnels.0.remote", "198.51.100.12")], set()),
        ([("underlay.next_hops.0.mac", "02:00:00:00:fa:09")], set()),
        ([("interfaces.0.port", 3)], set()),
        ([("tenants.0.segments.0.mtu_bytes", 1400)], set()),
        ([("tenants.0.segments.0.attached.0.network_id", 6001)], set()),
        ([("tenants.0.name", "rot"), ("tenants.0.segments.0.name", "netz")], set()),
        ([("learning_limits", {"total": {"packets_per_s": 9, "burst_packets": 9}})], set()),
    ],
    ids=[
        "a rule",
        "a rule less",
        "no firewall",
        "a route less",
        "another next hop",
        "a 1:1 address",
        "no forwarded ports",
        "an address of the gateway",
        "nothing advertised any more",
        "a firewall",
        "a central route",
        "an uplink's address",
        "a host's MAC address",
        "a host more",
        "a tunnel's peer",
        "an underlay neighbor",
        "a wire",
        "an MTU",
        "a VNI",
        "names",
        "limits",
    ],
)
def test_a_change_puts_out_of_date_what_depends_on_it_and_nothing_else(
    changes: list[tuple[str, Any]], moved: set[Scope]
) -> None:
    assert bumped(small(), small(*changes)) == moved


def test_a_rule_that_goes_is_deleted_before_the_epoch_moves() -> None:
    _, changes = planned(small(), small(("tenants.0.firewall.rules.0", None)))
    tables = [name_of(change.entity, GATEWAY) for change in changes.changes]
    assert changes.changes[-1].update.type == p4r.Update.MODIFY
    assert tables == ["tenant", "firewall_rule_ipv6", "firewall_rule_ipv4", "tenant"]


def test_rules_that_get_another_priority_are_there_twice_rather_than_not_at_all() -> None:
    rules = small()["tenants"][0]["firewall"]["rules"]
    _, changes = planned(small(), small(("tenants.0.firewall.rules", [rules[0], rules[2], rules[1]])))
    assert types(changes, "firewall_rule_ipv4") == ["INSERT"] * 4 + ["DELETE"] * 4


def test_several_tenants_and_routers_move_in_one_request() -> None:
    _, changes = planned(
        small(), small(("tenants.0.routes.2", None), ("tenants.1.firewall", {}), ("routers.0.routes", []),
                       ("tenants.0.routes.0.prefix", "203.0.113.0/29"))
    )  # fmt: skip
    assert changes.commit is not None
    assert len(changes.stages[changes.commit]) == 3


# ---- which epoch


def held(data: dict[str, Any], first_epoch: int) -> ModelDevice:
    config = parse_config(data)
    transition = GatewayTransition(config, first_epoch)  # pyright: ignore[reportArgumentType]
    device = ModelDevice([], GATEWAY)
    for change in plan([], desired(config), GATEWAY, transition).changes:
        device.carry_out(change.update)
    return device


def test_an_epoch_moves_by_one() -> None:
    device = held(small(), first_epoch=41)
    device.apply(parse_config(small(("tenants.0.routes.2", None))))
    assert epochs(device.read()) == {RED: 42, BLUE: 41, NORTH: 41}


def test_the_epoch_after_the_last_is_zero() -> None:
    device = held(small(), first_epoch=0xFFFF_FFFF)
    device.apply(parse_config(small(("tenants.0.routes.2", None))))
    assert epochs(device.read())[RED] == 0


def test_a_tenant_that_comes_back_is_in_an_epoch_that_it_never_was_in() -> None:
    device = held(small(), first_epoch=1000)
    device.apply(parse_config(small(("tenants.1", None))))
    assert BLUE not in epochs(device.read())
    device.apply(parse_config(small()))
    assert abs(epochs(device.read())[BLUE] - time.time()) < 60
    assert epochs(device.read())[RED] == 1000


def test_entries_for_an_empty_device_are_the_same_each_time() -> None:
    config = parse_config(small())
    assert initial_plan(config, GATEWAY) == initial_plan(config, GATEWAY)
    modified = {name_of(change.entity, GATEWAY) for change in initial_plan(config, GATEWAY).modifies}
    assert modified == {"punt_meter", "learning_meter", "learning_meter_total"}


def test_what_was_changed_is_told_with_what_was_there() -> None:
    _, changes = planned(small(), small(("tenants.0.routes.2", None)))
    announced, change = changes.modifies
    assert announced.entity.table_entry.action == announced.before.table_entry.action  # pyright: ignore[reportOptionalMemberAccess]
    assert change.before is not None
    assert [decode_entity(e, GATEWAY).action.args["epoch"] for e in (change.before, change.entity)] == [1, 2]


# ---- a change that is broken off


@settings(deadline=None, max_examples=25)
@given(gateways(), gateways(), st.randoms())
def test_a_change_that_was_broken_off_is_finished_with_all_the_epochs_it_was_to_move(
    before: dict[str, Any], after: dict[str, Any], rng: random.Random
) -> None:
    moved = bumped(before, after)
    device, changes = planned(before, after)
    earlier = epochs(device.read())
    updates = [change.update for stage in changes.stages for change in rng.sample(stage, len(stage))]
    for update in updates[: rng.randrange(len(updates) + 1)]:
        device.carry_out(update)
    device.apply(parse_config(after))
    later = epochs(device.read())
    assert moved <= {scope for scope in earlier.keys() & later.keys() if later[scope] != earlier[scope]}
    assert device.plan_for(parse_config(after)).changes == ()
    assert not any(entity.metadata == CHANGING for entity in device.read() if isinstance(entity, P4TableEntry))


def test_nothing_is_announced_where_only_the_tenants_own_entry_changes() -> None:
    _, changes = planned(small(("tenants.1.firewall", {})), small())
    assert types(changes, "tenant") == ["MODIFY"]
