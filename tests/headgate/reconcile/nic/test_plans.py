# SPDX-License-Identifier: Apache-2.0
"""A plan makes of what a device holds what it has to hold, in an order in which nothing ever points to nothing."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from finsy import Action, Match, P4CounterData, P4MeterConfig, P4MeterEntry, P4MulticastGroupEntry, P4TableEntry
from finsy.p4entity import decode_entity
from finsy.proto import p4r
from hypothesis import given, settings
from hypothesis import strategies as st
from model_device import NIC as SCHEMA
from model_device import ModelDevice, planned
from nics import nics, small

from headgate.config import parse_config
from headgate.reconcile import NicTransition, plan
from headgate.reconcile.canonical import canonical, same
from headgate.reconcile.nic.order import BUILD_ORDER, CLASSIFIERS
from headgate.reconcile.plan import name_of
from headgate.systems import Entity, desired


def dangling(entities: Iterable[Entity]) -> list[str]:
    """Entries that point to something that is not there."""
    tables: dict[str, list[P4TableEntry]] = {}
    members: dict[int, list[int]] = {}
    for entity in entities:
        if isinstance(entity, P4TableEntry):
            tables.setdefault(entity.table_id, []).append(entity)
        elif isinstance(entity, P4MulticastGroupEntry):
            members[entity.multicast_group_id] = [vnic_id for vnic_id in map(vnic_of, entity.replicas) if vnic_id]

    def keys(table: str, *fields: str) -> set[tuple[Any, ...]]:
        return {tuple(entry[field] for field in fields) for entry in tables.get(table, [])}

    def args(entry: P4TableEntry) -> dict[str, Any]:
        assert isinstance(entry.action, Action)
        return entry.action.args

    rings, replicas = keys("ring", "ring_id"), keys("replica", "vnic_id")
    ring_groups, picks = keys("ring_group", "vnic_id", "ring_type"), keys("ring_pick", "vnic_id", "ring_type", "bucket")
    found = [
        f"l2_classify {e.match}" for e in tables.get("l2_classify", []) if (args(e)["vnic_id"], 1) not in ring_groups
    ]
    found += [f"ring_pick {e.match}" for e in tables.get("ring_pick", []) if (args(e)["ring_id"],) not in rings]
    found += [
        f"ring_group {e.match} bucket {bucket}"
        for e in tables.get("ring_group", [])
        for bucket in range(args(e)["bucket_mask"] + 1)
        if (e["vnic_id"], e["ring_type"], bucket) not in picks
    ]
    found += [f"vlan_flood {e.match}" for e in tables.get("vlan_flood", []) if args(e)["group_id"] not in members]
    found += [f"group {group}" for group, ids in members.items() if any((vnic_id,) not in replicas for vnic_id in ids)]
    found += ["default_ring" for e in tables.get("default_ring", []) if args(e) and (args(e)["ring_id"],) not in rings]
    return found


def vnic_of(replica: Any) -> int:
    return 0 if isinstance(replica, int) else replica.instance


@settings(deadline=None, max_examples=50)
@given(nics(), nics())
def test_a_device_to_which_a_plan_was_applied_holds_what_is_desired(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    device, changes = planned(before, after)
    for change in changes.changes:
        device.carry_out(change.update)
    assert device.held == ModelDevice(desired(parse_config(after))).held


@settings(deadline=None, max_examples=50)
@given(nics(), nics(), st.randoms())
def test_nothing_ever_points_to_nothing_whatever_the_order_within_a_stage(
    before: dict[str, Any], after: dict[str, Any], rng: random.Random
) -> None:
    device, changes = planned(before, after)
    for stage in changes.stages:
        shuffled = rng.sample(stage, len(stage))
        some = rng.randrange(len(stage))
        for part in (shuffled[:some], shuffled[some:]):
            for change in part:
                device.carry_out(change.update)
            assert dangling(device.read()) == []


@settings(deadline=None, max_examples=50)
@given(nics(), nics())
def test_classifiers_are_the_first_to_be_deleted_and_the_last_to_be_written(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    _, changes = planned(before, after)
    steps = [(change.update.type, name_of(change.entity, SCHEMA) in CLASSIFIERS) for change in changes.changes]
    deletes = [classifies for kind, classifies in steps if kind == p4r.Update.DELETE]
    writes = [classifies for kind, classifies in steps if kind != p4r.Update.DELETE]
    assert deletes == sorted(deletes, reverse=True)
    assert writes == sorted(writes)


@settings(deadline=None, max_examples=50)
@given(nics())
def test_an_empty_device_only_gets_inserts_but_for_what_is_always_there(data: dict[str, Any]) -> None:
    changes = plan([], desired(parse_config(data)), SCHEMA, NicTransition())
    assert changes.deletes == ()
    assert {name_of(change.entity, SCHEMA) for change in changes.modifies} == {"punt_meter", "default_ring"}


def test_every_table_that_can_be_written_has_its_place_in_the_order() -> None:
    writable = {table.alias for table in SCHEMA.tables if not table.is_const}
    writable |= {meter.alias for meter in SCHEMA.meters} | {"multicast_group", "clone_session"}
    assert writable == set(BUILD_ORDER)
    assert len(BUILD_ORDER) == len(writable)


def test_a_ring_that_changes_hands_is_given_up_before_it_is_taken() -> None:
    before = small(("vnics.0.rings.local", [{"ring_id": 1, "port": "host"}, {"ring_id": 5, "port": "host"}]))
    after = small(
        ("vnics.0.rings.local", [{"ring_id": 1, "port": "host"}, {"ring_id": 6, "port": "host"}]),
        ("vnics.2", {**small()["vnics"][0], "name": "new", "vnic_id": 3, "vlan": 20, "addresses": [],
                     "rings": {"local": [{"ring_id": 5, "port": "host"}]}}),
    )  # fmt: skip
    _, changes = planned(before, after)
    stage = {
        (index, decode_entity(change.entity, SCHEMA)["vnic_id"])
        for index, changed in enumerate(changes.stages)
        for change in changed
        if name_of(change.entity, SCHEMA) == "ring_pick"
    }
    assert max(index for index, vnic_id in stage if vnic_id == 1) < min(
        index for index, vnic_id in stage if vnic_id == 3
    )


def test_a_changed_value_is_one_modify_that_knows_what_was_there() -> None:
    _, changes = planned(small(), small(("vnics.1.forwarding.routes.0.via", "10.0.0.253")))
    [change] = changes.changes
    assert changes.modifies == (change,)
    assert change.before is not None
    assert decode_entity(change.before, SCHEMA).action.args["next_hop"] == 0x0A0000FE
    assert decode_entity(change.entity, SCHEMA).action.args["next_hop"] == 0x0A0000FD


# ---- what is the same on a device


def entry(**fields: Any) -> P4TableEntry:
    match = Match(vlan_id=10, dst_mac="02:00:00:00:00:01")
    return P4TableEntry("l2_classify", match=match, action=Action("vnic.to_vnic", vnic_id=1), **fields)


@pytest.mark.parametrize(
    "read",
    [
        entry(counter_data=P4CounterData(packet_count=7, byte_count=700)),
        entry(time_since_last_hit=5),
        P4TableEntry(
            "l2_classify",
            match=Match({"dst_mac": 0x020000000001, "vlan_id": "0xa"}),
            action=Action("vnic.to_vnic", vnic_id="1"),
        ),
    ],
    ids=["with its counter", "with its age", "with its fields in another order and spelling"],
)
def test_an_entry_is_the_same_however_a_device_reports_it(read: P4TableEntry) -> None:
    assert plan([read], [entry()], SCHEMA, NicTransition()).changes == ()


def test_bytes_that_a_device_padded_are_read_as_the_number_they_are() -> None:
    message = entry().encode(SCHEMA)
    message.table_entry.match[0].exact.value = b"\x00\x0a"
    assert plan([decode_entity(message, SCHEMA)], [entry()], SCHEMA, NicTransition()).changes == ()


def test_the_order_of_replicas_does_not_matter() -> None:
    one = P4MulticastGroupEntry(10, replicas=((1, 1), (509, 2), 0))
    other = P4MulticastGroupEntry(10, replicas=(0, (509, 2), (1, 1)))
    assert plan([one], [other], SCHEMA, NicTransition()).changes == ()


def meter(rate: int, burst: int = 10) -> p4r.Entity:
    config = P4MeterConfig(cir=rate, cburst=burst, pir=rate, pburst=burst)
    return canonical(P4MeterEntry("punt_meter", index=1, config=config), SCHEMA)


@pytest.mark.parametrize(
    ("rate", "burst", "equal"), [(100, 10, True), (99, 10, True), (98, 10, False), (100, 9, False)]
)
def test_a_rate_that_a_device_rounded_down_by_one_is_the_same(rate: int, burst: int, equal: bool) -> None:
    assert same(meter(rate, burst), meter(100)) is equal


def test_a_meter_without_a_configuration_is_not_the_same() -> None:
    unset = canonical(P4MeterEntry("punt_meter", index=1), SCHEMA)
    assert not same(unset, meter(100))
