# SPDX-License-Identifier: Apache-2.0
"""Roles with a config: what each may write, read and hear of (P4Runtime specification 5.2, 12 and 13)."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest
from finsy.proto import p4r, stratum
from grpc import StatusCode
from p4rt import (
    DEVICE_ID,
    IDS,
    INSERT,
    MODIFY,
    Client,
    all_entries,
    counter_write,
    digest,
    exact_entry,
    lpm_entry,
    multicast,
    replica,
    status_code,
    table_write,
    update,
)

from softnic.ports import MemoryPort
from softnic.server import P4RuntimeError
from softnic.server.arbitration import MAX_ROLES, Arbitration

DENIED, ABORTED, OK = StatusCode.PERMISSION_DENIED, StatusCode.ABORTED, StatusCode.OK
FRAME = bytes(11) + b"\x05\x12\x34"


def config(*shared: str, exclusive: tuple[str, ...] = (), **fields) -> stratum.P4RoleConfig:
    return stratum.P4RoleConfig(
        shared_p4_ids=[IDS[name] for name in shared], exclusive_p4_ids=[IDS[name] for name in exclusive], **fields
    )


def bid(role: str, config: stratum.P4RoleConfig | None, election_id: int = 1) -> p4r.MasterArbitrationUpdate:
    message = p4r.MasterArbitrationUpdate(
        device_id=DEVICE_ID, role=p4r.Role(name=role), election_id=p4r.Uint128(low=election_id)
    )
    if config is not None:
        message.role.config.Pack(config)
    return message


@pytest.fixture
def in_role(connect: Callable[..., Client], primary: Client) -> Callable[..., Client]:
    """Makes primaries of a role, beside the one of the default role that has set the pipeline."""

    def make(config: stratum.P4RoleConfig, role: str = "fabric") -> Client:
        client = connect(1, role=role)
        client.send(arbitration=bid(role, config))
        assert client.arbitration() == OK
        return client

    return make


def codes(errors: list[p4r.Error]) -> list[StatusCode]:
    return [status_code(error.canonical_code) for error in errors]


# ---- Write and Read -------------------------------------------------------------------------------------------------


def test_a_role_writes_what_its_config_names_and_nothing_else(in_role) -> None:
    client = in_role(config("exact_table", exclusive=("port_counter",)))
    client.write(table_write(INSERT, exact_entry()), counter_write(MODIFY, 0, packet_count=3))
    [error] = client.refused(table_write(INSERT, lpm_entry()))
    assert status_code(error.canonical_code) == DENIED
    assert f"{IDS['lpm_table']:#010x}" in error.message


OUTSIDE = {
    "direct counter": update(
        MODIFY, direct_counter_entry=p4r.DirectCounterEntry(table_entry=exact_entry(), data=p4r.CounterData())
    ),
    "direct meter": update(MODIFY, direct_meter_entry=p4r.DirectMeterEntry(table_entry=exact_entry())),
    "counter": counter_write(MODIFY, 0, packet_count=1),
    "meter": update(MODIFY, meter_entry=p4r.MeterEntry(meter_id=IDS["port_meter"])),
    "register": update(MODIFY, register_entry=p4r.RegisterEntry(register_id=IDS["last_seen"])),
    "member": update(INSERT, action_profile_member=p4r.ActionProfileMember(action_profile_id=IDS["balancer"])),
    "group": update(INSERT, action_profile_group=p4r.ActionProfileGroup(action_profile_id=IDS["balancer"])),
    "digest": update(INSERT, digest_entry=digest()),
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_no_kind_of_entity_outside_the_role_is_written(in_role, kind: str) -> None:
    assert codes(in_role(config("lpm_table")).refused(OUTSIDE[kind])) == [DENIED]


def test_multicast_groups_belong_to_every_role(in_role) -> None:
    client = in_role(config("lpm_table"))
    client.write(update(INSERT, packet_replication_engine_entry=multicast(1, replica(b"\1"))))


def test_an_update_outside_the_role_fails_alone(in_role) -> None:
    client = in_role(config("exact_table"))
    errors = client.refused(
        table_write(INSERT, exact_entry(1)), table_write(INSERT, lpm_entry()), table_write(INSERT, exact_entry(1))
    )
    assert codes(errors) == [OK, DENIED, StatusCode.ALREADY_EXISTS]


def test_an_update_outside_the_role_fails_the_whole_of_an_atomic_batch(in_role) -> None:
    client = in_role(config("exact_table"))
    errors = client.refused(
        table_write(INSERT, exact_entry()),
        table_write(INSERT, lpm_entry()),
        atomicity=p4r.WriteRequest.ROLLBACK_ON_ERROR,
    )
    assert codes(errors) == [ABORTED, DENIED]
    assert client.read(all_entries(table_id=IDS["exact_table"])) == []


def test_a_role_reads_only_what_is_its_own(in_role, primary: Client) -> None:
    client = in_role(config("exact_table"))
    primary.write(table_write(INSERT, exact_entry()), table_write(INSERT, lpm_entry()))
    request = p4r.ReadRequest(device_id=DEVICE_ID, role="fabric", entities=[all_entries()])
    tables = [entity.table_entry.table_id for response in client.stub.Read(request) for entity in response.entities]
    assert tables == [IDS["exact_table"]]
    assert {IDS["exact_table"], IDS["lpm_table"]} < {e.table_entry.table_id for e in primary.read(all_entries())}


# ---- pipelines, packets and notifications ---------------------------------------------------------------------------


def test_a_role_pushes_a_pipeline_only_if_its_config_lets_it(in_role) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        in_role(config()).set_config()
    assert refusal.value.code() == DENIED
    in_role(config(can_push_pipeline=True), "deployer").set_config()


def test_packet_ins_go_to_the_roles_that_receive_them(in_role, primary: Client, ports: dict[int, MemoryPort]) -> None:
    from_3 = stratum.P4RoleConfig.PacketFilter(metadata_id=1, value=b"\0\3")
    deaf = in_role(config("learned_t"), "deaf")
    listening = in_role(config(receives_packet_ins=True, packet_in_filter=from_3), "listening")
    for port in (2, 3):
        ports[port].inject(FRAME)
    assert [primary.take().packet.metadata[0].value for _ in range(2)] == [b"\2", b"\3"]
    assert listening.take().packet.metadata[0].value == b"\3"
    # The next it hears is what is its own.
    primary.write(update(INSERT, digest_entry=digest(max_list_size=1)))
    ports[1].inject(FRAME)
    assert deaf.take().WhichOneof("update") == "digest"


def test_a_packet_in_that_no_role_receives_is_counted(connect, server, ports: dict[int, MemoryPort]) -> None:
    client = connect(1, role="fabric")
    client.send(arbitration=bid("fabric", config(can_push_pipeline=True, exclusive=("learned_t",))))
    assert client.arbitration() == OK
    client.set_config()
    client.write(update(INSERT, digest_entry=digest(max_list_size=1)))
    ports[1].inject(FRAME)
    # The switch hands over a packet-in before the digest of the same packet.
    assert client.take().WhichOneof("update") == "digest"
    assert server.stats.packet_ins_without_primary == 1
    assert server.stats.packet_ins == 0


def test_idle_notices_tell_a_role_of_its_own_tables(in_role, primary: Client) -> None:
    hears = in_role(config("exact_table"), "hears")
    deaf = in_role(config("lpm_table"), "deaf")
    primary.write(table_write(INSERT, exact_entry(idle_timeout_ns=1)))
    for client in (hears, primary):
        assert client.take().idle_timeout_notification.table_entry[0].table_id == IDS["exact_table"]
    # What comes first is the answer to its next bid: no notice was queued before it.
    deaf.send(arbitration=bid("deaf", config("lpm_table")))
    assert deaf.take().WhichOneof("update") == "arbitration"


def test_a_role_acknowledges_no_digest_of_others(in_role) -> None:
    client = in_role(config("lpm_table"))
    client.send(digest_ack=p4r.DigestListAck(digest_id=IDS["learned_t"], list_id=1))
    assert status_code(client.take().error.canonical_code) == DENIED


# ---- arbitration ----------------------------------------------------------------------------------------------------


@pytest.fixture
def arbitration() -> Arbitration[str]:
    return Arbitration(DEVICE_ID)


def refusal_of(arbitration: Arbitration[str], message: p4r.MasterArbitrationUpdate) -> StatusCode:
    with pytest.raises(P4RuntimeError) as refusal:
        arbitration.update("refused", message)
    return refusal.value.code


def test_all_clients_of_a_role_are_told_its_config(arbitration) -> None:
    message = bid("fabric", config("exact_table"), 5)
    arbitration.update("a", message)
    [(_, told)] = arbitration.update("b", bid("fabric", config("lpm_table"), 4))
    assert told.role.config == message.role.config


def test_a_backup_does_not_change_the_config(arbitration) -> None:
    arbitration.update("a", bid("fabric", config("exact_table"), 5))
    arbitration.update("b", bid("fabric", config("lpm_table"), 4))
    assert arbitration.access("fabric").p4_ids == {IDS["exact_table"]}


def test_a_primary_changes_the_config_with_its_next_bid(arbitration) -> None:
    arbitration.update("a", bid("fabric", config("exact_table")))
    arbitration.update("a", bid("fabric", None))
    assert arbitration.access("fabric").p4_ids is None


def test_a_config_outlives_its_primary(arbitration) -> None:
    arbitration.update("a", bid("fabric", config("exact_table")))
    arbitration.leave("a")
    assert arbitration.access("fabric").p4_ids == {IDS["exact_table"]}


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (config(exclusive=("exact_table",)), config("exact_table")),
        (config("exact_table"), config(exclusive=("exact_table",))),
        (config(exclusive=("exact_table",)), config(exclusive=("exact_table",))),
    ],
)
def test_an_exclusive_object_is_in_no_other_role(arbitration, mine, other) -> None:
    arbitration.update("a", bid("mine", mine))
    assert refusal_of(arbitration, bid("other", other)) == StatusCode.INVALID_ARGUMENT
    arbitration.leave("a")
    arbitration.update("b", bid("other", other))


def test_a_shared_object_may_be_in_several_roles(arbitration) -> None:
    for role in ("a", "b"):
        assert arbitration.update(role, bid(role, config("exact_table")))[0][1].status.code == OK.value[0]


def test_the_default_role_takes_no_config(arbitration) -> None:
    assert refusal_of(arbitration, bid("", config("exact_table"))) == StatusCode.INVALID_ARGUMENT


def test_a_config_that_does_not_parse_is_refused(arbitration) -> None:
    message = bid("fabric", config("exact_table"))
    message.role.config.value = b"\xff"
    assert refusal_of(arbitration, message) == StatusCode.INVALID_ARGUMENT


def test_roles_are_bounded(arbitration) -> None:
    for index in range(MAX_ROLES - 1):  # and the default role
        arbitration.update(index, bid(f"role {index}", None))
    assert refusal_of(arbitration, bid("one more", None)) == StatusCode.RESOURCE_EXHAUSTED
