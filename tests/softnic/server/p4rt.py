# SPDX-License-Identifier: Apache-2.0
"""A P4Runtime client for tests, and the names of ``tests/p4/p4runtime.p4`` as messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from finsy.proto import p4i, p4r, p4r_grpc, rpc_status
from google.protobuf import text_format
from grpc import StatusCode

COMPILED = Path(__file__).parents[2] / "p4/compiled"
PROGRAM_JSON = (COMPILED / "p4runtime.json").read_bytes()
P4INFO = text_format.Parse((COMPILED / "p4runtime.p4info.txtpb").read_text(), p4i.P4Info())
CONFIG = p4r.ForwardingPipelineConfig(
    p4info=P4INFO, p4_device_config=PROGRAM_JSON, cookie=p4r.ForwardingPipelineConfig.Cookie(cookie=7)
)

DEVICE_ID = 1
CPU_PORT = 510
TIMEOUT_S = 30.0
"""Reached only when something is broken."""

INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE

Atomicity = p4r.WriteRequest.Atomicity.ValueType

IDS = {
    item.preamble.name.removeprefix("IngressImpl.").removeprefix("ParserImpl."): item.preamble.id
    for items in (
        P4INFO.tables,
        P4INFO.actions,
        P4INFO.action_profiles,
        P4INFO.counters,
        P4INFO.meters,
        P4INFO.registers,
        P4INFO.digests,
        P4INFO.value_sets,
    )
    for item in items
}


class Client:
    """One controller: a channel, and a stream once it has bid for a role."""

    def __init__(self, address: str, election_id: int | None = 1, role: str = "") -> None:
        self.channel = grpc.insecure_channel(address)
        self.stub = p4r_grpc.P4RuntimeStub(self.channel)
        self.election_id = election_id
        self.role = role
        self._requests: queue.Queue[p4r.StreamMessageRequest | None] = queue.Queue()
        self._responses: queue.Queue[p4r.StreamMessageResponse | grpc.RpcError | None] = queue.Queue()
        self._call: grpc.Call | None = None

    # ---- the stream

    def send(self, **update: Any) -> None:
        """Send one stream message, opening the stream first if need be."""
        if self._call is None:
            self._call = self.stub.StreamChannel(iter(self._requests.get, None))
            threading.Thread(target=self._receive, args=(self._call,), daemon=True).start()
        self._requests.put(p4r.StreamMessageRequest(**update))

    def bid(self, election_id: int | None = None, *, device_id: int = DEVICE_ID, role: str | None = None) -> None:
        """Send an arbitration update; without arguments, with the client's own election id and role."""
        self.election_id = self.election_id if election_id is None else election_id
        message = p4r.MasterArbitrationUpdate(device_id=device_id, election_id=uint128(self.election_id))
        if role or self.role:
            message.role.name = role or self.role
        self.send(arbitration=message)

    def become_primary(self) -> Client:
        self.bid()
        assert self.arbitration() == StatusCode.OK
        return self

    def take(self) -> p4r.StreamMessageResponse:
        """The next stream message. Raises what ended the stream, or queue.Empty when nothing comes."""
        response = self._responses.get(timeout=TIMEOUT_S)
        if response is None:
            raise EOFError("the server ended the stream")
        if isinstance(response, grpc.RpcError):
            raise response
        return response

    def arbitration(self) -> StatusCode:
        """The code of the next stream message, which must be an arbitration update."""
        return status_code(self.take().arbitration.status.code)

    def close_stream(self) -> None:
        self._requests.put(None)

    def close(self) -> None:
        self._requests.put(None)
        self.channel.close()

    def _receive(self, call: Iterator[p4r.StreamMessageResponse]) -> None:
        try:
            for response in call:
                self._responses.put(response)
        except grpc.RpcError as error:
            self._responses.put(error)
        else:
            self._responses.put(None)

    # ---- requests

    def set_config(
        self,
        config: p4r.ForwardingPipelineConfig | None = CONFIG,
        action: p4r.SetForwardingPipelineConfigRequest.Action.ValueType = (
            p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT
        ),
    ) -> None:
        self.stub.SetForwardingPipelineConfig(
            p4r.SetForwardingPipelineConfigRequest(
                device_id=DEVICE_ID, role=self.role, election_id=uint128(self.election_id), action=action, config=config
            )
        )

    def get_config(
        self,
        response_type: p4r.GetForwardingPipelineConfigRequest.ResponseType.ValueType = (
            p4r.GetForwardingPipelineConfigRequest.ALL
        ),
    ) -> p4r.GetForwardingPipelineConfigResponse:
        return self.stub.GetForwardingPipelineConfig(
            p4r.GetForwardingPipelineConfigRequest(device_id=DEVICE_ID, response_type=response_type)
        )

    def write(self, *updates: p4r.Update, atomicity: Atomicity = p4r.WriteRequest.CONTINUE_ON_ERROR) -> None:
        self.stub.Write(
            p4r.WriteRequest(
                device_id=DEVICE_ID,
                role=self.role,
                election_id=uint128(self.election_id),
                updates=updates,
                atomicity=atomicity,
            )
        )

    def refused(
        self, *updates: p4r.Update, atomicity: Atomicity = p4r.WriteRequest.CONTINUE_ON_ERROR
    ) -> list[p4r.Error]:
        """The errors of a batch that fails, one for each update."""
        return errors_of(lambda: self.write(*updates, atomicity=atomicity))

    def read(self, *entities: p4r.Entity) -> list[p4r.Entity]:
        responses = self.stub.Read(p4r.ReadRequest(device_id=DEVICE_ID, entities=entities))
        return [entity for response in responses for entity in response.entities]


