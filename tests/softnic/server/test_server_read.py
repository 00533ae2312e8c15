# SPDX-License-Identifier: Apache-2.0
"""Read: what was written comes back as it was written, in canonical form; filters select; answers come in chunks."""

from __future__ import annotations

import re
from typing import Any

import grpc
import pytest
from finsy.proto import p4d, p4r
from grpc import StatusCode
from p4rt import (
    DEVICE_ID,
    IDS,
    INSERT,
    MODIFY,
    Client,
    action,
    all_entries,
    calls,
    clone,
    digest,
    errors_of,
    exact,
    exact_entry,
    group,
    lpm,
    lpm_entry,
    member,
    multicast,
    one_shot,
    optional,
    range_,
    selector_entry,
    status_code,
    ternary,
    ternary_entry,
    update,
    weighted,
)


def read_tables(client: Client, **fields: Any) -> list[p4r.TableEntry]:
    return [entity.table_entry for entity in client.read(all_entries(**fields))]


WRITTEN = {
    "exact": {"table_entry": exact_entry(metadata=b"mine", controller_metadata=5, idle_timeout_ns=10**15)},
    "lpm": {"table_entry": lpm_entry(lpm(1, b"\x0a\0\0\0\0\0", 8))},
    "lpm without a field": {"table_entry": lpm_entry()},
    "ternary": {
        "table_entry": ternary_entry(ternary(1, b"\0", b"\1"), range_(2, b"\0", b"\1"), optional(3, b"\1\xff"))
    },
    "ternary with exact only": {"table_entry": ternary_entry()},
    "optional zero": {"table_entry": ternary_entry(optional(3, b"\0"))},
    "one-shot": {"table_entry": selector_entry(b"\1", one_shot(b"\1", b"\1", b"\2", weight=2))},
    "member": {"action_profile_member": member(7)},
    "group": {"action_profile_group": group(7, max_size=3)},
    "multicast": {
        "packet_replication_engine_entry": multicast(
            7, p4r.Replica(port=b"\1", instance=1), p4r.Replica(egress_port=1, instance=2), metadata=b"mine"
        )
    },
    "clone": {
        "packet_replication_engine_entry": clone(7, p4r.Replica(port=b"\1"), class_of_service=1, packet_length_bytes=64)
    },
    "digest": {"digest_entry": digest(max_timeout_ns=1, max_list_size=2, ack_timeout_ns=3)},
}


@pytest.mark.parametrize("name", WRITTEN)
def test_an_entity_is_read_as_it_was_written(primary: Client, name: str) -> None:
    entity = p4r.Entity(**WRITTEN[name])
    primary.write(update(INSERT, **WRITTEN[name]))
    if name in ("lpm without a field", "ternary with exact only"):
        entity.table_entry.ClearField("action")  # a filter, where an empty match would read all
        assert [e.table_entry.match for e in primary.read(entity)] == [entity.table_entry.match]
    elif name == "one-shot":
        key = p4r.TableEntry(table_id=entity.table_entry.table_id, match=entity.table_entry.match)
        assert primary.read(p4r.Entity(table_entry=key)) == [entity]
    else:
        wildcard = p4r.Entity(**{kind: type(value)() for kind, value in WRITTEN[name].items()})
        if kind := entity.packet_replication_engine_entry.WhichOneof("type"):
            getattr(wildcard.packet_replication_engine_entry, kind).SetInParent()
        read_back = [e for e in primary.read(wildcard) if not e.table_entry.is_const]
        assert read_back == [entity]


def test_group_members_come_back_with_weight_and_watch_port(primary: Client) -> None:
    written = group(1, weighted(1, 2, watch_port=b"\1"), weighted(2))
    primary.write(
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, action_profile_member=member(2)),
        update(INSERT, action_profile_group=written),
    )
    assert primary.read(p4r.Entity(action_profile_group=group(1))) == [p4r.Entity(action_profile_group=written)]


def test_leading_zeros_are_accepted_and_the_shortest_string_is_given_back(primary: Client) -> None:
    entry = lpm_entry(lpm(1, b"\0\0\0\x0a\0\0\0\0\0", 8), action=calls("forward", b"\0\0\0"))
    primary.write(update(INSERT, table_entry=entry))
    [read_back] = read_tables(primary, table_id=IDS["lpm_table"])
    assert read_back.match[0].lpm.value == b"\x0a\0\0\0\0\0"
    assert read_back.action.action.params[0].value == b"\0"


