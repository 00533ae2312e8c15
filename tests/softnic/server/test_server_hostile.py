# SPDX-License-Identifier: Apache-2.0
"""Requests that no client of good will sends: whatever comes, each update gets a code that the specification has.

In process, without gRPC: what arrives here is any message that protobuf can parse.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from finsy.proto import p4r
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpc import StatusCode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from p4rt import (
    IDS,
    INSERT,
    P4INFO,
    PROGRAM_JSON,
    clone,
    digest,
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
    ternary,
    ternary_entry,
    update,
    weighted,
)

from softnic.frontend import load_program
from softnic.reference import ReferenceEngine
from softnic.server import P4RuntimeError, Pipeline, open_pipeline, write_batch
from softnic.server.read import read_batch

PROGRAM = load_program(PROGRAM_JSON)

SPECIFIED = {
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.ALREADY_EXISTS,
    StatusCode.PERMISSION_DENIED,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.OUT_OF_RANGE,
    StatusCode.UNIMPLEMENTED,
    StatusCode.ABORTED,
}

VALID = [
    update(INSERT, table_entry=exact_entry(meter_config=p4r.MeterConfig(cir=1, pir=2), idle_timeout_ns=10)),
    update(INSERT, table_entry=lpm_entry(lpm(1, b"\x0a\0\0\0\0\0", 8))),
    update(INSERT, table_entry=ternary_entry(ternary(1, b"\1", b"\3"), range_(2, b"\1", b"\5"), optional(3, b"\1"))),
    update(INSERT, table_entry=selector_entry(b"\1", one_shot(b"\1", b"\2"))),
    update(INSERT, action_profile_member=member(1, profile="profile")),
    update(INSERT, action_profile_group=group(1, weighted(1))),
    update(INSERT, packet_replication_engine_entry=multicast(1, p4r.Replica(port=b"\1"))),
    update(INSERT, packet_replication_engine_entry=clone(1, p4r.Replica(port=b"\1"))),
    update(INSERT, digest_entry=digest()),
]

NUMBERS = st.sampled_from([0, 1, 2, 3, 9, 510, 511, 512, 65536, 2**31 - 1, *IDS.values()])
VALUES = st.sampled_from([b"", b"\0", b"\1", b"\2\0", b"\xff" * 6, b"\xff" * 7, b"\0" * 9 + b"\1"])


def values(field: FieldDescriptor) -> st.SearchStrategy:
    """Values of a scalar field that are often right, and often just beyond it."""
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return VALUES
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.sampled_from(["", "x"])
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return st.integers(0, 4)
    signed = field.cpp_type in (FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64)
    return NUMBERS | st.integers(-2, -1) if signed else NUMBERS


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor, depth: int = 6) -> Message:
    """Any message of the type; `depth` bounds the nesting."""
    message = GetMessageClass(descriptor)()
    for field in draw(st.lists(st.sampled_from(list(descriptor.fields)), unique=True)) if descriptor.fields else ():
        if field.message_type is None:
            value = draw(values(field))
            getattr(message, field.name).append(value) if field.is_repeated else setattr(message, field.name, value)
        elif field.message_type.full_name != "google.protobuf.Any" and depth:
            child = draw(messages(field.message_type, depth - 1))
            target = getattr(message, field.name)
            target.add().CopyFrom(child) if field.is_repeated else target.CopyFrom(child)
    return message


@st.composite
def damaged(draw: st.DrawFn) -> p4r.Update:
    """A valid update of which some bytes have changed."""
    data = bytearray(draw(st.sampled_from(VALID)).SerializeToString())
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    try:
        return p4r.Update.FromString(bytes(data))
    except DecodeError:
        return p4r.Update()


UPDATES = st.lists(
    st.one_of(st.sampled_from(VALID), damaged(), messages(p4r.Update.DESCRIPTOR)), min_size=1, max_size=6
)


@pytest.fixture
def pipeline() -> Pipeline:
    return fresh_pipeline()


def fresh_pipeline() -> Pipeline:
    return open_pipeline(P4INFO, PROGRAM, ReferenceEngine(PROGRAM, cpu_port=510))


EVERYTHING = [
    p4r.Entity(table_entry=p4r.TableEntry(counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig())),
    p4r.Entity(table_entry=p4r.TableEntry(is_default_action=True)),
    p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
    p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
    p4r.Entity(counter_entry=p4r.CounterEntry()),
    p4r.Entity(meter_entry=p4r.MeterEntry()),
    p4r.Entity(register_entry=p4r.RegisterEntry()),
    p4r.Entity(packet_replication_engine_entry=multicast(0)),
    p4r.Entity(packet_replication_engine_entry=clone(0)),
    p4r.Entity(digest_entry=p4r.DigestEntry()),
]


def everything(pipeline: Pipeline) -> list[bytes]:
    """All that can be read, which must be possible at all times, in an order of no meaning."""
    responses, results = read_batch(pipeline, EVERYTHING)
    assert results == [None] * len(EVERYTHING)
    return sorted(e.SerializeToString(deterministic=True) for response in responses for e in response.entities)


def check(results: Sequence[P4RuntimeError | None]) -> None:
    assert {result.code for result in results if result} <= SPECIFIED, results


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(UPDATES)
def test_any_update_gets_a_code_that_the_specification_has(updates: list[p4r.Update]) -> None:
    pipeline = fresh_pipeline()
    results = write_batch(pipeline, updates)
    assert len(results) == len(updates)
    check(results)
    everything(pipeline)


@FUZZ
@given(UPDATES, UPDATES)
def test_any_batch_that_fails_as_a_whole_leaves_everything_as_it_was(
    before: list[p4r.Update], updates: list[p4r.Update]
) -> None:
    pipeline = fresh_pipeline()
    write_batch(pipeline, before)
    state = everything(pipeline)
    results = write_batch(pipeline, updates, p4r.WriteRequest.ROLLBACK_ON_ERROR)
    check(results)
    if any(results):
        assert all(results)
        assert everything(pipeline) == state


@FUZZ
@given(st.lists(messages(p4r.Entity.DESCRIPTOR), max_size=4))
def test_any_read_gets_a_code_that_the_specification_has(requests: list[p4r.Entity]) -> None:
    pipeline = fresh_pipeline()
    write_batch(pipeline, VALID)
    _, results = read_batch(pipeline, requests)
    assert len(results) == len(requests)
    check(results)


def test_what_is_read_can_be_written_to_a_fresh_pipeline(pipeline: Pipeline) -> None:
    assert write_batch(pipeline, VALID[:5]) == [None] * 5
    responses, _ = read_batch(pipeline, EVERYTHING[:1])
    entries = [e for response in responses for e in response.entities if not e.table_entry.is_const]
    copy = fresh_pipeline()
    assert write_batch(copy, [p4r.Update(type=INSERT, entity=entry) for entry in entries]) == [None] * len(entries)


def test_a_megabyte_of_leading_zeros_is_just_a_number(pipeline: Pipeline) -> None:
    entry = lpm_entry(lpm(1, bytes(1 << 20) + b"\1", 48))
    assert write_batch(pipeline, [update(INSERT, table_entry=entry)]) == [None]