def errors_of(call: Callable[[], object]) -> list[p4r.Error]:
    """The ``p4.v1.Error`` details of a call that must end with UNKNOWN."""
    with pytest.raises(grpc.RpcError) as failure:
        call()
    error = failure.value
    assert error.code() == StatusCode.UNKNOWN, error
    details = next(item.value for item in error.trailing_metadata() if item.key == "grpc-status-details-bin")
    status = rpc_status.Status.FromString(details)
    assert status.code == StatusCode.UNKNOWN.value[0]
    assert status.message == error.details()
    return [unpacked(detail) for detail in status.details]


def unpacked(detail) -> p4r.Error:
    error = p4r.Error()
    assert detail.Unpack(error)
    return error


def status_code(number: int) -> StatusCode:
    return next(code for code in StatusCode if code.value[0] == number)


def uint128(value: int | None) -> p4r.Uint128 | None:
    return None if value is None else p4r.Uint128(high=value >> 64, low=value & (1 << 64) - 1)


# ---- messages -------------------------------------------------------------------------------------------------------


def update(update_type: p4r.Update.Type.ValueType, **entity: Any) -> p4r.Update:
    return p4r.Update(type=update_type, entity=p4r.Entity(**entity))


def action(name: str, *values: bytes) -> p4r.Action:
    params = [p4r.Action.Param(param_id=index, value=value) for index, value in enumerate(values, 1)]
    return p4r.Action(action_id=IDS[name], params=params)


def calls(name: str, *values: bytes) -> p4r.TableAction:
    return p4r.TableAction(action=action(name, *values))


def exact(field_id: int, value: bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=field_id, exact=p4r.FieldMatch.Exact(value=value))


def lpm(field_id: int, value: bytes, prefix_len: int) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=field_id, lpm=p4r.FieldMatch.LPM(value=value, prefix_len=prefix_len))


def ternary(field_id: int, value: bytes, mask: bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=field_id, ternary=p4r.FieldMatch.Ternary(value=value, mask=mask))


def range_(field_id: int, low: bytes, high: bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=field_id, range=p4r.FieldMatch.Range(low=low, high=high))


def optional(field_id: int, value: bytes) -> p4r.FieldMatch:
    return p4r.FieldMatch(field_id=field_id, optional=p4r.FieldMatch.Optional(value=value))


def exact_entry(dst: int = 1, **fields: Any) -> p4r.TableEntry:
    """An entry of ``exact_table`` for port 0; `fields` replace its default action."""
    if "action" not in fields:
        fields["action"] = calls("meter_and_forward", b"\2")
    return p4r.TableEntry(
        table_id=IDS["exact_table"], match=[exact(1, dst.to_bytes(6, "big").lstrip(b"\0")), exact(2, b"\0")], **fields
    )


