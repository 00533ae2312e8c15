# SPDX-License-Identifier: Apache-2.0
"""Direct resources of entries and of default entries, and what meters count by colour (tests/p4/resources.p4)."""

from __future__ import annotations

from typing import Any

import pytest
from finsy.proto import p4i, p4r
from google.protobuf import text_format
from grpc import StatusCode
from p4rt import COMPILED, DELETE, INSERT, MODIFY, Client, exact, status_code, update

from softnic.ports import MemoryPort
from softnic.switch import Switch

INVALID, DENIED = StatusCode.INVALID_ARGUMENT, StatusCode.PERMISSION_DENIED
Action = p4r.SetForwardingPipelineConfigRequest

P4INFO = text_format.Parse((COMPILED / "resources.p4info.txtpb").read_text(), p4i.P4Info())
CONFIG = p4r.ForwardingPipelineConfig(p4info=P4INFO, p4_device_config=(COMPILED / "resources.json").read_bytes())
IDS = {
    item.preamble.alias: item.preamble.id for items in (P4INFO.tables, P4INFO.actions, P4INFO.meters) for item in items
}

FRAME_BYTES = 60
NO_COUNTS = p4r.MeterCounterData(green=p4r.CounterData(), yellow=p4r.CounterData(), red=p4r.CounterData())
ONE_FRAME = p4r.MeterConfig(cir=1, cburst=FRAME_BYTES, pir=1, pburst=FRAME_BYTES)
FORWARD = p4r.TableAction(
    action=p4r.Action(action_id=IDS["forward"], params=[p4r.Action.Param(param_id=1, value=b"\2")])
)
EVERYTHING: dict[str, Any] = {
    "counter_data": p4r.CounterData(),
    "meter_config": p4r.MeterConfig(),
    "meter_counter_data": p4r.MeterCounterData(),
}


def entry(**fields: Any) -> p4r.TableEntry:
    return p4r.TableEntry(table_id=IDS["entries"], match=[exact(1, b"\1")], **fields)


def default(table: str = "entries", **fields: Any) -> p4r.TableEntry:
    return p4r.TableEntry(table_id=IDS[table], is_default_action=True, **fields)


def cell(name: str = "three_colors", **fields: Any) -> p4r.MeterEntry:
    return p4r.MeterEntry(meter_id=IDS[name], index=p4r.Index(index=0), **fields)


def frames(count: int) -> p4r.CounterData:
    return p4r.CounterData(packet_count=count, byte_count=count * FRAME_BYTES)


def by_colour(green: int, yellow: int, red: int) -> p4r.MeterCounterData:
    return p4r.MeterCounterData(green=frames(green), yellow=frames(yellow), red=frames(red))


@pytest.fixture
def client(primary: Client) -> Client:
    primary.set_config(CONFIG)
    return primary


@pytest.fixture
def send(switch: Switch, ports: dict[int, MemoryPort]):
    """Send `count` frames of that kind, to cell 0, and wait until each is through."""

    def send(kind: int, count: int = 1) -> None:
        for _ in range(count):
            ports[0].inject(bytes([kind]) + bytes(FRAME_BYTES - 1))
            ports[2 if kind == 1 else 1].take()

    return send


def tables(client: Client, wanted: p4r.TableEntry) -> list[p4r.TableEntry]:
    return [entity.table_entry for entity in client.read(p4r.Entity(table_entry=wanted))]


# ---- default entries ------------------------------------------------------------------------------------------------


def test_a_default_entry_has_a_counter_and_a_meter_as_any_entry(client: Client, send) -> None:
    client.write(update(MODIFY, table_entry=default(action=FORWARD, counter_data=frames(5), meter_config=ONE_FRAME)))
    send(1, 3)
    [read] = tables(client, default(**EVERYTHING))
    assert read == default(
        action=FORWARD, counter_data=frames(8), meter_config=ONE_FRAME, meter_counter_data=by_colour(1, 0, 2)
    )
    assert tables(client, default()) == [default(action=FORWARD)]


