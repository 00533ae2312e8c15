# SPDX-License-Identifier: Apache-2.0
"""gNMI beside P4Runtime: finsy's client and bare stubs list the ports, follow them, and disable and enable them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import finsy as fy
import grpc
import pytest
from finsy.proto import gnmi, gnmi_grpc
from grpc import StatusCode
from p4rt import CPU_PORT, TIMEOUT_S, Client
from test_server_finsy import OPTIONS, run

from softnic.gnmi import MAX_SUBSCRIPTIONS
from softnic.ports import MemoryPort
from softnic.server import P4RuntimeServer
from softnic.switch import Switch

INTERFACES = fy.GNMIPath("interfaces/interface[name=*]")
PORT_1 = fy.GNMIPath("interfaces/interface[name=port1]")
ENABLED, OPER_STATUS, COUNTERS = PORT_1 / "config/enabled", PORT_1 / "state/oper-status", PORT_1 / "state/counters"
FRAME = bytes(11) + b"\x05\x12\x34"


@pytest.fixture
def stub(server: P4RuntimeServer, address: str) -> Iterator[gnmi_grpc.gNMIStub]:
    with grpc.insecure_channel(address) as channel:
        yield gnmi_grpc.gNMIStub(channel)


def get(stub: gnmi_grpc.gNMIStub, *paths: fy.GNMIPath, **fields) -> list[gnmi.Update]:
    fields.setdefault("encoding", gnmi.PROTO)
    response = stub.Get(gnmi.GetRequest(path=[path.path for path in paths], **fields))
    return [update for notification in response.notification for update in notification.update]


def values(updates: list[gnmi.Update]) -> dict[str, bool | int | str]:
    return {
        str(fy.GNMIPath(update.path)): getattr(update.val, str(update.val.WhichOneof("value"))) for update in updates
    }


def enable(stub: gnmi_grpc.gNMIStub, enabled: bool) -> None:
    stub.Set(gnmi.SetRequest(update=[gnmi.Update(path=ENABLED.path, val=gnmi.TypedValue(bool_val=enabled))]))


def refusal(call) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refused:
        call()
    return refused.value


# ---- finsy ----------------------------------------------------------------------------------------------------------


def test_finsy_lists_the_ports_by_their_p4runtime_numbers(server: P4RuntimeServer, address: str) -> None:
    async def story(switch: fy.Switch) -> None:
        assert {(port.id, port.name, port.up) for port in switch.ports} == {
            (number, f"port{number}", True) for number in range(4)
        }

    run(address, story, replace(OPTIONS))


def test_finsy_is_told_when_a_port_goes_down_and_up(server: P4RuntimeServer, address: str) -> None:
    async def story() -> None:
        async with asyncio.timeout(TIMEOUT_S), fy.GNMIClient(address) as client:
            subscription = client.subscribe()
            subscription.on_change(OPER_STATUS)
            assert [update.value async for update in subscription.synchronize()] == ["UP"]
            updates = subscription.updates()
            for enabled, status in ((False, "DOWN"), (True, "UP")):
                await client.set(update=[(ENABLED, enabled)])
                assert (await anext(updates)).value == status
            subscription.cancel()

    asyncio.run(story())


# ---- Capabilities and Get -------------------------------------------------------------------------------------------


def test_capabilities_name_models_and_encodings(stub) -> None:
    response = stub.Capabilities(gnmi.CapabilityRequest())
    assert "openconfig-interfaces" in [model.name for model in response.supported_models]
    assert set(response.supported_encodings) == {gnmi.PROTO, gnmi.JSON, gnmi.JSON_IETF}
    assert response.gNMI_version.startswith("0.")


def test_a_port_has_these_leaves(stub) -> None:
    root = "interfaces/interface[name=port1]"
    assert values(get(stub, PORT_1)) == {
        f"{root}/name": "port1",
        f"{root}/config/name": "port1",
        f"{root}/config/enabled": True,
        f"{root}/config/id": 1,
        f"{root}/state/name": "port1",
        f"{root}/state/enabled": True,
        f"{root}/state/id": 1,
        f"{root}/state/ifindex": 1,
        f"{root}/state/admin-status": "UP",
        f"{root}/state/oper-status": "UP",
        f"{root}/state/counters/in-pkts": 0,
        f"{root}/state/counters/in-octets": 0,
        f"{root}/state/counters/in-discards": 0,
        f"{root}/state/counters/out-pkts": 0,
        f"{root}/state/counters/out-octets": 0,
        f"{root}/state/counters/out-discards": 0,
    }


def test_counters_count_frames(stub, primary: Client, ports: dict[int, MemoryPort]) -> None:
    ports[1].inject(FRAME)
    assert primary.take().WhichOneof("update") == "packet"
    counts = values(get(stub, COUNTERS))
    assert counts[str(COUNTERS / "in-pkts")] == 1
    assert counts[str(COUNTERS / "in-octets")] == len(FRAME)


@pytest.mark.parametrize(
    ("data_type", "containers"),
    [(gnmi.GetRequest.ALL, {"name", "config", "state"}), (gnmi.GetRequest.CONFIG, {"config"}),
     (gnmi.GetRequest.STATE, {"state"}), (gnmi.GetRequest.OPERATIONAL, {"state"})],
)  # fmt: skip
def test_a_client_may_ask_for_config_or_state_only(stub, data_type: int, containers: set[str]) -> None:
    assert {update.path.elem[2].name for update in get(stub, INTERFACES, type=data_type)} == containers


def test_a_prefix_is_put_before_and_its_target_given_back(stub) -> None:
    prefix = gnmi.Path(elem=PORT_1.path.elem, target="nic")
    request = gnmi.GetRequest(prefix=prefix, path=[fy.GNMIPath("state/oper-status").path], encoding=gnmi.PROTO)
    [notification] = stub.Get(request).notification
    assert notification.prefix.target == "nic"
    assert notification.update[0].path == OPER_STATUS.path


@pytest.mark.parametrize(
    ("encoding", "field", "count"), [(gnmi.JSON, "json_val", 0), (gnmi.JSON_IETF, "json_ietf_val", "0")]
)
def test_values_come_in_json_too(stub, encoding: int, field: str, count: object) -> None:
    counter, status = get(stub, COUNTERS / "in-pkts", OPER_STATUS, encoding=encoding)
    assert json.loads(getattr(counter.val, field)) == count
    assert json.loads(getattr(status.val, field)) == "UP"


GET_REFUSED = {
    "another port": (PORT_1.set(name="port9"), {}, StatusCode.NOT_FOUND),
    "another leaf": (PORT_1 / "state/mtu", {}, StatusCode.NOT_FOUND),
    "another tree": (fy.GNMIPath("system"), {}, StatusCode.NOT_FOUND),
    "another encoding": (PORT_1, {"encoding": gnmi.ASCII}, StatusCode.UNIMPLEMENTED),
    "another model": (PORT_1, {"use_models": [gnmi.ModelData(name="other")]}, StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("name", GET_REFUSED)
def test_a_get_is_refused_for(stub, name: str) -> None:
    path, fields, code = GET_REFUSED[name]
    assert refusal(lambda: get(stub, path, **fields)).code() == code


def test_a_switch_without_ports_lists_none(tmp_path) -> None:
    switch = Switch(cpu_port=CPU_PORT)
    server = P4RuntimeServer(switch, address=f"unix:{tmp_path}/empty.sock")
    server.start()
    with grpc.insecure_channel(f"unix:{tmp_path}/empty.sock") as channel:
        assert get(gnmi_grpc.gNMIStub(channel), INTERFACES / "state/ifindex") == []
    server.stop()
    switch.stop()


# ---- Set ------------------------------------------------------------------------------------------------------------


def test_a_disabled_port_drops_and_counts_what_comes_and_goes(
    stub, primary: Client, ports: dict[int, MemoryPort]
) -> None:
    enable(stub, False)
    ports[1].inject(FRAME)
    ports[2].inject(FRAME)
    assert primary.take().packet.metadata[0].value == b"\2"  # and not of port 1
    for port in (b"\1", b"\2"):
        send = {"payload": FRAME, "metadata": [{"metadata_id": 1, "value": port}, {"metadata_id": 2, "value": b"\0"}]}
        primary.send(packet=send)
    assert ports[2].take() == FRAME
    counts = values(get(stub, COUNTERS))
    assert counts[str(COUNTERS / "in-discards")] == counts[str(COUNTERS / "out-discards")] == 1
    enable(stub, True)
    ports[1].inject(FRAME)
    assert primary.take().packet.metadata[0].value == b"\1"


@pytest.mark.parametrize(
    "value",
    [gnmi.TypedValue(bool_val=False), gnmi.TypedValue(json_val=b"false"), gnmi.TypedValue(json_ietf_val=b"false")],
    ids=["bool", "json", "json_ietf"],
)
@pytest.mark.parametrize("operation", ["update", "replace"])
def test_enabled_can_be_set(stub, operation: str, value: gnmi.TypedValue) -> None:
    request = gnmi.SetRequest()
    getattr(request, operation).add(path=ENABLED.path, val=value)
    response = stub.Set(request)
    assert [result.path for result in response.response] == [ENABLED.path]
    admin_status = PORT_1 / "state/admin-status"
    assert values(get(stub, ENABLED, admin_status)) == {str(ENABLED): False, str(admin_status): "DOWN"}


def test_a_deleted_setting_is_its_default_again(stub) -> None:
    enable(stub, False)
    stub.Set(gnmi.SetRequest(delete=[ENABLED.path]))
    assert values(get(stub, ENABLED)) == {str(ENABLED): True}


OFF = gnmi.TypedValue(bool_val=False)
SET_REFUSED = {
    "state": (gnmi.Update(path=OPER_STATUS.path, val=OFF), StatusCode.NOT_FOUND),
    "another port": (gnmi.Update(path=ENABLED.set(name="port9").path, val=OFF), StatusCode.NOT_FOUND),
    "every port": (gnmi.Update(path=ENABLED.set(name="*").path, val=OFF), StatusCode.NOT_FOUND),
    "a number": (gnmi.Update(path=ENABLED.path, val=gnmi.TypedValue(uint_val=1)), StatusCode.INVALID_ARGUMENT),
    "no value": (gnmi.Update(path=ENABLED.path), StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("name", SET_REFUSED)
def test_a_set_is_refused_as_a_whole_for(stub, name: str) -> None:
    update, code = SET_REFUSED[name]
    good = gnmi.Update(path=ENABLED.path, val=OFF)
    assert refusal(lambda: stub.Set(gnmi.SetRequest(update=[good, update]))).code() == code
    assert values(get(stub, ENABLED)) == {str(ENABLED): True}


# ---- Subscribe ------------------------------------------------------------------------------------------------------


def subscription(list_mode: int, *paths: fy.GNMIPath, updates_only: bool = False, **fields) -> gnmi.SubscribeRequest:
    subscriptions = [gnmi.Subscription(path=path.path, **fields) for path in paths]
    wanted = gnmi.SubscriptionList(
        mode=list_mode,  # pyright: ignore[reportArgumentType]
        subscription=subscriptions,
        encoding=gnmi.PROTO,
        updates_only=updates_only,
    )
    return gnmi.SubscribeRequest(subscribe=wanted)


POLL = gnmi.SubscribeRequest(poll=gnmi.Poll())


def kinds(responses) -> list[str | None]:
    return [response.WhichOneof("response") for response in responses]


def test_once_sends_each_path_and_ends(stub) -> None:
    responses = stub.Subscribe(iter([subscription(gnmi.SubscriptionList.ONCE, OPER_STATUS, COUNTERS)]))
    assert kinds(responses) == ["update", "update", "sync_response"]


def test_a_poll_is_answered_with_what_is_now(stub) -> None:
    responses = stub.Subscribe(iter([subscription(gnmi.SubscriptionList.POLL, OPER_STATUS), POLL, POLL]))
    assert kinds(responses) == ["update", "sync_response"] * 2


def test_updates_only_leaves_out_what_is_there_already(stub) -> None:
    responses = stub.Subscribe(
        iter([subscription(gnmi.SubscriptionList.STREAM, OPER_STATUS, updates_only=True, mode=gnmi.ON_CHANGE)])
    )
    assert next(responses).sync_response
    enable(stub, False)
    assert values(next(responses).update.update) == {str(OPER_STATUS): "DOWN"}
    responses.cancel()


def test_samples_keep_coming(stub) -> None:
    responses = stub.Subscribe(iter([subscription(gnmi.SubscriptionList.STREAM, COUNTERS, mode=gnmi.SAMPLE)]))
    assert kinds(next(responses) for _ in range(4)) == ["update", "sync_response", "update", "update"]
    responses.cancel()


SUBSCRIBE_REFUSED = {
    "a poll first": ([POLL], StatusCode.INVALID_ARGUMENT),
    "nothing": ([], StatusCode.INVALID_ARGUMENT),
    "another list mode": ([subscription(9, PORT_1)], StatusCode.INVALID_ARGUMENT),
    "another path": ([subscription(gnmi.SubscriptionList.ONCE, fy.GNMIPath("x"))], StatusCode.NOT_FOUND),
    "a list instead of a poll": (
        [subscription(gnmi.SubscriptionList.POLL, PORT_1)] * 2,
        StatusCode.INVALID_ARGUMENT,
    ),
}


@pytest.mark.parametrize("name", SUBSCRIBE_REFUSED)
def test_a_subscription_is_refused_for(stub, name: str) -> None:
    requests, code = SUBSCRIBE_REFUSED[name]
    assert refusal(lambda: list(stub.Subscribe(iter(requests)))).code() == code


def test_subscriptions_are_bounded_and_leave_room_for_others(stub) -> None:
    request = subscription(gnmi.SubscriptionList.STREAM, OPER_STATUS, mode=gnmi.ON_CHANGE)
    streams = [stub.Subscribe(iter([request])) for _ in range(MAX_SUBSCRIPTIONS)]
    for stream in streams:
        assert next(stream).WhichOneof("response") == "update"
    assert refusal(lambda: next(stub.Subscribe(iter([request])))).code() == StatusCode.RESOURCE_EXHAUSTED
    assert get(stub, OPER_STATUS)
    for stream in streams:
        stream.cancel()


def test_a_stopping_server_ends_the_subscriptions(server: P4RuntimeServer, stub) -> None:
    stream = stub.Subscribe(iter([subscription(gnmi.SubscriptionList.STREAM, OPER_STATUS, mode=gnmi.ON_CHANGE)]))
    assert kinds(next(stream) for _ in range(2)) == ["update", "sync_response"]
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    assert kinds(stream) == []
    stopping.join(TIMEOUT_S)
