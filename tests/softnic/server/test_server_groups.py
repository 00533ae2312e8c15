# SPDX-License-Identifier: Apache-2.0
"""What is newer than P4Runtime 1.3 in groups: size semantics, selection modes, weights, resilience, backup replicas."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from finsy.proto import p4r
from grpc import StatusCode
from p4rt import (
    CONFIG,
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    Client,
    all_entries,
    clone,
    group,
    member,
    multicast,
    one_shot,
    replica,
    selector_entry,
    status_code,
    table_write,
    update,
    weighted,
)

from softnic.switch import Switch

INVALID, EXHAUSTED = StatusCode.INVALID_ARGUMENT, StatusCode.RESOURCE_EXHAUSTED
ActionSet = p4r.ActionProfileActionSet


def entry(dst: bytes, *ports: bytes, weight: int = 1, **settings: int) -> p4r.TableEntry:
    action = one_shot(*ports, weight=weight)
    for name, value in settings.items():
        setattr(action.action_profile_action_set, name, value)
    return selector_entry(dst, action)


# ---- action sets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [ActionSet.DEFAULT_MODE_DETERMINED_BY_ACTION_SELECTOR, ActionSet.HASH])
@pytest.mark.parametrize("semantics", ActionSet.SizeSemantics.values(), ids=ActionSet.SizeSemantics.keys())
def test_an_action_set_is_read_back_with_its_settings(primary: Client, mode: int, semantics: int) -> None:
    wanted = entry(b"\1", b"\1", b"\2", action_selection_mode=mode, size_semantics=semantics)
    primary.write(table_write(INSERT, wanted))
    [read] = primary.read(all_entries(table_id=IDS["selector_table"]))
    assert read.table_entry == wanted


@pytest.mark.parametrize(
    "settings",
    [{"action_selection_mode": ActionSet.RANDOM}, {"action_selection_mode": 9}, {"size_semantics": 9}],
    ids=str,
)
def test_a_setting_that_the_target_does_not_have_is_refused(primary: Client, settings) -> None:
    [error] = primary.refused(table_write(INSERT, entry(b"\1", b"\1", **settings)))
    assert status_code(error.canonical_code) == INVALID
    assert next(iter(settings)) in error.message


def test_an_action_set_counted_by_members_has_room_for_great_weights(primary: Client) -> None:
    primary.write(table_write(INSERT, entry(b"\1", b"\1", b"\2", weight=100, size_semantics=ActionSet.SUM_OF_MEMBERS)))
    [error] = primary.refused(
        table_write(INSERT, entry(b"\2", b"\1", weight=100, size_semantics=ActionSet.SUM_OF_WEIGHTS))
    )
    assert status_code(error.canonical_code) == EXHAUSTED


def test_groups_and_the_room_they_leave_add_up_to_the_profiles_size(primary: Client) -> None:
    primary.write(
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, action_profile_group=group(1, weighted(1, 5))),
        update(INSERT, action_profile_group=group(2, weighted(1, 3))),
    )
    [error] = primary.refused(update(MODIFY, action_profile_group=group(2, weighted(1, 4))))
    assert status_code(error.canonical_code) == EXHAUSTED
    assert re.search("9 of the profile's size of 8", error.message)
    primary.write(
        update(MODIFY, action_profile_group=group(1, weighted(1, 4))),
        update(MODIFY, action_profile_group=group(2, weighted(1, 4))),
        update(DELETE, action_profile_group=group(1)),
        update(INSERT, action_profile_group=group(3, weighted(1, 4))),
    )


def configured(connect: Callable[..., Client], *annotations: str, **balancer) -> Client:
    """A primary with the test program, its selector declared with other sizes, and with annotations."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    profile = next(p for p in config.p4info.action_profiles if p.preamble.id == IDS["balancer"])
    profile.preamble.annotations.extend(annotations)
    for name, value in balancer.items():
        if name == "max_member_weight":
            profile.sum_of_members.max_member_weight = value
        else:
            setattr(profile, name, value)
    client = connect().become_primary()
    client.set_config(config)
    return client