def test_a_reset_default_entry_has_the_default_meter_and_goes_on_counting(client: Client, send) -> None:
    client.write(update(MODIFY, table_entry=default(action=FORWARD, meter_config=ONE_FRAME)))
    send(1, 3)
    client.write(update(MODIFY, table_entry=default()))
    [read] = tables(client, default(**EVERYTHING))
    assert not read.HasField("meter_config")
    assert read.counter_data == frames(3)


def test_a_constant_default_entry_is_not_modified_but_its_direct_resources_are(client: Client, send) -> None:
    constant = default("all_packets")
    [error] = client.refused(update(MODIFY, table_entry=default("all_packets", counter_data=frames(1))))
    assert status_code(error.canonical_code) == DENIED
    one_packet = p4r.MeterConfig(cburst=1, pburst=1)
    client.write(
        update(MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=constant, data=frames(7))),
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=constant, config=one_packet)),
    )
    send(0, 2)
    counter, meter = client.read(
        p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=constant)),
        p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry(table_entry=constant, counter_data=NO_COUNTS)),
    )
    assert counter.direct_counter_entry == p4r.DirectCounterEntry(table_entry=constant, data=frames(9))
    assert meter.direct_meter_entry == p4r.DirectMeterEntry(
        table_entry=constant, config=one_packet, counter_data=by_colour(1, 0, 1)
    )


def test_counters_of_all_default_entries_are_read_at_once_and_apart_from_those_of_entries(client: Client, send) -> None:
    client.write(update(INSERT, table_entry=entry(action=FORWARD)))
    send(1)
    send(0, 2)
    every_default = p4r.TableEntry(is_default_action=True)
    read = client.read(
        p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry(table_entry=every_default)),
        p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry()),
    )
    counted = [entity.direct_counter_entry for entity in read]
    defaults = {c.table_entry.table_id: c.data for c in counted if c.table_entry.is_default_action}
    assert defaults == {IDS["entries"]: frames(2), IDS["all_packets"]: frames(3)}
    assert [c for c in counted if not c.table_entry.is_default_action] == [
        p4r.DirectCounterEntry(table_entry=entry(), data=frames(1))
    ]


def test_a_default_entry_takes_no_match(client: Client) -> None:
    key = default(match=[exact(1, b"\1")])
    [error] = client.refused(update(MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=key)))
    assert status_code(error.canonical_code) == INVALID
    assert "no match fields" in error.message


# ---- counts of colours ----------------------------------------------------------------------------------------------


def test_an_entry_s_colours_are_counted_read_when_asked_for_and_cleared(client: Client, send) -> None:
    fresh = entry(action=FORWARD, meter_config=ONE_FRAME, meter_counter_data=NO_COUNTS)
    client.write(update(INSERT, table_entry=fresh))
    send(1, 3)
    assert tables(client, entry(**EVERYTHING)) == [
        entry(action=FORWARD, counter_data=frames(3), meter_config=ONE_FRAME, meter_counter_data=by_colour(1, 0, 2))
    ]
    assert tables(client, entry()) == [entry(action=FORWARD)]
    client.write(update(MODIFY, table_entry=entry(meter_config=ONE_FRAME)))
    assert tables(client, entry(**EVERYTHING))[0].meter_counter_data == by_colour(1, 0, 2)
    client.write(update(MODIFY, table_entry=entry(meter_config=ONE_FRAME, meter_counter_data=p4r.MeterCounterData())))
    assert tables(client, entry(**EVERYTHING))[0].meter_counter_data == NO_COUNTS


def test_an_indirect_meter_marks_yellow_from_its_excess_burst_and_counts_it(client: Client, send) -> None:
    rates = p4r.MeterConfig(cburst=FRAME_BYTES, pburst=FRAME_BYTES, eburst=2 * FRAME_BYTES)
    client.write(update(MODIFY, meter_entry=cell(config=rates)))
    send(0, 5)
    [read] = client.read(p4r.Entity(meter_entry=cell(counter_data=NO_COUNTS)))
    assert read.meter_entry == cell(config=rates, counter_data=by_colour(1, 2, 2))
    assert client.read(p4r.Entity(meter_entry=cell())) == [p4r.Entity(meter_entry=cell(config=rates))]
    client.write(update(MODIFY, meter_entry=cell(counter_data=p4r.MeterCounterData())))
    [read] = client.read(p4r.Entity(meter_entry=cell(counter_data=NO_COUNTS)))
    assert read.meter_entry == cell(counter_data=NO_COUNTS)


