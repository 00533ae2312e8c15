# SPDX-License-Identifier: Apache-2.0
"""At no moment of a plan does a port carry frames of two VNICs, whatever changes hands."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import Any

import pytest
from finsy import Action, P4MulticastGroupEntry, P4TableEntry
from finsy.p4entity import P4Replica
from finsy.proto import p4r
from hypothesis import given, settings
from hypothesis import strategies as st
from model_device import NIC as SCHEMA
from model_device import ModelDevice, planned

from headgate.config import parse_config
from headgate.reconcile.plan import name_of
from headgate.systems import Entity, desired

PORTS = range(1, 5)


def rack(*guests: tuple[int, int, int, int]) -> dict[str, Any]:
    """Guests as (VNIC, VLAN, ring, port)."""
    return {
        "ports": [{"name": f"port{port}", "port": port, "role": "ring"} for port in PORTS],
        "vlans": [{"vlan_id": 10}, {"vlan_id": 20}],
        "vnics": [
            {
                "name": f"vnic{vnic_id}",
                "vnic_id": vnic_id,
                "vlan": vlan_id,
                "macs": [f"02:00:00:00:00:{vnic_id:02x}"],
                "rings": {"local": [{"ring_id": ring_id, "port": f"port{port}"}]},
            }
            for vnic_id, vlan_id, ring_id, port in guests
        ],
    }


@st.composite
def racks(draw: st.DrawFn) -> dict[str, Any]:
    """Up to three guests, each on any ring and any port."""
    vnic_ids = draw(st.lists(st.integers(1, 3), unique=True))
    rings, ports = draw(st.permutations(PORTS)), draw(st.permutations(PORTS))
    return rack(*((vnic_id, draw(st.sampled_from([10, 20])), rings[i], ports[i]) for i, vnic_id in enumerate(vnic_ids)))


def users(entities: Iterable[Entity]) -> dict[int, set[int]]:
    """The VNICs whose frames may come in or go out on each port."""
    found: dict[int, set[int]] = {port: set() for port in PORTS}
    for port, vnic_id in _wires(list(entities)):
        found[port].add(vnic_id)
    return found


def _wires(entities: list[Entity]) -> Iterator[tuple[int, int]]:
    tables: dict[str, list[tuple[P4TableEntry, dict[str, Any]]]] = {}
    for entity in entities:
        if isinstance(entity, P4TableEntry) and isinstance(entity.action, Action):
            tables.setdefault(entity.table_id, []).append((entity, entity.action.args))
    leads_to = {entry["ring_id"]: args["port"] for entry, args in tables.get("ring", [])}
    flooded = {entry["vnic_id"] for entry, _ in tables.get("replica", [])}
    for entry, args in tables["port"]:
        if entry["port"] in PORTS:
            yield entry["port"], args["vnic_id"]
    for entry, args in tables.get("ring_pick", []):
        if args["ring_id"] in leads_to:
            yield leads_to[args["ring_id"]], entry["vnic_id"]
    for group in entities:
        if isinstance(group, P4MulticastGroupEntry):
            for replica in group.replicas:
                if isinstance(replica, P4Replica) and replica.instance in flooded:
                    yield int(replica.port), replica.instance


@settings(deadline=None, max_examples=200)
@given(racks(), racks(), st.randoms())
def test_no_port_ever_carries_frames_of_two_vnics(
    before: dict[str, Any], after: dict[str, Any], rng: random.Random
) -> None:
    device, changes = planned(before, after)
    for stage in changes.stages:
        for change in rng.sample(stage, len(stage)):
            device.carry_out(change.update)
            shared = {port: vnics for port, vnics in users(device.read()).items() if len(vnics) > 1}
            assert not shared, f"after {change.update}"
    assert device.held == ModelDevice(desired(parse_config(after))).held


@pytest.mark.parametrize(
    ("after", "moved"),
    [
        (rack((1, 10, 1, 2), (2, 20, 2, 1)), {"port", "ring", "replica"}),
        (rack((1, 10, 2, 1), (2, 20, 1, 2)), {"ring"}),
        (rack((2, 20, 2, 1)), {"port", "ring", "replica"}),
        (rack((1, 10, 1, 3), (2, 20, 2, 2)), {"ring", "port"}),
        (rack((1, 20, 1, 1), (2, 20, 2, 2)), set()),
    ],
    ids=["ports swapped", "rings swapped", "port of one that goes", "moved to a free port", "another VLAN"],
)
def test_only_what_changes_hands_is_taken_away_first(after: dict[str, Any], moved: set[str]) -> None:
    _, changes = planned(rack((1, 10, 1, 1), (2, 20, 2, 2)), after)
    first = takewhile(lambda change: change.update.type == p4r.Update.DELETE, changes.changes)
    assert {name_of(change.entity, SCHEMA) for change in first} - {"l2_classify"} == moved
