# SPDX-License-Identifier: Apache-2.0
"""Batches that are carried out whole or not at all ("Batch Atomicity" in the P4Runtime specification)."""

from __future__ import annotations

import grpc
import pytest
from finsy.proto import p4d, p4r
from grpc import StatusCode
from p4rt import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    Client,
    all_entries,
    calls,
    clone,
    counter_write,
    default_entry,
    digest,
    exact_entry,
    lpm,
    lpm_entry,
    member,
    meter_write,
    multicast,
    one_shot,
    register_write,
    replica,
    selector_entry,
    status_code,
    table_write,
    update,
)

INVALID = StatusCode.INVALID_ARGUMENT


ALL_OR_NONE = [p4r.WriteRequest.ROLLBACK_ON_ERROR, p4r.WriteRequest.DATAPLANE_ATOMIC]

EVERYTHING = [
    all_entries(counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig()),
    all_entries(is_default_action=True),
    p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
    p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
    p4r.Entity(counter_entry=p4r.CounterEntry()),
    p4r.Entity(meter_entry=p4r.MeterEntry()),
    p4r.Entity(register_entry=p4r.RegisterEntry()),
    p4r.Entity(packet_replication_engine_entry=multicast(0)),
    p4r.Entity(packet_replication_engine_entry=clone(0)),
    p4r.Entity(digest_entry=p4r.DigestEntry()),
]


def by_bytes(entities):
    return sorted(entity.SerializeToString(deterministic=True) for entity in entities)


@pytest.mark.parametrize("atomicity", ALL_OR_NONE)
def test_a_batch_that_fails_is_undone_whatever_it_wrote(primary: Client, atomicity) -> None:
    direct = p4r.DirectCounterEntry(table_entry=exact_entry(1), data=p4r.CounterData(packet_count=99))
    before = (
        table_write(INSERT, exact_entry(1, counter_data=p4r.CounterData(packet_count=5), metadata=b"kept")),
        table_write(INSERT, exact_entry(2, meter_config=p4r.MeterConfig(cir=1, cburst=1, pir=2, pburst=2))),
        table_write(INSERT, lpm_entry()),
        table_write(INSERT, lpm_entry(lpm(1, b"\x0a\0\0\0\0\0", 8))),
        table_write(INSERT, selector_entry(b"\1", one_shot(b"\1", b"\2"))),
        update(INSERT, packet_replication_engine_entry=multicast(1, replica(b"\1"), metadata=b"m")),
        update(INSERT, digest_entry=digest(max_list_size=3)),
        counter_write(MODIFY, 3, packet_count=3),
        meter_write(MODIFY, 1, cir=1, cburst=1, pir=1, pburst=1),
    )
    primary.write(*before)
    state = by_bytes(primary.read(*EVERYTHING))
    batch = (
        table_write(MODIFY, exact_entry(1, action=calls("mark", b"\5"), counter_data=p4r.CounterData(packet_count=6))),
        table_write(DELETE, exact_entry(2)),
        table_write(INSERT, exact_entry(3)),
        table_write(DELETE, lpm_entry()),
        table_write(MODIFY, selector_entry(b"\1", one_shot(b"\3"))),
        table_write(MODIFY, default_entry("lpm_table", calls("drop"), metadata=b"new")),
        table_write(MODIFY, default_entry("keyless_table", calls("mark", b"\1"))),
        update(MODIFY, packet_replication_engine_entry=multicast(1)),
        update(INSERT, packet_replication_engine_entry=clone(1, replica(b"\1"))),
        update(MODIFY, digest_entry=digest(max_list_size=4)),
        update(MODIFY, direct_counter_entry=direct),
        update(INSERT, action_profile_member=member(4, profile="profile")),
        counter_write(MODIFY, None, packet_count=1),
        meter_write(MODIFY, 1),
        register_write(MODIFY, 2, p4d.P4Data(bitstring=b"\7")),
    )
    failing = table_write(INSERT, exact_entry(3))
    errors = primary.refused(*batch, failing, table_write(INSERT, exact_entry(4)), atomicity=atomicity)
    codes = [status_code(error.canonical_code) for error in errors]
    assert codes == [StatusCode.ABORTED] * len(batch) + [StatusCode.ALREADY_EXISTS, StatusCode.ABORTED]
    assert by_bytes(primary.read(*EVERYTHING)) == state
    primary.write(*batch, atomicity=atomicity)
    assert by_bytes(primary.read(*EVERYTHING)) != state


def test_an_unknown_atomicity_is_refused_as_a_whole(primary: Client) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        primary.write(table_write(INSERT, exact_entry()), atomicity=7)  # pyright: ignore[reportArgumentType]
    assert refusal.value.code() == INVALID
    assert primary.read(all_entries(table_id=IDS["exact_table"])) == []
