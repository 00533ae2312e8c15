# SPDX-License-Identifier: Apache-2.0
"""A plan makes of a gateway what a configuration asks for; nothing ever points to nothing, or to another's."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest
from finsy import Action, P4IndirectAction, P4TableEntry
from gateways import gateways, small
from hypothesis import given, settings
from hypothesis import strategies as st
from model_device import GATEWAY, ModelDevice, planned

from headgate.config import parse_config
from headgate.reconcile import Plan
from headgate.reconcile.canonical import key_of
from headgate.reconcile.gateway.order import COMMITTING, DECIDING, LIMITS, NUMBERED, WAYS_IN
from headgate.reconcile.plan import name_of
from headgate.systems import Entity, desired
from headgate.systems.gateway import RECORDED_TABLES, ids
from headgate.systems.gateway.hops import host_identity

POINTS_TO = {"tunnel_id": "tunnel", "next_hop_id": "next_hop", "group_id": "ecmp", "underlay_id": "underlay"}


def dangling(entities: Iterable[Entity]) -> set[str]:
    """Entries that point to something that is not there."""
    entries = [entity for entity in entities if isinstance(entity, P4TableEntry)]
    numbers = {(entry.table_id, entry[field]) for entry in entries for field, table in POINTS_TO.items()
               if entry.table_id == table}  # fmt: skip
    return {
        f"{entry.table_id} {entry.match} -> {table} {args[field]}"
        for entry in entries
        for args in arguments(entry)
        for field, table in POINTS_TO.items()
        if field in args and (table, args[field]) not in numbers and not is_way_in(entry)
    }


def arguments(entry: P4TableEntry) -> list[dict[str, Any]]:
    if isinstance(entry.action, P4IndirectAction):
        return [action.args for _, action in entry.action.action_set or ()]
    return [entry.action.args] if isinstance(entry.action, Action) else []


def is_way_in(entry: P4TableEntry) -> bool:
    """A peer's tunnel is only told to the controller."""
    return entry.table_id.startswith("tunnel_peer")


def strangers(entities: Iterable[Entity]) -> set[str]:
    """Neighbors that lead to another neighbor's next hop."""
    entries = [entity for entity in entities if isinstance(entity, P4TableEntry)]
    owners = {entry["next_hop_id"]: entry.metadata.decode() for entry in entries if entry.table_id == "next_hop"}
    found = set()
    for entry in entries:
        if entry.table_id.startswith("neighbor"):
            [args] = arguments(entry)
            identity = host_identity(entry["tenant_id"], entry["segment_id"], entry["next_hop"])
            if owners.get(args["next_hop_id"], identity) != identity:
                found.add(f"{identity} -> {owners[args['next_hop_id']]}")
    return found


def without_epochs(device: ModelDevice) -> dict[Any, Any]:
    for message in device.held.values():
        if name_of(message, GATEWAY) in ("tenant", "router"):
            message.table_entry.action.action.params[0].value = b""
    return device.held


@settings(deadline=None, max_examples=20)
@given(gateways(), gateways())
def test_a_device_to_which_a_plan_was_applied_holds_what_is_desired_and_needs_no_other(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    device, changes = planned(before, after)
    for change in changes.changes:
        device.carry_out(change.update)
    assert device.plan_for(parse_config(after)).changes == ()
    wanted = ModelDevice(desired(parse_config(after)), GATEWAY)
    gone = {key for key in device.held if key[0] == "meter" and key not in wanted.held}
    assert {k: v for k, v in without_epochs(device).items() if k not in gone} == without_epochs(wanted)


@settings(deadline=None, max_examples=20)
@given(gateways(), gateways(), st.randoms())
def test_nothing_ever_points_to_nothing_whatever_the_order_within_a_stage(
    before: dict[str, Any], after: dict[str, Any], rng: random.Random
) -> None:
    device, changes = planned(before, after)
    for stage in changes.stages:
        for change in rng.sample(stage, len(stage)):
            device.carry_out(change.update)
            assert dangling(device.read()) == set()


@settings(deadline=None, max_examples=25)
@given(gateways(), gateways(), st.randoms(), st.integers(9, 12))
def test_a_number_that_changes_hands_is_taken_from_one_before_another_gets_it(
    before: dict[str, Any], after: dict[str, Any], rng: random.Random, numbers: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "MAX_CONFIGURED_NEXT_HOP_ID", numbers + 6)  # so few that they collide all the time
        patch.setattr(ids, "MAX_GROUP_ID", numbers)
        device, changes = planned(before, after)
    for stage in changes.stages:
        for change in rng.sample(stage, len(stage)):
            device.carry_out(change.update)
            assert strangers(device.read()) == set()
    assert inserted_again_after_the_commit(changes)


def inserted_again_after_the_commit(changes: Plan) -> bool:
    """Whether what is deleted and inserted again is gone while recorded results of the one before may count."""
    places: dict[Any, list[int]] = {}
    for index, stage in enumerate(changes.stages):
        for change in stage:
            if name_of(change.entity, GATEWAY) not in COMMITTING:
                places.setdefault(key_of(change.entity), []).append(index)
    return all(
        changes.commit is not None and first < changes.commit < last
        for first, *_, last in (indices for indices in places.values() if len(indices) > 1)
    )


def test_every_table_that_can_be_written_has_its_place_in_the_order() -> None:
    writable = {table.alias for table in GATEWAY.tables if not table.is_const} - RECORDED_TABLES
    writable |= {meter.alias for meter in GATEWAY.meters} | {digest.alias for digest in GATEWAY.digests}
    assert writable == {*LIMITS, *NUMBERED, *DECIDING, *COMMITTING, *WAYS_IN}


@settings(deadline=None, max_examples=20)
@given(gateways(), gateways())
def test_ways_in_are_the_first_to_go_and_the_last_to_come(before: dict[str, Any], after: dict[str, Any]) -> None:
    """But for what changes hands, and what nothing leads to any more."""
    _, changes = planned(before, after)
    names = [(change.update.type, name_of(change.entity, GATEWAY)) for change in changes.changes]
    deletes = [name in WAYS_IN for kind, name in names if kind == 3 and not name.startswith("tenant_destination")]
    assert deletes == sorted(deletes, reverse=True)
    writes = [name in WAYS_IN for kind, name in names if kind != 3]
    assert writes == sorted(writes)


def test_a_tenant_that_goes_is_closed_first_and_one_that_comes_is_opened_last() -> None:
    _, changes = planned(small(), small(("tenants.1", None)))
    names = [name_of(change.entity, GATEWAY) for change in changes.changes]
    assert names[:3] == ["interface", "tenant_destination_ipv4", "tenant"]
    _, changes = planned(small(("tenants.1", None)), small())
    names = [name_of(change.entity, GATEWAY) for change in changes.changes]
    assert names[-2:] == ["tenant", "interface"]