@pytest.mark.parametrize(
    "refused",
    [
        update(INSERT, table_entry=entry(action=FORWARD, meter_counter_data=by_colour(1, 0, 0))),
        update(MODIFY, table_entry=default(meter_counter_data=by_colour(0, 1, 0))),
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=default(), counter_data=by_colour(0, 0, 1))),
        update(MODIFY, meter_entry=cell(counter_data=by_colour(0, 0, 1))),
    ],
    ids=["an entry", "a default entry", "a direct meter", "an indirect meter"],
)
def test_counts_of_colours_can_be_cleared_but_not_set(client: Client, refused: p4r.Update) -> None:
    [error] = client.refused(refused)
    assert status_code(error.canonical_code) == INVALID
    assert "cleared, not set" in error.message


def test_an_entry_is_deleted_by_what_was_read_of_it(client: Client, send) -> None:
    client.write(update(INSERT, table_entry=entry(action=FORWARD)))
    send(1)
    [read] = tables(client, entry(**EVERYTHING))
    assert read.meter_counter_data == by_colour(1, 0, 0)
    client.write(update(DELETE, table_entry=read))
    assert tables(client, entry()) == []


@pytest.mark.parametrize(
    ("name", "config"),
    [("two_colors", {"eburst": 1}), ("two_colors", {"pir": 1}), ("three_colors", {"cburst": 1, "pburst": 2})],
)
def test_a_meter_has_the_type_that_the_program_s_annotation_names(client: Client, name: str, config) -> None:
    [error] = client.refused(update(MODIFY, meter_entry=cell(name, config=p4r.MeterConfig(**config))))
    assert status_code(error.canonical_code) == INVALID


# ---- both, kept -----------------------------------------------------------------------------------------------------


STATE = (
    p4r.Entity(table_entry=p4r.TableEntry(**EVERYTHING)),
    p4r.Entity(table_entry=p4r.TableEntry(is_default_action=True, **EVERYTHING)),
    p4r.Entity(meter_entry=p4r.MeterEntry(counter_data=NO_COUNTS)),
)


@pytest.fixture
def used(client: Client, send) -> Client:
    """Everything is configured, and has counted."""
    client.write(
        update(INSERT, table_entry=entry(action=FORWARD, meter_config=ONE_FRAME)),
        update(MODIFY, table_entry=default(meter_config=ONE_FRAME, metadata=b"mine")),
        update(MODIFY, meter_entry=cell(config=ONE_FRAME)),
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=default("all_packets"), config=ONE_FRAME)),
    )
    send(1, 2)
    send(0, 3)
    return client


def test_a_batch_that_fails_leaves_all_counts_as_they_were(used: Client) -> None:
    before = used.read(*STATE)
    constant = default("all_packets")
    errors = used.refused(
        update(DELETE, table_entry=entry()),
        update(MODIFY, table_entry=default(counter_data=frames(9), meter_counter_data=NO_COUNTS)),
        update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=constant, counter_data=NO_COUNTS)),
        update(MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=constant, data=frames(1))),
        update(MODIFY, meter_entry=p4r.MeterEntry(meter_id=IDS["three_colors"], counter_data=NO_COUNTS)),
        update(DELETE, table_entry=entry()),
        atomicity=p4r.WriteRequest.ROLLBACK_ON_ERROR,
    )
    assert status_code(errors[-1].canonical_code) == StatusCode.NOT_FOUND
    assert used.read(*STATE) == before


def test_reconcile_keeps_all_counts(used: Client) -> None:
    before = used.read(*STATE)
    used.set_config(CONFIG, Action.RECONCILE_AND_COMMIT)
    assert used.read(*STATE) == before
