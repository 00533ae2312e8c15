# SPDX-License-Identifier: Apache-2.0
"""Any program, any state, any update: the right code, and nothing half-written.

Laws: an update that is right is applied and read back as it was written; one with a fault gets the code that the
specification names for the fault, and leaves everything as it was; a batch that must be applied as a whole is, or not
at all. FUZZ_EXAMPLES=5000 in the environment looks longer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from finsy.proto import p4i, p4r
from google.protobuf import text_format
from grpc import StatusCode
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from update_faults import spoiled
from update_strategies import CELLS, Draw, Trial, Updates

from softnic import ir
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine
from softnic.server.device import open_pipeline
from softnic.server.pipeline import Pipeline
from softnic.server.read import read_entity
from softnic.server.schema import Schema
from softnic.server.write import write_batch

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    path.stem: path for folder in ("tests/p4/compiled", "p4src/compiled") for path in (ROOT / folder).glob("*.json")
}
STEPS = 12
engines = st.sampled_from([ReferenceEngine, NativeEngine])
examples = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "15")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

PRE = p4r.PacketReplicationEngineEntry
DIRECT = p4r.TableEntry(
    counter_data=p4r.CounterData(), meter_config=p4r.MeterConfig(), meter_counter_data=p4r.MeterCounterData()
)
EVERYTHING = (
    p4r.Entity(table_entry=DIRECT),
    p4r.Entity(
        table_entry=p4r.TableEntry(
            is_default_action=True, counter_data=DIRECT.counter_data, meter_config=DIRECT.meter_config
        )
    ),
    p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry()),
    p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry()),
    p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
    p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
    p4r.Entity(packet_replication_engine_entry=PRE(multicast_group_entry=p4r.MulticastGroupEntry())),
    p4r.Entity(packet_replication_engine_entry=PRE(clone_session_entry=p4r.CloneSessionEntry())),
    p4r.Entity(digest_entry=p4r.DigestEntry()),
    p4r.Entity(value_set_entry=p4r.ValueSetEntry()),
)


@cache
def compiled(name: str) -> tuple[p4i.P4Info, ir.Program]:
    path = PROGRAMS[name]
    p4info = text_format.Parse(path.with_suffix(".p4info.txtpb").read_text(), p4i.P4Info())
    return p4info, load_program(path.read_bytes())


def held(pipeline: Pipeline) -> list[p4r.Entity]:
    return [entity for request in (*EVERYTHING, *cells(pipeline.schema)) for entity in read_entity(pipeline, request)]


def cells(schema: Schema) -> Iterator[p4r.Entity]:
    """Of every array those that are written."""
    counts = p4r.MeterCounterData()
    for counter in schema.counters.values():
        for at in indices(counter.size):
            yield p4r.Entity(counter_entry=p4r.CounterEntry(counter_id=counter.id, index=at))
    for meter in schema.meters.values():
        for at in indices(meter.size):
            yield p4r.Entity(meter_entry=p4r.MeterEntry(meter_id=meter.id, index=at, counter_data=counts))
    for register in schema.registers.values():
        for at in indices(register.size):
            yield p4r.Entity(register_entry=p4r.RegisterEntry(register_id=register.id, index=at))


def indices(size: int) -> list[p4r.Index]:
    return [p4r.Index(index=index) for index in range(min(size, CELLS))]


def code_of(pipeline: Pipeline, update: p4r.Update) -> StatusCode:
    [error] = write_batch(pipeline, [update])
    return error.code if error else StatusCode.OK


def draw_trial(draw: Draw, p4info: p4i.P4Info, state: list[p4r.Entity], may_fail: bool = True) -> Trial:
    updates = Updates(draw, p4info, [entity for entity in state if not entity.table_entry.is_default_action])
    trial = updates.any()
    return spoiled(updates, trial) if may_fail and draw(st.booleans()) else trial


def check(pipeline: Pipeline, trial: Trial, before: list[p4r.Entity]) -> list[p4r.Entity]:
    """Write it and hold it to the laws; what is held then."""
    note(f"fault: {trial.fault}\n{trial.update}")
    code = code_of(pipeline, trial.update)
    after = held(pipeline)
    assert code in trial.codes
    if code != StatusCode.OK:
        assert after == before
    elif trial.update.type == p4r.Update.DELETE:
        assert trial.update.entity not in after
    elif is_read_as_written(trial.update.entity):
        assert trial.update.entity in after
    return after


def is_read_as_written(entity: p4r.Entity) -> bool:
    """Not: a wildcard over cells, and a default entry that is reset."""
    match entity.WhichOneof("entity"):
        case "counter_entry" | "meter_entry" | "register_entry":
            return False
        case "table_entry":
            return not entity.table_entry.is_default_action
        case _:
            return True


@pytest.mark.parametrize("program", PROGRAMS)
@examples
@given(data=st.data())
def test_every_update_gets_its_code_and_is_written_whole_or_not_at_all(program: str, data: st.DataObject) -> None:
    p4info, loaded = compiled(program)
    pipeline = open_pipeline(p4info, loaded, data.draw(engines)(loaded))
    state = held(pipeline)
    for _ in range(STEPS):
        state = check(pipeline, draw_trial(data.draw, p4info, state), state)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("atomicity", [p4r.WriteRequest.ROLLBACK_ON_ERROR, p4r.WriteRequest.DATAPLANE_ATOMIC])
@examples
@given(data=st.data())
def test_an_atomic_batch_is_written_whole_or_not_at_all(
    program: str, atomicity: p4r.WriteRequest.Atomicity.ValueType, data: st.DataObject
) -> None:
    p4info, loaded = compiled(program)
    pipeline = open_pipeline(p4info, loaded, data.draw(engines)(loaded))
    before = held(pipeline)
    for _ in range(STEPS):
        before = check(pipeline, draw_trial(data.draw, p4info, before, may_fail=False), before)
    batch = [draw_trial(data.draw, p4info, before).update for _ in range(4)]
    note("\n".join(map(str, batch)))
    results = write_batch(pipeline, batch, atomicity)
    codes = {error.code for error in results if error}
    assert not codes & {StatusCode.INTERNAL, StatusCode.UNKNOWN}
    if codes:
        assert sorted_by_content(held(pipeline)) == sorted_by_content(before)


def sorted_by_content(entities: list[p4r.Entity]) -> list[bytes]:
    """The order of entries does not come back when one is deleted and inserted again."""
    return sorted(entity.SerializeToString(deterministic=True) for entity in entities)
