# SPDX-License-Identifier: Apache-2.0
"""Which entries that nobody configured are left on a device: neighbors that could be learned again today."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from finsy import P4TableEntry
from finsy.p4entity import decode_entity
from nics import small

from headgate.config import NicConfig, parse_config
from headgate.device import program
from headgate.reconcile import plan, transition_to
from headgate.systems import LEARNED, desired
from headgate.systems.nic import may_be_learned, neighbor_entry

SCHEMA = program("nic")


def learned(ip: str, mac: str = "02:00:00:00:00:77", vlan_id: int = 10, metadata: bytes = LEARNED) -> P4TableEntry:
    """An entry that the router of `small()` learned, as it is read back."""
    config = parse_config(small(), NicConfig)
    entry = neighbor_entry(config, config.vnics[1], vlan_id, ip_address(ip), mac, metadata=metadata)
    return decode_entity(entry.encode(SCHEMA), SCHEMA)


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        (learned("10.0.0.77"), True),
        (learned("2001:db8::77", vlan_id=20), True),
        (learned("fe80::77", vlan_id=20), True),
        (learned("10.0.0.77", mac="02:00:00:00:00:01"), True),
        (learned("10.0.0.77", metadata=b""), False),
        (learned("10.9.9.9"), False),
        (learned("10.0.0.77", vlan_id=20), False),
        (learned("10.0.0.2"), False),
    ],
    ids=[
        "on a connected prefix",
        "of IPv6",
        "link-local",
        "a VNIC's address",
        "without the mark",
        "on no connected prefix",
        "on the wrong VLAN",
        "the router's own address",
    ],
)
def test_an_entry_stays_if_it_is_marked_and_its_neighbor_on_a_link(entry: P4TableEntry, kept: bool) -> None:
    assert may_be_learned(parse_config(small(), NicConfig), entry) is kept


@pytest.mark.parametrize(
    "changes",
    [
        [("vnics.1.vnic_id", 9)],
        [("vnics.1.macs.0", "02:00:00:00:00:22")],
        [("vnics.1.forwarding", {"routed_by": "guest"})],
        [("vnics.0.macs.0", "02:00:00:00:00:77")],
        [("vnics.1.addresses.0", "10.1.0.2/24"), ("vnics.1.forwarding", {"routed_by": "nic_on_transmit"})],
    ],
    ids=[
        "the router is gone",
        "the router has another MAC address",
        "the guest routes",
        "the neighbor's MAC is a VNIC's now",
        "the prefix is gone",
    ],
)
def test_an_entry_goes_when_the_configuration_would_not_let_it_be_learned_again(
    changes: list[tuple[str, Any]],
) -> None:
    config = parse_config(small(*changes))
    stale = plan([*desired(config), learned("10.0.0.77")], desired(config), SCHEMA, transition_to(config))
    assert len(stale.deletes) == 1


def test_a_learned_neighbor_that_is_configured_now_is_no_longer_marked() -> None:
    config = parse_config(small())
    entry = learned("10.0.0.254", mac="02:00:00:00:00:fe")
    others = [entity for entity in desired(config) if not leads_to(entity, "10.0.0.254")]
    changed = plan([*others, entry], desired(config), SCHEMA, transition_to(config))
    [change] = changed.changes
    assert changed.modifies == (change,)
    assert change.entity.table_entry.metadata == b""


def leads_to(entity: object, next_hop: str) -> bool:
    if not isinstance(entity, P4TableEntry) or entity.table_id != "ipv4_neighbor":
        return False
    return str(entity["next_hop"]) == next_hop


def test_other_marked_entries_are_not_kept() -> None:
    entry = replace(learned("10.0.0.77"), table_id="steering")
    assert not may_be_learned(parse_config(small(), NicConfig), entry)