def test_zero_is_one_zero_byte(primary: Client) -> None:
    primary.write(update(INSERT, table_entry=exact_entry(256)))
    [entry] = read_tables(primary, table_id=IDS["exact_table"])
    assert [field.exact.value for field in entry.match] == [b"\1\0", b"\0"]


# ---- table filters --------------------------------------------------------------------------------------------------


@pytest.fixture
def filled(primary: Client) -> Client:
    primary.write(
        update(INSERT, table_entry=ternary_entry(optional(3, b"\1"), priority=1, metadata=b"a")),
        update(INSERT, table_entry=ternary_entry(optional(3, b"\1"), priority=2, metadata=b"b")),
        update(INSERT, table_entry=ternary_entry(priority=2, action=calls("NoAction"), controller_metadata=9)),
    )
    return primary


@pytest.mark.parametrize(
    ("selected", "fields"),
    [
        (3, {}),
        (1, {"priority": 1}),
        (2, {"priority": 2}),
        (0, {"priority": 3}),
        (1, {"metadata": b"a"}),
        (1, {"controller_metadata": 9}),
        (1, {"action": calls("NoAction")}),
        (2, {"match": [optional(3, b"\1"), exact(4, b"\x09")]}),
        (1, {"match": [optional(3, b"\1"), exact(4, b"\x09")], "priority": 2}),
        (0, {"match": [optional(3, b"\1"), exact(4, b"\x09")], "priority": 1, "metadata": b"b"}),
        (0, {"match": [optional(3, b"\1"), exact(4, b"\x08")], "priority": 1}),
    ],
)
def test_a_table_is_filtered_by_what_the_request_sets(filled: Client, selected: int, fields: dict) -> None:
    assert len(read_tables(filled, table_id=IDS["ternary_table"], **fields)) == selected


def test_table_id_0_reads_all_tables_with_the_constant_ones(filled: Client) -> None:
    filled.write(update(INSERT, table_entry=exact_entry()))
    entries = read_tables(filled)
    assert {entry.table_id for entry in entries} == {IDS[t] for t in ("ternary_table", "exact_table", "const_table")}
    assert [(e.priority, e.is_const) for e in entries if e.table_id == IDS["const_table"]] == [(2, True), (1, True)]


def test_default_entries_are_read_only_when_asked_for(primary: Client) -> None:
    assert read_tables(primary, table_id=IDS["lpm_table"]) == []
    [default] = read_tables(primary, table_id=IDS["lpm_table"], is_default_action=True)
    assert default == p4r.TableEntry(table_id=IDS["lpm_table"], is_default_action=True, action=calls("NoAction"))


def test_a_default_entry_is_modified_and_reset(primary: Client) -> None:
    table = {"table_id": IDS["keyless_table"], "is_default_action": True}
    initial = read_tables(primary, **table)
    changed = p4r.TableEntry(**table, action=calls("mark", b"\1"), metadata=b"mine")
    primary.write(update(MODIFY, table_entry=changed))
    assert read_tables(primary, **table) == [changed]
    primary.write(update(MODIFY, table_entry=p4r.TableEntry(**table)))
    assert read_tables(primary, **table) == initial


def test_direct_resources_and_idle_time_are_given_only_when_asked_for(primary: Client) -> None:
    rates = p4r.MeterConfig(cir=1, cburst=2, pir=3, pburst=4)
    count = p4r.CounterData(packet_count=5, byte_count=6)
    primary.write(update(INSERT, table_entry=exact_entry(meter_config=rates, counter_data=count)))
    [plain] = read_tables(primary, table_id=IDS["exact_table"])
    assert plain == exact_entry()
    [full] = read_tables(
        primary,
        table_id=IDS["exact_table"],
        counter_data=p4r.CounterData(),
        meter_config=p4r.MeterConfig(),
        time_since_last_hit=p4r.TableEntry.IdleTimeout(),
    )
    assert full.time_since_last_hit.elapsed_ns > 0
    full.ClearField("time_since_last_hit")
    assert full == exact_entry(meter_config=rates, counter_data=count)


def test_a_modify_without_meter_config_resets_the_meter_and_keeps_the_count(primary: Client) -> None:
    count = p4r.CounterData(packet_count=5)
    primary.write(
        update(INSERT, table_entry=exact_entry(meter_config=p4r.MeterConfig(pir=1), counter_data=count)),
        update(MODIFY, table_entry=exact_entry()),
    )
    [entry] = read_tables(
        primary, table_id=IDS["exact_table"], counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig()
    )
    assert entry == exact_entry(counter_data=count)


