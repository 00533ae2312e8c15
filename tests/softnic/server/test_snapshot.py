# SPDX-License-Identifier: Apache-2.0
"""A copy of a device, made of what can be read from it, holds what the device holds and does what it does."""

from __future__ import annotations

from concurrent import futures

import grpc
import pytest
from finsy.proto import p4r, p4r_grpc
from p4rt import (
    CONFIG,
    CPU_PORT,
    DEVICE_ID,
    IDS,
    INSERT,
    MODIFY,
    P4INFO,
    Client,
    calls,
    exact_entry,
    group,
    lpm,
    lpm_entry,
    member,
    selector_entry,
    ternary,
    ternary_entry,
    update,
    weighted,
)

from softnic.frontend import load_program
from softnic.offline import offline_engine
from softnic.reference import ReferenceEngine
from softnic.snapshot import Snapshot, SnapshotError, take_snapshot

REPLICAS = [p4r.Replica(egress_port=1, instance=1)]
RATES = p4r.MeterConfig(cir=1000, cburst=100, pir=2000, pburst=200)
STATE = [
    update(INSERT, action_profile_member=member(1)),
    update(INSERT, action_profile_member=member(2, b"\3")),
    update(INSERT, action_profile_group=group(7, weighted(1), weighted(2, 2))),
    update(
        INSERT,
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(
            multicast_group_entry=p4r.MulticastGroupEntry(multicast_group_id=3, replicas=REPLICAS)
        ),
    ),
    update(
        INSERT,
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(
            clone_session_entry=p4r.CloneSessionEntry(session_id=3, replicas=REPLICAS)
        ),
    ),
    update(INSERT, table_entry=exact_entry()),
    update(INSERT, table_entry=lpm_entry(lpm(1, b"\2\0\0\0\0\0", 8))),
    update(INSERT, table_entry=ternary_entry(ternary(1, b"\5", b"\x0f"))),
    update(INSERT, table_entry=selector_entry(b"\x09", p4r.TableAction(action_profile_group_id=7))),
    update(
        MODIFY,
        table_entry=p4r.TableEntry(
            table_id=IDS["keyless_table"], is_default_action=True, action=calls("mark", b"\x0b")
        ),
    ),
    update(MODIFY, meter_entry=p4r.MeterEntry(meter_id=IDS["port_meter"], index=p4r.Index(index=2), config=RATES)),
    update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=exact_entry(), config=RATES)),
]


@pytest.fixture
def device(primary: Client) -> Client:
    primary.set_config()
    primary.write(*STATE)
    return primary


def copy(snapshot: Snapshot) -> ReferenceEngine:
    return offline_engine(load_program(snapshot.program_json), snapshot.p4info, snapshot.updates, cpu_port=CPU_PORT)


@pytest.mark.usefixtures("device")
def test_the_program_is_the_one_that_was_set(address: str):
    snapshot = take_snapshot(address, DEVICE_ID)
    assert snapshot.program_json == CONFIG.p4_device_config
    assert snapshot.p4info == P4INFO
    assert snapshot.unread == ()


@pytest.mark.usefixtures("device")
def test_every_update_that_was_written_is_among_those_of_the_snapshot(address: str):
    taken = {item.SerializeToString(deterministic=True) for item in take_snapshot(address, DEVICE_ID).updates}
    written = {item.SerializeToString(deterministic=True) for item in STATE[:10]}
    assert written <= taken


@pytest.mark.usefixtures("device")
@pytest.mark.parametrize(
    ("packet", "port"),
    [
        ("000000000001 020000000001 0800", 3),
        ("000000000009 020000000001 0800", None),
        ("000000000003 040000000001 0800", CPU_PORT),
    ],
    ids=["prefix", "group", "miss"],
)
def test_the_copy_sends_a_packet_where_the_device_sends_it(switch, address, packet, port):
    data = bytes.fromhex(packet)
    with switch.lock:
        assert switch.engine is not None
        expected = switch.engine.process(0, data)
    assert port is None or [output.port for output in expected] == [port]
    assert copy(take_snapshot(address, DEVICE_ID)).process(0, data) == expected


@pytest.mark.usefixtures("server")
def test_a_device_without_a_pipeline_is_named(address: str):
    with pytest.raises(SnapshotError, match=f"{address}: FAILED_PRECONDITION"):
        take_snapshot(address, DEVICE_ID)


@pytest.mark.usefixtures("device")
def test_another_device_id_is_refused_by_the_device(address: str):
    with pytest.raises(SnapshotError, match="NOT_FOUND"):
        take_snapshot(address, DEVICE_ID + 1)


def test_a_device_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SnapshotError, match=r"absent.sock: UNAVAILABLE"):
        take_snapshot(f"unix:{tmp_path}/absent.sock", DEVICE_ID)


class QuirkyDevice(p4r_grpc.P4RuntimeServicer):
    """What BMv2 1.15 does differently: const entries look written, weighted members repeat, registers are closed."""

    def GetForwardingPipelineConfig(self, request, context):  # noqa: N802
        return p4r.GetForwardingPipelineConfigResponse(config=CONFIG)

    def Read(self, request, context):  # noqa: N802
        kinds = {entity.WhichOneof("entity") for entity in request.entities}
        if "register_entry" in kinds:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no registers here")
        entities = []
        if "action_profile_member" in kinds:
            entities = [p4r.Entity(action_profile_member=member(1))] * 3
        elif "table_entry" in kinds and not request.entities[0].table_entry.is_default_action:
            const_entry = p4r.TableEntry(
                table_id=IDS["const_table"],
                match=[ternary(1, b"\x08\0", b"\xff\xff")],
                priority=2,
                action=calls("mark", b"\1"),
            )
            entities = [p4r.Entity(table_entry=const_entry), p4r.Entity(table_entry=lpm_entry())]
        yield p4r.ReadResponse(entities=entities)


def test_the_quirks_of_bmv2_are_seen_through(tmp_path):
    server = grpc.server(futures.ThreadPoolExecutor(1))
    p4r_grpc.add_P4RuntimeServicer_to_server(QuirkyDevice(), server)  # pyright: ignore[reportAbstractUsage] - it only reads
    server.add_insecure_port(f"unix:{tmp_path}/quirky.sock")
    server.start()
    snapshot = take_snapshot(f"unix:{tmp_path}/quirky.sock", DEVICE_ID)
    server.stop(None)
    assert snapshot.unread == ("registers",)
    assert snapshot.updates == (
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, table_entry=lpm_entry()),
    )
    assert [entry.priority for entry in copy(snapshot).entries("IngressImpl.lpm_table")] == [0]