def test_members_that_are_counted_may_weigh_as_much_as_p4info_says(connect) -> None:
    client = configured(connect, max_member_weight=100)
    client.write(table_write(INSERT, entry(b"\1", b"\1", weight=100)))
    [error] = client.refused(table_write(INSERT, entry(b"\2", b"\1", weight=101)))
    assert status_code(error.canonical_code) == INVALID


def test_the_switch_weighs_where_p4info_disallows_weights(connect) -> None:
    client = configured(connect, weights_disallowed=True)
    client.write(table_write(INSERT, entry(b"\1", b"\1", weight=0)))
    [error] = client.refused(table_write(INSERT, entry(b"\2", b"\1", weight=1)))
    assert status_code(error.canonical_code) == INVALID


@pytest.mark.parametrize("annotations", [(), ('@mode("resilient")',)], ids=["as BMv2", "resilient"])
def test_a_resilient_selector_moves_only_the_flows_of_a_port_that_goes_down(
    connect, switch: Switch, annotations: tuple[str, ...]
) -> None:
    client = configured(connect, *annotations)
    watching = entry(b"\1", b"\1", b"\2", b"\3")
    for each in watching.action.action_profile_action_set.action_profile_actions:
        each.watch_port = each.action.params[0].value
    client.write(table_write(INSERT, watching))
    before = lanes(switch)
    switch.set_port_enabled(2, False)
    moved = {flow for flow, (old, new) in enumerate(zip(before, lanes(switch), strict=True)) if old != new}
    lost = {flow for flow, port in enumerate(before) if port == 2}
    assert moved == lost if annotations else moved > lost


def lanes(switch: Switch) -> list[int]:
    """By which port each of some flows leaves."""
    with switch.lock:
        assert switch.engine
        return [switch.engine.process(0, bytes([0, 0, 0, 0, 0, 1]) + bytes(5) + bytes([flow, 0, 0]))[0].port
                for flow in range(200)]  # fmt: skip


# ---- backup replicas ------------------------------------------------------------------------------------------------


def backed_up(port: bytes, *backups: tuple[bytes, int]) -> p4r.Replica:
    return replica(port, 1, backup_replicas=[p4r.BackupReplica(port=p, instance=i) for p, i in backups])


@pytest.mark.parametrize("kind", [multicast, clone], ids=["a multicast group", "a clone session"])
def test_backup_replicas_are_read_back_in_their_order(primary: Client, kind) -> None:
    wanted = kind(1, backed_up(b"\1", (b"\3", 2), (b"\2", 3)), replica(b"\4"))
    primary.write(update(INSERT, packet_replication_engine_entry=wanted))
    [read] = primary.read(p4r.Entity(packet_replication_engine_entry=kind(1)))
    assert read.packet_replication_engine_entry == wanted


REFUSED = {
    "the port of its own replica": (multicast(1, backed_up(b"\1", (b"\1", 2))), INVALID, "the same port 1"),
    "an identity twice": (multicast(1, replica(b"\2", 5), backed_up(b"\1", (b"\2", 5))), INVALID, "port and instance"),
    "an instance too large": (multicast(1, backed_up(b"\1", (b"\2", 65536))), INVALID, "65535"),
    "no port": (multicast(1, backed_up(b"\1", (b"", 2))), INVALID, "empty"),
    "a clone session's identity": (clone(1, backed_up(b"\1", (b"\2", 5)), replica(b"\2", 5)), INVALID, "and instance"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_backup_is_refused_for(primary: Client, name: str) -> None:
    refused, code, reason = REFUSED[name]
    [error] = primary.refused(update(INSERT, packet_replication_engine_entry=refused))
    assert status_code(error.canonical_code) == code
    assert reason in error.message