def test_a_modify_without_action_changes_only_direct_resources(primary: Client) -> None:
    primary.write(
        update(INSERT, table_entry=exact_entry(metadata=b"mine")),
        update(MODIFY, table_entry=exact_entry(action=None, counter_data=p4r.CounterData(packet_count=5))),
    )
    [entry] = read_tables(primary, table_id=IDS["exact_table"], counter_data=p4r.CounterData())
    assert entry == exact_entry(metadata=b"mine", counter_data=p4r.CounterData(packet_count=5))


# ---- direct and indirect resources by themselves --------------------------------------------------------------------


def test_direct_counters_and_meters_are_modified_and_read_by_their_entry(primary: Client) -> None:
    key = exact_entry(action=None)
    counter = p4r.DirectCounterEntry(table_entry=key, data=p4r.CounterData(packet_count=1, byte_count=64))
    meter = p4r.DirectMeterEntry(table_entry=key, config=p4r.MeterConfig(cir=1, cburst=1, pir=2, pburst=2))
    primary.write(
        update(INSERT, table_entry=exact_entry()),
        update(MODIFY, direct_counter_entry=counter),
        update(MODIFY, direct_meter_entry=meter),
    )
    expected = [p4r.Entity(direct_counter_entry=counter), p4r.Entity(direct_meter_entry=meter)]
    assert (
        primary.read(
            p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=key)),
            p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=key)),
        )
        == expected
    )
    assert (
        primary.read(
            p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry()),
            p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry()),
        )
        == expected
    )


def test_one_cell_or_a_whole_array_is_written_and_read(primary: Client) -> None:
    counter_id = IDS["port_counter"]
    all_ones = p4r.CounterEntry(counter_id=counter_id, data=p4r.CounterData(packet_count=1))
    one_five = p4r.CounterEntry(counter_id=counter_id, index=p4r.Index(index=3), data=p4r.CounterData(packet_count=5))
    primary.write(update(MODIFY, counter_entry=all_ones), update(MODIFY, counter_entry=one_five))
    cells = [e.counter_entry for e in primary.read(p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=counter_id)))]
    assert [cell.index.index for cell in cells] == list(range(16))
    assert [cell.data.packet_count for cell in cells] == [5 if index == 3 else 1 for index in range(16)]
    assert primary.read(p4r.Entity(counter_entry=one_five)) == [p4r.Entity(counter_entry=one_five)]


def test_a_meter_without_config_is_reset(primary: Client) -> None:
    cell = {"meter_id": IDS["port_meter"], "index": p4r.Index(index=2)}
    written = p4r.MeterEntry(**cell, config=p4r.MeterConfig(cir=1, cburst=1, pir=2, pburst=2))
    primary.write(update(MODIFY, meter_entry=written))
    assert primary.read(p4r.Entity(meter_entry=p4r.MeterEntry(**cell))) == [p4r.Entity(meter_entry=written)]
    primary.write(update(MODIFY, meter_entry=p4r.MeterEntry(**cell)))
    assert primary.read(p4r.Entity(meter_entry=p4r.MeterEntry(**cell))) == [
        p4r.Entity(meter_entry=p4r.MeterEntry(**cell))
    ]


@pytest.mark.parametrize(
    ("name", "written", "canonical"),
    [
        ("last_seen", b"\0\0\0\0\7", b"\7"),
        ("last_seen", b"\xff\xff\xff\xff", b"\xff\xff\xff\xff"),
        ("balance", b"\xff\xff\xff", b"\xff"),
        ("balance", b"\xf8\0", b"\xf8\0"),
        ("balance", b"\x07\xff", b"\x07\xff"),
        ("balance", b"\0\x80", b"\0\x80"),
    ],
)
def test_registers_are_written_and_read(primary: Client, name: str, written: bytes, canonical: bytes) -> None:
    cell = {"register_id": IDS[name], "index": p4r.Index(index=1)}
    entry = p4r.RegisterEntry(**cell, data=p4d.P4Data(bitstring=written))
    primary.write(update(MODIFY, register_entry=entry))
    [entity] = primary.read(p4r.Entity(register_entry=p4r.RegisterEntry(**cell)))
    assert entity.register_entry.data == p4d.P4Data(bitstring=canonical)


def test_a_register_array_is_written_and_read_as_a_whole(primary: Client) -> None:
    entry = p4r.RegisterEntry(register_id=IDS["last_seen"], data=p4d.P4Data(bitstring=b"\7"))
    primary.write(update(MODIFY, register_entry=entry))
    entities = primary.read(p4r.Entity(register_entry=p4r.RegisterEntry(register_id=IDS["last_seen"])))
    assert [entity.register_entry.data.bitstring for entity in entities] == [b"\7"] * 16


