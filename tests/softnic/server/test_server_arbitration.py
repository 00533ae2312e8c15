# SPDX-License-Identifier: Apache-2.0
"""Arbitration: one primary for each role, by the rules of P4Runtime specification section 5."""

from __future__ import annotations

import re

import grpc
import pytest
from finsy.proto import p4r, rpc_status
from grpc import StatusCode
from p4rt import DEVICE_ID, Client, status_code, uint128

from softnic.server import P4RuntimeError
from softnic.server.arbitration import Arbitration
from softnic.server.streams import MAX_STREAMS

OK, BACKUP, NOBODY = StatusCode.OK, StatusCode.ALREADY_EXISTS, StatusCode.NOT_FOUND


def bid(election_id: int | None, role: str = "", device_id: int = DEVICE_ID) -> p4r.MasterArbitrationUpdate:
    message = p4r.MasterArbitrationUpdate(device_id=device_id, election_id=uint128(election_id))
    if role:
        message.role.name = role
    return message


def told(notifications) -> dict[str, StatusCode]:
    return {client: status_code(message.status.code) for client, message in notifications}


@pytest.fixture
def arbitration() -> Arbitration[str]:
    return Arbitration(DEVICE_ID)


# ---- who becomes primary --------------------------------------------------------------------------------------------


def test_the_first_bid_wins(arbitration) -> None:
    assert told(arbitration.update("a", bid(5))) == {"a": OK}
    assert list(arbitration.primaries()) == ["a"]


def test_a_lower_bid_is_a_backup_and_only_it_is_told(arbitration) -> None:
    arbitration.update("a", bid(5))
    assert told(arbitration.update("b", bid(4))) == {"b": BACKUP}


def test_a_higher_bid_takes_over_and_all_are_told_the_new_primary_last(arbitration) -> None:
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    notifications = arbitration.update("c", bid(6))
    assert told(notifications) == {"a": BACKUP, "b": BACKUP, "c": OK}
    assert notifications[-1][0] == "c"
    assert all(message.election_id.low == 6 for _, message in notifications)


def test_a_backup_that_raises_its_bid_takes_over(arbitration) -> None:
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    assert told(arbitration.update("b", bid(6))) == {"a": BACKUP, "b": OK}


def test_a_primary_that_lowers_its_bid_leaves_nobody(arbitration) -> None:
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    assert told(arbitration.update("a", bid(3))) == {"a": NOBODY, "b": NOBODY}
    assert list(arbitration.primaries()) == []


def test_a_primary_that_repeats_its_bid_stays(arbitration) -> None:
    arbitration.update("a", bid(5))
    assert told(arbitration.update("a", bid(5))) == {"a": OK}


def test_when_the_primary_leaves_nobody_is_promoted_until_a_backup_bids_again(arbitration) -> None:
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    notifications = arbitration.leave("a")
    assert told(notifications) == {"b": NOBODY}
    assert notifications[0][1].election_id.low == 5
    assert told(arbitration.update("b", bid(4))) == {"b": NOBODY}
    assert told(arbitration.update("b", bid(5))) == {"b": OK}


def test_when_a_backup_leaves_nobody_is_told(arbitration) -> None:
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    assert arbitration.leave("b") == ()
    assert arbitration.leave("b") == ()


def test_a_bid_without_election_id_is_a_backup_even_alone(arbitration) -> None:
    notifications = arbitration.update("a", bid(None))
    assert told(notifications) == {"a": NOBODY}
    assert not notifications[0][1].HasField("election_id")


def test_several_clients_may_have_no_election_id(arbitration) -> None:
    arbitration.update("a", bid(None))
    assert told(arbitration.update("b", bid(None))) == {"b": NOBODY}


def test_election_id_0_is_the_lowest_and_not_none(arbitration) -> None:
    assert told(arbitration.update("a", bid(0))) == {"a": OK}


def test_election_ids_have_128_bits(arbitration) -> None:
    arbitration.update("a", bid((1 << 64) - 1))
    assert told(arbitration.update("b", bid(1 << 64))) == {"a": BACKUP, "b": OK}
    assert arbitration.update("c", bid(1))[0][1].election_id == p4r.Uint128(high=1)


def test_each_role_has_its_own_primary_and_the_same_election_id(arbitration) -> None:
    arbitration.update("a", bid(5))
    [(_, message)] = arbitration.update("b", bid(5, "fabric"))
    assert status_code(message.status.code) == OK
    assert message.role.name == "fabric"
    assert set(arbitration.primaries()) == {"a", "b"}
    assert arbitration.is_primary("fabric", 5)
    assert not arbitration.is_primary("fabric", 4)


# ---- bids that break the rules --------------------------------------------------------------------------------------


