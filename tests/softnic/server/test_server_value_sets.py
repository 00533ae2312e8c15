# SPDX-License-Identifier: Apache-2.0
"""Parser value sets: replaced as a whole, read back as written, and followed by the parser (specification 9.6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from finsy.proto import p4i, p4r
from grpc import StatusCode
from p4rt import (
    CONFIG,
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    P4INFO,
    Client,
    errors_of,
    exact,
    lpm,
    range_,
    status_code,
    ternary,
    update,
)

from softnic.ports import MemoryPort

INVALID, UNIMPLEMENTED = StatusCode.INVALID_ARGUMENT, StatusCode.UNIMPLEMENTED
RECONCILE = p4r.SetForwardingPipelineConfigRequest.RECONCILE_AND_COMMIT
FRAME = bytes(12) + b"\x88\xb5"


def member(ether_type: int = 0x88B5, port: int = 3) -> p4r.ValueSetMember:
    return p4r.ValueSetMember(match=[exact(1, ether_type.to_bytes(2, "big")), exact(2, port.to_bytes(1, "big"))])


def specials(*members: p4r.ValueSetMember) -> p4r.ValueSetEntry:
    return p4r.ValueSetEntry(value_set_id=IDS["specials"], members=members)


def modify(*members: p4r.ValueSetMember) -> p4r.Update:
    return update(MODIFY, value_set_entry=specials(*members))


def held(client: Client) -> p4r.ValueSetEntry:
    [entity] = client.read(p4r.Entity(value_set_entry=p4r.ValueSetEntry()))
    return entity.value_set_entry


def test_a_value_set_is_empty_at_first(primary: Client) -> None:
    assert held(primary) == specials()


def test_members_are_read_back_and_replaced_as_a_whole(primary: Client) -> None:
    primary.write(modify(member(1), member(0x100)))
    assert held(primary) == specials(
        p4r.ValueSetMember(match=[exact(1, b"\1"), exact(2, b"\3")]),
        p4r.ValueSetMember(match=[exact(1, b"\1\0"), exact(2, b"\3")]),
    )
    primary.write(modify())
    assert held(primary) == specials()


@pytest.mark.parametrize(("port", "reason"), [(3, 8), (2, 7)])
def test_the_parser_follows_the_members(primary: Client, ports: dict[int, MemoryPort], port: int, reason: int) -> None:
    primary.write(modify(member(0x1234, 9), member()))
    ports[port].inject(FRAME)
    assert primary.take().packet.metadata[1].value == bytes([reason])


REFUSED = {
    "insert": (update(INSERT, value_set_entry=specials()), INVALID, "MODIFY"),
    "delete": (update(DELETE, value_set_entry=specials()), INVALID, "MODIFY"),
    "id unset": (update(MODIFY, value_set_entry=p4r.ValueSetEntry()), INVALID, "id is not set"),
    "id unknown": (update(MODIFY, value_set_entry=p4r.ValueSetEntry(value_set_id=7)), INVALID, "0x00000007"),
    "too many members": (modify(member(1), member(2), member(3)), StatusCode.RESOURCE_EXHAUSTED, "size is 2"),
    "duplicate": (modify(member(), member()), StatusCode.ALREADY_EXISTS, "members[1]"),
    "field missing": (modify(p4r.ValueSetMember(match=[exact(1, b"\1")])), INVALID, "missing"),
    "field twice": (modify(p4r.ValueSetMember(match=[exact(1, b"\1")] * 2)), INVALID, "twice"),
    "field unknown": (modify(p4r.ValueSetMember(match=[*member().match, exact(3, b"\1")])), INVALID, "no match field"),
    "value too wide": (
        modify(p4r.ValueSetMember(match=[exact(1, b"\1"), exact(2, b"\2\0")])),
        INVALID,
        "members[0]: match field 2 (port): value has 10 bits",
    ),
    "other kind": (modify(p4r.ValueSetMember(match=[lpm(1, b"\1", 16), exact(2, b"\1")])), INVALID, "exact"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_write_is_refused_and_changes_nothing_for(primary: Client, name: str) -> None:
    refused, code, words = REFUSED[name]
    primary.write(modify(member(5)))
    [error] = primary.refused(refused)
    assert status_code(error.canonical_code) == code
    assert words in error.message
    assert held(primary).members[0].match[0].exact.value == b"\5"


def test_a_read_of_an_unknown_value_set_is_refused(primary: Client) -> None:
    [error] = errors_of(lambda: primary.read(p4r.Entity(value_set_entry=p4r.ValueSetEntry(value_set_id=7))))
    assert status_code(error.canonical_code) == INVALID


def test_a_batch_that_fails_brings_the_members_back(primary: Client) -> None:
    primary.write(modify(member(5)))
    primary.refused(modify(member(6)), p4r.Update(), atomicity=p4r.WriteRequest.ROLLBACK_ON_ERROR)
    assert held(primary).members[0].match[0].exact.value == b"\5"


def test_members_outlive_a_reconciled_pipeline(primary: Client) -> None:
    primary.write(modify(member()))
    before = held(primary)
    primary.set_config(action=RECONCILE)
    assert held(primary) == before


# ---- match kinds that P4Info can name and BMv2 JSON can't ------------------------------------------------------------

PORT_MATCHES = {
    p4i.MatchField.LPM: (lpm(2, b"\1\0", 9), lpm(2, b"\1\0", 8)),
    p4i.MatchField.TERNARY: (ternary(2, b"\3", b"\1\xff"), ternary(2, b"\1", b"\1")),
    p4i.MatchField.RANGE: (range_(2, b"\3", b"\3"), range_(2, b"\3", b"\4")),
}


@pytest.fixture(params=PORT_MATCHES, ids=p4i.MatchField.MatchType.Name)
def declared(request, connect: Callable[..., Client]) -> tuple[Client, p4r.FieldMatch, p4r.FieldMatch]:
    """The program with its value set's port declared of another kind, and matches of it: of one value, and of more."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(CONFIG)
    config.p4info.CopyFrom(P4INFO)
    config.p4info.value_sets[0].match[1].match_type = request.param
    client = connect().become_primary()
    client.set_config(config)
    one_value, several = PORT_MATCHES[request.param]
    return client, one_value, several


def test_a_match_of_one_value_is_taken_and_read_back_as_declared(declared) -> None:
    client, one_value, _ = declared
    wanted = p4r.ValueSetMember(match=[exact(1, b"\1"), one_value])
    client.write(modify(wanted))
    assert held(client) == specials(wanted)


def test_a_match_of_several_values_is_refused(declared) -> None:
    client, _, several = declared
    [error] = client.refused(modify(p4r.ValueSetMember(match=[exact(1, b"\1"), several])))
    assert status_code(error.canonical_code) == UNIMPLEMENTED
    assert "exact members only" in error.message