# ---- refusals, batches, chunks --------------------------------------------------------------------------------------

REFUSED = {
    "entity unset": (p4r.Entity(), StatusCode.INVALID_ARGUMENT, "entity is not set"),
    "filter without a table": (all_entries(priority=1), StatusCode.INVALID_ARGUMENT, "table_id is not set"),
    "table unknown": (all_entries(table_id=1), StatusCode.INVALID_ARGUMENT, "table id"),
    "counter of a table without": (
        all_entries(table_id=IDS["lpm_table"], counter_data=p4r.CounterData()),
        StatusCode.INVALID_ARGUMENT,
        "no direct counter",
    ),
    "idle time of a table without": (
        all_entries(table_id=IDS["lpm_table"], time_since_last_hit=p4r.TableEntry.IdleTimeout()),
        StatusCode.INVALID_ARGUMENT,
        "no idle timeout",
    ),
    "action parameters": (
        all_entries(table_id=IDS["lpm_table"], action=calls("forward", b"\1")),
        StatusCode.UNIMPLEMENTED,
        "action id only",
    ),
    "action of another table": (
        all_entries(table_id=IDS["lpm_table"], action=p4r.TableAction(action=action("meter_and_forward"))),
        StatusCode.INVALID_ARGUMENT,
        "not one of its actions",
    ),
    "direct counter of a missing entry": (
        p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=exact_entry())),
        StatusCode.NOT_FOUND,
        "is not there",
    ),
    "index beyond": (
        p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=IDS["port_counter"], index=p4r.Index(index=16))),
        StatusCode.OUT_OF_RANGE,
        "beyond the size 16",
    ),
    "index negative": (
        p4r.Entity(register_entry=p4r.RegisterEntry(register_id=IDS["last_seen"], index=p4r.Index(index=-1))),
        StatusCode.INVALID_ARGUMENT,
        "negative",
    ),
    "extern": (p4r.Entity(extern_entry=p4r.ExternEntry()), StatusCode.UNIMPLEMENTED, "externs"),
    "replication type unset": (
        p4r.Entity(packet_replication_engine_entry=p4r.PacketReplicationEngineEntry()),
        StatusCode.INVALID_ARGUMENT,
        "type is not set",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_read_that_makes_no_sense_gets_its_code_and_a_message_that_says_why(primary: Client, name: str) -> None:
    request, code, reason = REFUSED[name]
    [error] = errors_of(lambda: primary.read(request))
    assert status_code(error.canonical_code) == code
    assert re.search(reason, error.message)


def test_a_batch_with_a_refused_request_still_answers_the_others(primary: Client) -> None:
    primary.write(update(INSERT, table_entry=exact_entry()))
    requests = [all_entries(table_id=IDS["exact_table"]), p4r.Entity(), all_entries(table_id=IDS["exact_table"])]
    answers: list[p4r.Entity] = []

    def read_all() -> None:
        for response in primary.stub.Read(p4r.ReadRequest(device_id=DEVICE_ID, entities=requests)):
            answers.extend(response.entities)

    errors = errors_of(read_all)
    assert [status_code(error.canonical_code) for error in errors] == [
        StatusCode.OK,
        StatusCode.INVALID_ARGUMENT,
        StatusCode.OK,
    ]
    assert answers == [p4r.Entity(table_entry=exact_entry())] * 2


def test_an_entry_that_is_not_there_is_no_error(primary: Client) -> None:
    assert primary.read(p4r.Entity(table_entry=exact_entry(action=None))) == []


def test_answers_come_in_chunks(primary: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softnic.server.read.CHUNK_BYTES", 100)
    primary.write(*(update(INSERT, table_entry=exact_entry(dst)) for dst in range(1, 5)))
    request = p4r.ReadRequest(device_id=DEVICE_ID, entities=[all_entries(table_id=IDS["exact_table"])])
    responses = list(primary.stub.Read(request))
    assert [len(response.entities) for response in responses] == [3, 1]


def test_reading_needs_no_stream_but_a_pipeline(connect, primary: Client) -> None:
    stranger = connect()
    primary.write(update(INSERT, table_entry=exact_entry()))
    assert len(stranger.read(all_entries(table_id=IDS["exact_table"]))) == 1


def test_reading_before_a_pipeline_fails_its_precondition(connect) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        connect().read(all_entries())
    assert refusal.value.code() == StatusCode.FAILED_PRECONDITION