def with_role_config() -> p4r.MasterArbitrationUpdate:
    message = bid(1, "fabric")
    message.role.config.Pack(rpc_status.Status())
    return message


def with_role_id() -> p4r.MasterArbitrationUpdate:
    return p4r.MasterArbitrationUpdate(device_id=DEVICE_ID, role=p4r.Role(id=3))  # pyright: ignore[reportDeprecated]


FIRST_BIDS = {
    "another device": (bid(1, device_id=9), StatusCode.NOT_FOUND),
    "an election id in use": (bid(5), StatusCode.INVALID_ARGUMENT),
    "a role config of another scheme": (with_role_config(), StatusCode.INVALID_ARGUMENT),
    "a role id": (with_role_id(), StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("name", FIRST_BIDS)
def test_a_first_bid_is_refused_for(arbitration, name: str) -> None:
    message, code = FIRST_BIDS[name]
    arbitration.update("a", bid(5))
    with pytest.raises(P4RuntimeError) as refusal:
        arbitration.update("b", message)
    assert refusal.value.code == code


LATER_BIDS = {
    "another device": (bid(1, device_id=9), StatusCode.FAILED_PRECONDITION),
    "another role": (bid(1, "fabric"), StatusCode.FAILED_PRECONDITION),
    "an election id in use": (bid(5), StatusCode.INVALID_ARGUMENT),
}


@pytest.mark.parametrize("name", LATER_BIDS)
def test_a_later_bid_is_refused_for(arbitration, name: str) -> None:
    message, code = LATER_BIDS[name]
    arbitration.update("a", bid(5))
    arbitration.update("b", bid(4))
    with pytest.raises(P4RuntimeError) as refusal:
        arbitration.update("b", message)
    assert refusal.value.code == code
    assert list(arbitration.primaries()) == ["a"]


def test_an_election_id_in_use_is_said_in_words_that_finsy_knows(arbitration) -> None:
    arbitration.update("a", bid(5))
    with pytest.raises(P4RuntimeError) as refusal:
        arbitration.update("b", bid(5))
    assert re.search(r"election id .*\b(?:used|exists)\b", refusal.value.message)


# ---- over real streams ----------------------------------------------------------------------------------------------


def test_a_stream_that_ends_takes_its_primary_with_it(connect) -> None:
    first, second = connect(5).become_primary(), connect(4)
    second.bid()
    assert second.arbitration() == BACKUP
    first.close_stream()
    assert second.arbitration() == NOBODY
    second.bid(5)
    assert second.arbitration() == OK


def test_a_connection_that_breaks_takes_its_primary_with_it(connect) -> None:
    first, second = connect(5).become_primary(), connect(4)
    second.bid()
    assert second.arbitration() == BACKUP
    first.channel.close()
    assert second.arbitration() == NOBODY


def test_the_new_primary_writes_and_the_old_one_is_denied(connect, primary: Client) -> None:
    second = connect(2).become_primary()
    assert primary.arbitration() == BACKUP
    second.write()
    with pytest.raises(grpc.RpcError) as refusal:
        primary.write()
    assert refusal.value.code() == StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("election_id", [None, 1])
def test_nobody_writes_while_there_is_no_stream(connect, election_id: int | None) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        connect(election_id).write()
    assert refusal.value.code() == StatusCode.PERMISSION_DENIED


def test_the_primary_of_a_named_role_may_write(connect, primary: Client) -> None:
    named = connect(1, role="fabric").become_primary()
    named.write()
    primary.write()


@pytest.mark.parametrize(
    ("device_id", "election_id", "code"),
    [(9, 2, StatusCode.NOT_FOUND), (DEVICE_ID, 1, StatusCode.INVALID_ARGUMENT)],
)
def test_a_bid_that_breaks_the_rules_ends_the_stream_with_its_code(
    connect, primary: Client, device_id: int, election_id: int, code: StatusCode
) -> None:
    second = connect(election_id)
    second.bid(device_id=device_id)
    with pytest.raises(grpc.RpcError) as refusal:
        second.take()
    assert refusal.value.code() == code
    primary.write()


def test_more_streams_than_the_target_takes_are_refused(connect) -> None:
    clients = [connect(election_id) for election_id in range(MAX_STREAMS + 1)]
    for client in clients[:MAX_STREAMS]:
        client.become_primary()
    clients[MAX_STREAMS].bid()
    with pytest.raises(grpc.RpcError) as refusal:
        clients[MAX_STREAMS].take()
    assert refusal.value.code() == StatusCode.RESOURCE_EXHAUSTED


def test_a_stopping_server_ends_the_streams(server, connect) -> None:
    client = connect().become_primary()
    server.stop()
    with pytest.raises(grpc.RpcError) as ending:
        client.take()
    assert ending.value.code() == StatusCode.UNAVAILABLE
