# SPDX-License-Identifier: Apache-2.0
"""SetForwardingPipelineConfig, GetForwardingPipelineConfig and Capabilities: every action, and who may ask for it."""

from __future__ import annotations

import re

import grpc
import pytest
from finsy.proto import p4i, p4r
from grpc import StatusCode
from p4rt import (
    CONFIG,
    DELETE,
    DEVICE_ID,
    IDS,
    INSERT,
    MODIFY,
    P4INFO,
    PROGRAM_JSON,
    Client,
    all_entries,
    calls,
    digest,
    exact_entry,
    group,
    lpm_entry,
    member,
    multicast,
    one_shot,
    selector_entry,
    update,
    weighted,
)

from softnic.ports import MemoryPort
from softnic.server import P4RuntimeError, P4RuntimeServer
from softnic.switch import Switch

Action = p4r.SetForwardingPipelineConfigRequest
FRAME = bytes(12) + b"\x12\x34" + b"payload"


def refusal(call) -> grpc.Call:
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value  # pyright: ignore[reportReturnType]


def without(**removed: str) -> p4r.ForwardingPipelineConfig:
    """The test program's config, its P4Info without the named object of each kind."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    for kind, name in removed.items():
        items = getattr(config.p4info, kind)
        kept = [item for item in items if item.preamble.name != f"IngressImpl.{name}"]
        assert len(kept) == len(items) - 1
        del items[:]
        items.extend(kept)
    return config


def exact_entries(client: Client) -> list[p4r.Entity]:
    return client.read(all_entries(table_id=IDS["exact_table"]))


# ---- before a pipeline ----------------------------------------------------------------------------------------------


def test_before_a_pipeline_writing_fails_its_precondition(connect) -> None:
    error = refusal(lambda: connect().become_primary().write())
    assert error.code() == StatusCode.FAILED_PRECONDITION
    assert re.search("no .*forwarding pipeline config", error.details())  # what finsy looks for


def test_before_a_pipeline_there_is_no_config_to_get(connect) -> None:
    assert connect().get_config() == p4r.GetForwardingPipelineConfigResponse()


def test_a_program_loaded_without_p4info_forwards_but_has_no_pipeline(switch: Switch, server, connect, ports) -> None:
    server.load_initial(PROGRAM_JSON, None)
    client = connect().become_primary()
    assert refusal(lambda: client.write()).code() == StatusCode.FAILED_PRECONDITION
    client.send(packet=p4r.PacketOut(payload=FRAME))
    assert client.take().error.canonical_code == StatusCode.FAILED_PRECONDITION.value[0]


def test_a_program_loaded_with_p4info_can_be_got_and_written(server: P4RuntimeServer, connect) -> None:
    server.load_initial(PROGRAM_JSON, P4INFO)
    server.write_initial(p4r.WriteRequest(updates=[update(INSERT, table_entry=exact_entry())]))
    client = connect().become_primary()
    assert exact_entries(client) == [p4r.Entity(table_entry=exact_entry())]
    assert not client.get_config().config.HasField("cookie")


def test_initial_updates_that_fail_say_which(server: P4RuntimeServer) -> None:
    server.load_initial(PROGRAM_JSON, P4INFO)
    request = p4r.WriteRequest(updates=[update(INSERT, table_entry=exact_entry()), p4r.Update()])
    with pytest.raises(P4RuntimeError, match=r"updates\[1\]: update type"):
        server.write_initial(request)


@pytest.mark.parametrize("p4info", [None, P4INFO], ids=["without P4Info", "with P4Info"])
def test_an_initial_program_that_is_none_is_refused(server: P4RuntimeServer, p4info: p4i.P4Info | None) -> None:
    with pytest.raises(P4RuntimeError, match="p4_device_config"):
        server.load_initial(b"{}", p4info)


# ---- what is asked of a config --------------------------------------------------------------------------------------


def changed_p4info(change) -> p4r.ForwardingPipelineConfig:
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    change(config.p4info)
    return config


def widen_field(p4info: p4i.P4Info) -> None:
    p4info.tables[0].match_fields[0].bitwidth = 32


def rename_table(p4info: p4i.P4Info) -> None:
    p4info.tables[0].preamble.name = "IngressImpl.other"


def duplicate_id(p4info: p4i.P4Info) -> None:
    p4info.tables[0].preamble.id = p4info.tables[1].preamble.id


def forget_width(p4info: p4i.P4Info) -> None:
    p4info.actions[2].params[0].bitwidth = 0


def resize_counter(p4info: p4i.P4Info) -> None:
    p4info.counters[0].size = 3


def change_match_type(p4info: p4i.P4Info) -> None:
    p4info.tables[1].match_fields[0].match_type = p4i.MatchField.RANGE


def refer_to_nothing(p4info: p4i.P4Info) -> None:
    p4info.tables[0].action_refs[0].id = 1


def forget_digest_member(p4info: p4i.P4Info) -> None:
    del p4info.type_info.structs["learned_t"].members[1]


def forget_digest_type(p4info: p4i.P4Info) -> None:
    del p4info.type_info.structs["learned_t"]


REFUSED = {
    "unset": (None, "config is not set"),
    "no program": (p4r.ForwardingPipelineConfig(p4info=P4INFO), "p4_device_config is empty"),
    "not JSON": (p4r.ForwardingPipelineConfig(p4info=P4INFO, p4_device_config=b"\xff"), "p4_device_config: "),
    "not BMv2 JSON": (p4r.ForwardingPipelineConfig(p4info=P4INFO, p4_device_config=b"[]"), "p4_device_config: "),
    "other widths": (changed_p4info(widen_field), "bits of match field dst: 32 in P4Info, 48 in the JSON"),
    "other table": (changed_p4info(rename_table), "table IngressImpl.other of P4Info is not in the JSON"),
    "id twice": (changed_p4info(duplicate_id), "have the same id"),
    "no width": (changed_p4info(forget_width), "IngressImpl.forward.port has no bitwidth"),
    "other size": (changed_p4info(resize_counter), "counter IngressImpl.port_counter: size: 3"),
    "other match type": (changed_p4info(change_match_type), "match field src is RANGE in P4Info and lpm"),
    "dangling id": (changed_p4info(refer_to_nothing), "refers to id 0x00000001"),
    "other digest": (changed_p4info(forget_digest_member), "digest learned_t: members: 1"),
    "digest of unknown type": (changed_p4info(forget_digest_type), "learned_t: type struct"),
}


@pytest.mark.parametrize("action", [Action.VERIFY, Action.VERIFY_AND_SAVE, Action.VERIFY_AND_COMMIT])
@pytest.mark.parametrize("name", REFUSED)
def test_a_config_that_can_not_be_realised_is_refused_and_changes_nothing(primary: Client, name: str, action) -> None:
    primary.write(update(INSERT, table_entry=exact_entry()))
    config, reason = REFUSED[name]
    error = refusal(lambda: primary.set_config(config, action))
    assert error.code() == StatusCode.INVALID_ARGUMENT
    assert reason in error.details()
    assert len(exact_entries(primary)) == 1
    assert primary.get_config().config == CONFIG


@pytest.mark.parametrize("action", [Action.UNSPECIFIED, 17])
def test_an_action_that_is_unset_or_unknown_is_refused(primary: Client, action) -> None:
    assert refusal(lambda: primary.set_config(CONFIG, action)).code() == StatusCode.INVALID_ARGUMENT


# ---- what each action does ------------------------------------------------------------------------------------------


def test_verify_changes_nothing(primary: Client) -> None:
    primary.write(update(INSERT, table_entry=exact_entry()))
    primary.set_config(CONFIG, Action.VERIFY)
    assert len(exact_entries(primary)) == 1


def test_commit_clears_the_state(primary: Client) -> None:
    primary.write(update(INSERT, table_entry=exact_entry()), update(INSERT, digest_entry=digest()))
    primary.set_config()
    assert exact_entries(primary) == []
    assert primary.read(p4r.Entity(digest_entry=p4r.DigestEntry())) == []


def test_commit_without_a_saved_config_finds_none(primary: Client) -> None:
    assert refusal(lambda: primary.set_config(None, Action.COMMIT)).code() == StatusCode.NOT_FOUND


def test_commit_takes_no_config(primary: Client) -> None:
    primary.set_config(CONFIG, Action.VERIFY_AND_SAVE)
    assert refusal(lambda: primary.set_config(CONFIG, Action.COMMIT)).code() == StatusCode.INVALID_ARGUMENT


def test_writes_after_a_save_reach_the_packets_only_with_the_commit(
    primary: Client, ports: dict[int, MemoryPort], switch: Switch
) -> None:
    drop = p4r.TableEntry(table_id=IDS["lpm_table"], is_default_action=True, action=calls("forward", b"\3"))
    primary.write(update(INSERT, table_entry=exact_entry(9)))
    primary.set_config(CONFIG, Action.VERIFY_AND_SAVE)
    assert exact_entries(primary) == []
    primary.write(update(MODIFY, table_entry=drop), update(INSERT, table_entry=exact_entry(8)))
    ports[0].inject(FRAME)
    assert primary.take().packet.payload == FRAME  # punted, as the running pipeline does
    primary.set_config(None, Action.COMMIT)
    ports[0].inject(FRAME)
    assert ports[3].take() == FRAME
    assert exact_entries(primary) == [p4r.Entity(table_entry=exact_entry(8))]
    assert refusal(lambda: primary.set_config(None, Action.COMMIT)).code() == StatusCode.NOT_FOUND


def test_reconcile_keeps_all_state(primary: Client) -> None:
    primary.write(
        update(INSERT, table_entry=exact_entry(counter_data=p4r.CounterData(packet_count=7), metadata=b"mine")),
        update(INSERT, table_entry=lpm_entry()),
        update(INSERT, action_profile_member=member(1)),
        update(INSERT, action_profile_group=group(1, weighted(1))),
        update(INSERT, table_entry=selector_entry(b"\1", p4r.TableAction(action_profile_group_id=1))),
        update(INSERT, packet_replication_engine_entry=multicast(1, p4r.Replica(port=b"\1"))),
        update(INSERT, digest_entry=digest(max_list_size=5)),
        update(
            MODIFY,
            table_entry=p4r.TableEntry(
                table_id=IDS["keyless_table"], is_default_action=True, action=calls("mark", b"\1"), metadata=b"mine"
            ),
        ),
        update(
            MODIFY,
            counter_entry=p4r.CounterEntry(
                counter_id=IDS["port_counter"], index=p4r.Index(index=1), data=p4r.CounterData(packet_count=5)
            ),
        ),
    )
    everything = [
        all_entries(counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig()),
        all_entries(is_default_action=True),
        p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
        p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
        p4r.Entity(counter_entry=p4r.CounterEntry()),
        p4r.Entity(packet_replication_engine_entry=multicast(0)),
        p4r.Entity(digest_entry=p4r.DigestEntry()),
    ]
    state = primary.read(*everything)
    primary.set_config(CONFIG, Action.RECONCILE_AND_COMMIT)
    assert primary.read(*everything) == state


def test_reconcile_keeps_one_shots(primary: Client) -> None:
    entry = selector_entry(b"\1", one_shot(b"\1", b"\2"))
    primary.write(update(INSERT, table_entry=entry))
    primary.set_config(CONFIG, Action.RECONCILE_AND_COMMIT)
    assert primary.read(all_entries(table_id=IDS["selector_table"])) == [p4r.Entity(table_entry=entry)]


def test_reconcile_that_can_not_keep_the_state_is_refused_and_changes_nothing(
    primary: Client, ports: dict[int, MemoryPort]
) -> None:
    forward = p4r.TableEntry(table_id=IDS["lpm_table"], is_default_action=True, action=calls("forward", b"\3"))
    primary.write(update(INSERT, table_entry=exact_entry()), update(MODIFY, table_entry=forward))
    error = refusal(lambda: primary.set_config(without(tables="exact_table"), Action.RECONCILE_AND_COMMIT))
    assert error.code() == StatusCode.INVALID_ARGUMENT
    assert "has no place in this pipeline" in error.details()
    ports[0].inject(FRAME)
    assert ports[3].take() == FRAME
    primary.write(update(DELETE, table_entry=exact_entry()))
    primary.set_config(without(tables="exact_table"), Action.RECONCILE_AND_COMMIT)
    ports[0].inject(FRAME)
    assert ports[3].take() == FRAME


def test_a_cookie_is_given_back(primary: Client) -> None:
    assert primary.get_config().config.cookie.cookie == 7


@pytest.mark.parametrize(
    ("response_type", "fields"),
    [
        (p4r.GetForwardingPipelineConfigRequest.ALL, {"p4info", "p4_device_config", "cookie"}),
        (p4r.GetForwardingPipelineConfigRequest.COOKIE_ONLY, {"cookie"}),
        (p4r.GetForwardingPipelineConfigRequest.P4INFO_AND_COOKIE, {"p4info", "cookie"}),
        (p4r.GetForwardingPipelineConfigRequest.DEVICE_CONFIG_AND_COOKIE, {"p4_device_config", "cookie"}),
    ],
)
def test_get_gives_what_is_asked_for(primary: Client, response_type, fields: set[str]) -> None:
    config = primary.get_config(response_type).config
    assert {field.name for field, _ in config.ListFields()} == fields
    assert all(getattr(config, name) == getattr(CONFIG, name) for name in fields)


def test_get_refuses_an_unknown_response_type(primary: Client) -> None:
    error = refusal(lambda: primary.get_config(9))  # pyright: ignore[reportArgumentType]
    assert error.code() == StatusCode.INVALID_ARGUMENT


# ---- who may ask ----------------------------------------------------------------------------------------------------


def test_a_backup_may_neither_set_a_pipeline_nor_write(connect, primary: Client) -> None:
    backup = connect(election_id=0)
    backup.bid()
    assert backup.arbitration() == StatusCode.ALREADY_EXISTS
    assert refusal(backup.set_config).code() == StatusCode.PERMISSION_DENIED
    assert refusal(backup.write).code() == StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("election_id", [None, 0, 2, 1 << 64])
def test_another_election_id_than_the_primary_s_is_denied(connect, primary: Client, election_id: int | None) -> None:
    stranger = connect(election_id=election_id)
    assert refusal(stranger.write).code() == StatusCode.PERMISSION_DENIED
    assert refusal(stranger.set_config).code() == StatusCode.PERMISSION_DENIED


def test_without_any_stream_nobody_may_write(connect) -> None:
    assert refusal(connect().set_config).code() == StatusCode.PERMISSION_DENIED


def test_a_role_that_nobody_has_is_not_found(connect, primary: Client) -> None:
    assert refusal(connect(role="other").write).code() == StatusCode.NOT_FOUND


OTHER_DEVICE = {
    "Write": lambda stub: stub.Write(p4r.WriteRequest(device_id=9)),
    "Read": lambda stub: list(stub.Read(p4r.ReadRequest(device_id=9))),
    "Set": lambda stub: stub.SetForwardingPipelineConfig(p4r.SetForwardingPipelineConfigRequest(device_id=9)),
    "Get": lambda stub: stub.GetForwardingPipelineConfig(p4r.GetForwardingPipelineConfigRequest(device_id=9)),
    "Get of device 0": lambda stub: stub.GetForwardingPipelineConfig(p4r.GetForwardingPipelineConfigRequest()),
    "Capabilities": lambda stub: stub.Capabilities(p4r.CapabilitiesRequest(device_id=9)),
}


@pytest.mark.parametrize("rpc", OTHER_DEVICE)
def test_another_device_is_not_found(primary: Client, rpc: str) -> None:
    error = refusal(lambda: OTHER_DEVICE[rpc](primary.stub))
    assert error.code() == StatusCode.NOT_FOUND
    assert f"this is device {DEVICE_ID}" in error.details()


@pytest.mark.parametrize("device_id", [0, DEVICE_ID])
def test_capabilities_tell_the_version(connect, device_id: int) -> None:
    response = connect().stub.Capabilities(p4r.CapabilitiesRequest(device_id=device_id))
    assert response.p4runtime_api_version == "1.5.0"


# ---- the server itself ----------------------------------------------------------------------------------------------


def test_an_address_in_use_is_an_error_that_names_it(switch: Switch) -> None:
    first = P4RuntimeServer(switch, address="127.0.0.1:0")
    port = first.start()
    with pytest.raises(OSError, match="in use") as error:
        P4RuntimeServer(switch, address=f"127.0.0.1:{port}").start()
    assert error.value.filename == f"127.0.0.1:{port}"
    first.stop()


def test_device_id_0_is_refused(switch: Switch) -> None:
    with pytest.raises(ValueError, match="device_id 0"):
        P4RuntimeServer(switch, address="127.0.0.1:0", device_id=0)