def lpm_entry(*match: p4r.FieldMatch, **fields: Any) -> p4r.TableEntry:
    if "action" not in fields:
        fields["action"] = calls("forward", b"\3")
    return p4r.TableEntry(table_id=IDS["lpm_table"], match=match, **fields)


def ternary_entry(*match: p4r.FieldMatch, priority: int = 10, **fields: Any) -> p4r.TableEntry:
    """An entry of ``ternary_table`` for mark 9; `match` has the fields that care."""
    if "action" not in fields:
        fields["action"] = calls("forward", b"\3")
    return p4r.TableEntry(table_id=IDS["ternary_table"], match=[*match, exact(4, b"\x09")], priority=priority, **fields)


def member(member_id: int, port: bytes = b"\1", profile: str = "balancer") -> p4r.ActionProfileMember:
    return p4r.ActionProfileMember(action_profile_id=IDS[profile], member_id=member_id, action=action("forward", port))


def group(group_id: int, *members: p4r.ActionProfileGroup.Member, max_size: int = 0) -> p4r.ActionProfileGroup:
    return p4r.ActionProfileGroup(
        action_profile_id=IDS["balancer"], group_id=group_id, members=members, max_size=max_size
    )


def weighted(member_id: int, weight: int = 1, **fields: Any) -> p4r.ActionProfileGroup.Member:
    return p4r.ActionProfileGroup.Member(member_id=member_id, weight=weight, **fields)


def selector_entry(dst: bytes, table_action: p4r.TableAction, table: str = "selector_table") -> p4r.TableEntry:
    return p4r.TableEntry(table_id=IDS[table], match=[exact(1, dst)], action=table_action)


def one_shot(*ports: bytes, weight: int = 1) -> p4r.TableAction:
    actions = [p4r.ActionProfileAction(action=action("forward", port), weight=weight) for port in ports]
    return p4r.TableAction(action_profile_action_set=p4r.ActionProfileActionSet(action_profile_actions=actions))


def multicast(group_id: int, *replicas: p4r.Replica, **fields: Any) -> p4r.PacketReplicationEngineEntry:
    return p4r.PacketReplicationEngineEntry(
        multicast_group_entry=p4r.MulticastGroupEntry(multicast_group_id=group_id, replicas=replicas, **fields)
    )


def clone(session_id: int, *replicas: p4r.Replica, **fields: Any) -> p4r.PacketReplicationEngineEntry:
    return p4r.PacketReplicationEngineEntry(
        clone_session_entry=p4r.CloneSessionEntry(session_id=session_id, replicas=replicas, **fields)
    )


def digest(**config: int) -> p4r.DigestEntry:
    return p4r.DigestEntry(digest_id=IDS["learned_t"], config=p4r.DigestEntry.Config(**config))


def all_entries(**fields: Any) -> p4r.Entity:
    return p4r.Entity(table_entry=p4r.TableEntry(**fields))


def table_write(update_type, entry):
    return update(update_type, table_entry=entry)


def default_entry(table, table_action=None, **fields):
    return p4r.TableEntry(table_id=IDS[table], is_default_action=True, action=table_action, **fields)


def counter_write(update_type, index=None, name="port_counter", **data):
    return update(
        update_type,
        counter_entry=p4r.CounterEntry(
            counter_id=IDS[name],
            index=None if index is None else p4r.Index(index=index),
            data=p4r.CounterData(**data) if data else None,
        ),
    )


def meter_write(update_type, index=0, **config):
    return update(
        update_type,
        meter_entry=p4r.MeterEntry(
            meter_id=IDS["port_meter"], index=p4r.Index(index=index), config=p4r.MeterConfig(**config)
        ),
    )


def register_write(update_type, index, data, name="last_seen"):
    entry = p4r.RegisterEntry(register_id=IDS[name], index=p4r.Index(index=index), data=data)
    return update(update_type, register_entry=entry)


def replica(port, instance=0, **fields):
    return p4r.Replica(port=port, instance=instance, **fields)
