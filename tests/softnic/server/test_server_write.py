# SPDX-License-Identifier: Apache-2.0
"""Write: each update that the specification refuses is refused with its code, and leaves everything as it was."""

from __future__ import annotations

import re

import pytest
from finsy.proto import p4d, p4r
from grpc import StatusCode
from p4rt import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    Client,
    all_entries,
    calls,
    clone,
    counter_write,
    default_entry,
    digest,
    exact,
    exact_entry,
    group,
    lpm,
    lpm_entry,
    member,
    meter_write,
    multicast,
    one_shot,
    optional,
    range_,
    register_write,
    replica,
    selector_entry,
    status_code,
    table_write,
    ternary,
    ternary_entry,
    update,
    weighted,
)

INVALID = StatusCode.INVALID_ARGUMENT
DENIED = StatusCode.PERMISSION_DENIED
MISSING = StatusCode.NOT_FOUND
BEYOND = StatusCode.OUT_OF_RANGE
UNIMPLEMENTED = StatusCode.UNIMPLEMENTED


REFUSED = {
    # ---- updates
    "type unset": (p4r.Update(entity=p4r.Entity(table_entry=exact_entry())), INVALID, "update type"),
    "type unknown": (p4r.Update(type=9, entity=p4r.Entity(table_entry=exact_entry())), INVALID, "update type"),  # pyright: ignore[reportArgumentType]
    "entity unset": (p4r.Update(type=INSERT), INVALID, "entity is not set"),
    "extern": (update(INSERT, extern_entry=p4r.ExternEntry(extern_type_id=1)), UNIMPLEMENTED, "externs"),
    # ---- table entries
    "table id unset": (table_write(INSERT, p4r.TableEntry()), INVALID, "table id is not set"),
    "table id unknown": (table_write(INSERT, p4r.TableEntry(table_id=0x2000001)), INVALID, "0x02000001"),
    "modify missing": (table_write(MODIFY, exact_entry()), MISSING, "use INSERT"),
    "delete missing": (table_write(DELETE, exact_entry()), MISSING, "use INSERT"),
    "is_const": (table_write(INSERT, exact_entry(is_const=True)), INVALID, "is_const"),
    "keyless": (
        table_write(INSERT, p4r.TableEntry(table_id=IDS["keyless_table"], action=calls("mark", b"\1"))),
        INVALID,
        "no key",
    ),
    # ---- match fields
    "exact missing": (
        table_write(INSERT, p4r.TableEntry(table_id=IDS["exact_table"], match=[exact(1, b"\1")])),
        INVALID,
        r"match field 2 \(port\): is missing",
    ),
    "field twice": (table_write(INSERT, lpm_entry(lpm(1, b"\0", 1), lpm(1, b"\0", 1))), INVALID, "given twice"),
    "field unknown": (table_write(INSERT, lpm_entry(lpm(7, b"\0", 1))), INVALID, r"no match field has id 7.*1 \(src\)"),
    "field of another kind": (table_write(INSERT, lpm_entry(exact(1, b"\1"))), INVALID, "is exact; .* lpm"),
    "field empty": (table_write(INSERT, lpm_entry(p4r.FieldMatch(field_id=1))), INVALID, "is unset; .* lpm"),
    "value empty": (table_write(INSERT, ternary_entry(optional(3, b""))), INVALID, "value is empty"),
    "value too wide": (
        table_write(INSERT, lpm_entry(lpm(1, b"\1" + bytes(6), 8))),
        INVALID,
        r"table IngressImpl.lpm_table: match field 1 \(src\): value has 49 bits, field is 48 wide",
    ),
    "lpm don't care": (table_write(INSERT, lpm_entry(lpm(1, b"\0", 0))), INVALID, "leave the field out"),
    "lpm prefix too long": (table_write(INSERT, lpm_entry(lpm(1, b"\1", 49))), INVALID, r"49 is not in 1\.\.48"),
    "lpm prefix negative": (table_write(INSERT, lpm_entry(lpm(1, b"\1", -1))), INVALID, r"-1 is not in 1\.\.48"),
    "lpm bits beyond prefix": (table_write(INSERT, lpm_entry(lpm(1, b"\1", 47))), INVALID, "beyond its prefix"),
    "ternary don't care": (table_write(INSERT, ternary_entry(ternary(1, b"\0", b"\0"))), INVALID, "mask is 0"),
    "ternary bits beyond mask": (table_write(INSERT, ternary_entry(ternary(1, b"\3", b"\1"))), INVALID, "its mask"),
    "range don't care": (table_write(INSERT, ternary_entry(range_(2, b"\0", b"\xff\xff"))), INVALID, "full range"),
    "range upside down": (table_write(INSERT, ternary_entry(range_(2, b"\2", b"\1"))), INVALID, "above high"),
    "priority missing": (table_write(INSERT, ternary_entry(priority=0)), INVALID, "priority is 0"),
    "priority negative": (table_write(INSERT, ternary_entry(priority=-1)), INVALID, "priority is -1"),
    "priority not wanted": (table_write(INSERT, exact_entry(priority=1)), INVALID, "must leave it 0"),
    # ---- actions
    "action unset": (table_write(INSERT, exact_entry(action=None)), INVALID, "action is not set"),
    "action kind unset": (table_write(INSERT, exact_entry(action=p4r.TableAction())), INVALID, "action is not set"),
    "action unknown": (
        table_write(INSERT, exact_entry(action=p4r.TableAction(action=p4r.Action(action_id=1)))),
        INVALID,
        "not one of its actions",
    ),
    "action of another table": (table_write(INSERT, exact_entry(action=calls("forward", b"\1"))), INVALID, "not one"),
    "action default only": (table_write(INSERT, exact_entry(action=calls("drop"))), DENIED, "DEFAULT_ONLY"),
    "param missing": (
        table_write(INSERT, exact_entry(action=calls("mark"))),
        INVALID,
        r"parameter 1 \(value\) is missing",
    ),
    "param extra": (
        table_write(INSERT, exact_entry(action=calls("mark", b"\1", b"\2"))),
        INVALID,
        "no parameter has id 2",
    ),
    "param too wide": (
        table_write(INSERT, exact_entry(action=calls("meter_and_forward", b"\2\0"))),
        INVALID,
        r"parameter 1 \(port\): value has 10 bits, field is 9 wide",
    ),
    "param empty": (table_write(INSERT, exact_entry(action=calls("mark", b""))), INVALID, "value is empty"),
    "member in a direct table": (
        table_write(INSERT, exact_entry(action=p4r.TableAction(action_profile_member_id=1))),
        INVALID,
        "the table takes action",
    ),
    "action in a profile table": (
        table_write(INSERT, selector_entry(b"\1", calls("forward", b"\1"))),
        INVALID,
        "the table takes action_profile_member_id",
    ),
    "group without selector": (
        table_write(INSERT, selector_entry(b"\1", p4r.TableAction(action_profile_group_id=1), "profile_table")),
        INVALID,
        "takes action_profile_member_id",
    ),
    "one-shot without selector": (
        table_write(INSERT, selector_entry(b"\1", one_shot(b"\1"), "profile_table")),
        INVALID,
        "takes action_profile_member_id",
    ),
    "member missing": (
        table_write(INSERT, selector_entry(b"\1", p4r.TableAction(action_profile_member_id=5))),
        MISSING,
        "no member 5",
    ),
    "group missing": (
        table_write(INSERT, selector_entry(b"\1", p4r.TableAction(action_profile_group_id=5))),
        MISSING,
        "no group 5",
    ),
    "one-shot weight 0": (
        table_write(INSERT, selector_entry(b"\1", one_shot(b"\1", weight=0))),
        INVALID,
        "weight 0 is below 1",
    ),
    # ---- direct resources and timeouts
    "counter of a table without": (
        table_write(INSERT, lpm_entry(counter_data=p4r.CounterData())),
        INVALID,
        "no direct counter",
    ),
    "meter of a table without": (
        table_write(INSERT, lpm_entry(meter_config=p4r.MeterConfig())),
        INVALID,
        "no direct meter",
    ),
    "counts by colour without meter": (
        table_write(INSERT, lpm_entry(meter_counter_data=p4r.MeterCounterData())),
        INVALID,
        "no direct meter",
    ),
    "count negative": (
        table_write(INSERT, exact_entry(counter_data=p4r.CounterData(packet_count=-1))),
        INVALID,
        "negative",
    ),
    "rates descending": (
        table_write(INSERT, exact_entry(meter_config=p4r.MeterConfig(cir=2, pir=1))),
        INVALID,
        "cir 2 is above pir 1",
    ),
    "timeout negative": (table_write(INSERT, exact_entry(idle_timeout_ns=-1)), INVALID, "negative"),
    "timeout not supported": (table_write(INSERT, lpm_entry(idle_timeout_ns=1)), INVALID, "support_timeout"),
    "time since last hit": (
        table_write(INSERT, exact_entry(time_since_last_hit=p4r.TableEntry.IdleTimeout())),
        INVALID,
        "can't be written",
    ),
    # ---- default entries
    "default inserted": (table_write(INSERT, default_entry("lpm_table", calls("drop"))), INVALID, "use MODIFY"),
    "default deleted": (table_write(DELETE, default_entry("lpm_table")), INVALID, "use MODIFY"),
    "default with match": (
        table_write(MODIFY, default_entry("lpm_table", calls("drop"), match=[lpm(1, b"\0", 1)])),
        INVALID,
        "no match fields",
    ),
    "default with priority": (
        table_write(MODIFY, default_entry("lpm_table", calls("drop"), priority=1)),
        INVALID,
        "no priority",
    ),
    "default with timeout": (
        table_write(MODIFY, default_entry("lpm_table", calls("drop"), idle_timeout_ns=1)),
        INVALID,
        "can't time out",
    ),
    "default constant": (table_write(MODIFY, default_entry("exact_table", calls("drop"))), DENIED, "is constant"),
    "default table only": (
        table_write(MODIFY, default_entry("lpm_table", calls("mark", b"\1"))),
        DENIED,
        "TABLE_ONLY",
    ),
    "default of a profile table": (
        table_write(MODIFY, default_entry("selector_table", calls("forward", b"\1"))),
        DENIED,
        "action profile",
    ),
    "default counter": (
        table_write(MODIFY, default_entry("lpm_table", calls("drop"), counter_data=p4r.CounterData())),
        INVALID,
        "no direct counter",
    ),
    # ---- constant tables
    "const insert": (
        table_write(
            INSERT,
            p4r.TableEntry(
                table_id=IDS["const_table"],
                match=[ternary(1, b"\1", b"\1")],
                priority=3,
                action=calls("mark", b"\1"),
            ),
        ),
        DENIED,
        "constant",
    ),
    "const modify": (
        table_write(
            MODIFY,
            p4r.TableEntry(
                table_id=IDS["const_table"],
                match=[ternary(1, b"\x08\0", b"\xff\xff")],
                priority=2,
                action=calls("mark", b"\1"),
            ),
        ),
        DENIED,
        "constant",
    ),
    "const delete": (
        table_write(
            DELETE,
            p4r.TableEntry(table_id=IDS["const_table"], match=[ternary(1, b"\x08\0", b"\xff\xff")], priority=2),
        ),
        DENIED,
        "constant",
    ),
    # ---- counters, meters, registers
    "counter inserted": (counter_write(INSERT, 0, packet_count=1), INVALID, "use MODIFY"),
    "counter deleted": (counter_write(DELETE, 0), INVALID, "use MODIFY"),
    "counter index negative": (counter_write(MODIFY, -1, packet_count=1), INVALID, "negative"),
    "counter index beyond": (counter_write(MODIFY, 16, packet_count=1), BEYOND, "beyond the size 16"),
    "counter negative": (counter_write(MODIFY, 0, byte_count=-5), INVALID, "negative"),
    "counter unknown": (
        update(MODIFY, counter_entry=p4r.CounterEntry(counter_id=1, index=p4r.Index())),
        INVALID,
        "counter id",
    ),
    "meter inserted": (meter_write(INSERT), INVALID, "use MODIFY"),
    "meter negative": (meter_write(MODIFY, cir=-1), INVALID, "negative"),
    "meter rates descending": (meter_write(MODIFY, cir=2, pir=1), INVALID, "above pir"),
    "meter excess burst": (meter_write(MODIFY, eburst=1), INVALID, "eburst"),
    "meter index beyond": (meter_write(MODIFY, 8), BEYOND, "beyond the size 8"),
    "register inserted": (register_write(INSERT, 0, p4d.P4Data(bitstring=b"\1")), INVALID, "use MODIFY"),
    "register index beyond": (register_write(MODIFY, 16, p4d.P4Data(bitstring=b"\1")), BEYOND, "beyond"),
    "register too wide": (register_write(MODIFY, 0, p4d.P4Data(bitstring=b"\1\0\0\0\0")), INVALID, "33 bits"),
    "register of another type": (register_write(MODIFY, 0, p4d.P4Data(bool=True)), INVALID, "data is bool"),
    "register without data": (register_write(MODIFY, 0, None), INVALID, "data is unset"),
    "register signed too wide": (
        register_write(MODIFY, 0, p4d.P4Data(bitstring=b"\x08\0"), "balance"),
        INVALID,
        r"2048 does not fit int<12>",
    ),
    "direct counter of a table without": (
        update(MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=lpm_entry())),
        INVALID,
        "no direct counter",
    ),
    "direct counter of a missing entry": (
        update(MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=exact_entry())),
        MISSING,
        "not there",
    ),
    "direct counter inserted": (
        update(INSERT, direct_counter_entry=p4r.DirectCounterEntry(table_entry=exact_entry())),
        INVALID,
        "use MODIFY",
    ),
    "direct meter of a table without": (
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=lpm_entry())),
        INVALID,
        "no direct meter",
    ),
    "direct meter of a missing entry": (
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=exact_entry())),
        MISSING,
        "not there",
    ),
    # ---- action profiles
    "profile unknown": (
        update(INSERT, action_profile_member=p4r.ActionProfileMember(action_profile_id=1, member_id=1)),
        INVALID,
        "action profile id",
    ),
    "member id unset": (update(INSERT, action_profile_member=member(0)), INVALID, "member_id"),
    "member action unset": (
        update(
            INSERT,
            action_profile_member=p4r.ActionProfileMember(action_profile_id=IDS["balancer"], member_id=1),
        ),
        INVALID,
        "not one of the profile's actions",
    ),
    "member modified before inserted": (update(MODIFY, action_profile_member=member(1)), MISSING, "no member 1"),
    "member deleted before inserted": (update(DELETE, action_profile_member=member(1)), MISSING, "no member 1"),
    "group id unset": (update(INSERT, action_profile_group=group(0)), INVALID, "group_id"),
    "group of a profile without selector": (
        update(INSERT, action_profile_group=p4r.ActionProfileGroup(action_profile_id=IDS["profile"], group_id=1)),
        INVALID,
        "no selector",
    ),
    "group of a missing member": (update(INSERT, action_profile_group=group(1, weighted(9))), MISSING, "no member 9"),
    "group weight 0": (update(INSERT, action_profile_group=group(1, weighted(9, 0))), INVALID, "below 1"),
    "group weight negative": (update(INSERT, action_profile_group=group(1, weighted(9, -1))), INVALID, "below 1"),
    "group max_size negative": (update(INSERT, action_profile_group=group(1, max_size=-1)), INVALID, "negative"),
    "group watch port too wide": (
        update(INSERT, action_profile_group=group(1, weighted(9, watch_port=b"\2\0"))),
        INVALID,
        "10 bits",
    ),
    "group modified before inserted": (update(MODIFY, action_profile_group=group(1)), MISSING, "no group 1"),
    "group deleted before inserted": (update(DELETE, action_profile_group=group(1)), MISSING, "no group 1"),
    # ---- packet replication
    "replication type unset": (
        update(INSERT, packet_replication_engine_entry=p4r.PacketReplicationEngineEntry()),
        INVALID,
        "type is not set",
    ),
    "multicast group 0": (update(INSERT, packet_replication_engine_entry=multicast(0)), INVALID, r"1\.\.32767"),
    "multicast group too large": (
        update(INSERT, packet_replication_engine_entry=multicast(32768)),
        INVALID,
        r"1\.\.32767",
    ),
    "multicast replica twice": (
        update(INSERT, packet_replication_engine_entry=multicast(1, replica(b"\1", 2), replica(b"\1", 2))),
        INVALID,
        "same port and instance",
    ),
    "multicast replica without port": (
        update(INSERT, packet_replication_engine_entry=multicast(1, p4r.Replica(instance=1))),
        INVALID,
        "no port",
    ),
    "multicast port too wide": (
        update(INSERT, packet_replication_engine_entry=multicast(1, replica(b"\2\0"))),
        INVALID,
        "10 bits",
    ),
    "multicast instance too large": (
        update(INSERT, packet_replication_engine_entry=multicast(1, replica(b"\1", 65536))),
        INVALID,
        "above 65535",
    ),
    "multicast modified before inserted": (
        update(MODIFY, packet_replication_engine_entry=multicast(1)),
        MISSING,
        "use INSERT",
    ),
    "multicast deleted before inserted": (
        update(DELETE, packet_replication_engine_entry=multicast(1)),
        MISSING,
        "use INSERT",
    ),
    "clone session 0": (update(INSERT, packet_replication_engine_entry=clone(0)), INVALID, r"1\.\.32767"),
    "clone length negative": (
        update(INSERT, packet_replication_engine_entry=clone(1, packet_length_bytes=-1)),
        INVALID,
        "negative",
    ),
    "clone class of service too large": (
        update(INSERT, packet_replication_engine_entry=clone(1, class_of_service=8)),
        INVALID,
        r"0\.\.7",
    ),
    "clone deleted before inserted": (update(DELETE, packet_replication_engine_entry=clone(1)), MISSING, "use INSERT"),
    # ---- digests
    "digest unknown": (update(INSERT, digest_entry=p4r.DigestEntry(digest_id=1)), INVALID, "digest id"),
    "digest modified before inserted": (update(MODIFY, digest_entry=digest()), MISSING, "use INSERT"),
    "digest deleted before inserted": (update(DELETE, digest_entry=digest()), MISSING, "use INSERT"),
    "digest negative": (update(INSERT, digest_entry=digest(max_timeout_ns=-1)), INVALID, "negative"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_specification_refuses_gets_its_code_and_a_message_that_says_why(primary: Client, name: str) -> None:
    refused, code, reason = REFUSED[name]
    [error] = primary.refused(refused)
    assert status_code(error.canonical_code) == code
    assert re.search(reason, error.message)


INSERTED = {
    "table entry": {"table_entry": exact_entry()},
    "member": {"action_profile_member": member(1)},
    "group": {"action_profile_group": group(1)},
    "multicast group": {"packet_replication_engine_entry": multicast(1, replica(b"\1"))},
    "clone session": {"packet_replication_engine_entry": clone(1, replica(b"\1"))},
    "digest": {"digest_entry": digest()},
}


@pytest.mark.parametrize("name", INSERTED)
def test_a_second_insert_already_exists(primary: Client, name: str) -> None:
    primary.write(update(INSERT, **INSERTED[name]))
    [error] = primary.refused(update(INSERT, **INSERTED[name]))
    assert status_code(error.canonical_code) == StatusCode.ALREADY_EXISTS
    assert "use MODIFY" in error.message


@pytest.mark.parametrize("name", INSERTED)
def test_what_was_inserted_can_be_modified_then_deleted_once(primary: Client, name: str) -> None:
    primary.write(update(INSERT, **INSERTED[name]), update(MODIFY, **INSERTED[name]), update(DELETE, **INSERTED[name]))
    [error] = primary.refused(update(DELETE, **INSERTED[name]))
    assert status_code(error.canonical_code) == MISSING


def test_write_error_with_ok_details_between_failures(primary: Client) -> None:
    """A batch that fails, succeeds, fails, succeeds has four details in that order, and what succeeded stays."""
    errors = primary.refused(
        table_write(MODIFY, exact_entry(1)),
        table_write(INSERT, exact_entry(2)),
        table_write(INSERT, exact_entry(2)),
        table_write(INSERT, exact_entry(3)),
    )
    codes = [status_code(error.canonical_code) for error in errors]
    assert codes == [MISSING, StatusCode.OK, StatusCode.ALREADY_EXISTS, StatusCode.OK]
    assert errors[1] == errors[3] == p4r.Error()
    assert len(primary.read(all_entries(table_id=IDS["exact_table"]))) == 2


def test_table_holds_exactly_its_guaranteed_size(primary: Client) -> None:
    primary.write(*(table_write(INSERT, exact_entry(dst)) for dst in range(1, 5)))
    [error] = primary.refused(table_write(INSERT, exact_entry(5)))
    assert status_code(error.canonical_code) == StatusCode.RESOURCE_EXHAUSTED
    assert re.search(r"table IngressImpl.exact_table: entry dst=0x5.*size of 4 entries", error.message)
    primary.write(table_write(DELETE, exact_entry(1)), table_write(INSERT, exact_entry(5)))


def test_action_profile_holds_exactly_its_size(primary: Client) -> None:
    primary.write(*(update(INSERT, action_profile_member=member(id_)) for id_ in range(1, 9)))
    [error] = primary.refused(update(INSERT, action_profile_member=member(9)))
    assert status_code(error.canonical_code) == StatusCode.RESOURCE_EXHAUSTED
    assert "size of 8 members" in error.message


@pytest.mark.parametrize(
    "too_much", [one_shot(b"\1", b"\2"), one_shot(b"\1", weight=2)], ids=["too many members", "too much weight"]
)
def test_one_shots_that_find_no_room_leave_nothing_behind(primary: Client, too_much: p4r.TableAction) -> None:
    seven_ports = [bytes([port]) for port in range(1, 8)]
    primary.write(table_write(INSERT, selector_entry(b"\1", one_shot(*seven_ports))))
    [error] = primary.refused(table_write(INSERT, selector_entry(b"\2", too_much)))
    assert status_code(error.canonical_code) == StatusCode.RESOURCE_EXHAUSTED
    primary.write(table_write(INSERT, selector_entry(b"\2", one_shot(b"\1"))))


def test_deleting_a_one_shot_entry_gives_its_members_back(primary: Client) -> None:
    eight_ports = [bytes([port]) for port in range(1, 9)]
    for _ in range(3):
        primary.write(table_write(INSERT, selector_entry(b"\1", one_shot(*eight_ports))))
        primary.write(table_write(DELETE, selector_entry(b"\1", one_shot())))
    assert primary.read(p4r.Entity(action_profile_member=p4r.ActionProfileMember())) == []


def test_one_shots_and_members_do_not_mix_in_one_profile(primary: Client) -> None:
    primary.write(table_write(INSERT, selector_entry(b"\1", one_shot(b"\1"))))
    errors = primary.refused(
        update(INSERT, action_profile_member=member(1)), update(INSERT, action_profile_group=group(1))
    )
    assert [status_code(error.canonical_code) for error in errors] == [INVALID, INVALID]
    primary.write(
        table_write(DELETE, selector_entry(b"\1", one_shot())), update(INSERT, action_profile_member=member(1))
    )
    [error] = primary.refused(table_write(INSERT, selector_entry(b"\1", one_shot(b"\1"))))
    assert status_code(error.canonical_code) == INVALID


def test_members_and_groups_in_use_can_not_be_deleted(primary: Client) -> None:
    primary.write(
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, action_profile_group=group(1, weighted(1))),
        table_write(INSERT, selector_entry(b"\1", p4r.TableAction(action_profile_group_id=1))),
    )
    errors = primary.refused(
        update(DELETE, action_profile_member=member(1)), update(DELETE, action_profile_group=group(1))
    )
    assert [status_code(error.canonical_code) for error in errors] == [StatusCode.FAILED_PRECONDITION] * 2
    primary.write(
        table_write(DELETE, selector_entry(b"\1", one_shot())),
        update(DELETE, action_profile_group=group(1)),
        update(DELETE, action_profile_member=member(1)),
    )


def test_a_group_lists_a_member_once(primary: Client) -> None:
    primary.write(update(INSERT, action_profile_member=member(1)))
    [error] = primary.refused(update(INSERT, action_profile_group=group(1, weighted(1), weighted(1))))
    assert status_code(error.canonical_code) == INVALID


def test_a_group_keeps_to_the_max_size_it_was_inserted_with(primary: Client) -> None:
    primary.write(
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, action_profile_group=group(1, weighted(1, 2), max_size=2)),
    )
    errors = primary.refused(
        update(MODIFY, action_profile_group=group(1, weighted(1, 2), max_size=3)),
        update(MODIFY, action_profile_group=group(1, weighted(1, 3), max_size=2)),
    )
    codes = [status_code(error.canonical_code) for error in errors]
    assert codes == [INVALID, StatusCode.RESOURCE_EXHAUSTED]


def test_a_weight_can_not_exhaust_memory(primary: Client) -> None:
    primary.write(update(INSERT, action_profile_member=member(1)))
    [error] = primary.refused(update(INSERT, action_profile_group=group(1, weighted(1, 2**31 - 1))))
    assert status_code(error.canonical_code) == StatusCode.RESOURCE_EXHAUSTED
