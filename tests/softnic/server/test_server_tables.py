# SPDX-License-Identifier: Apache-2.0
"""Tables as the server keeps them: plain entries live in the engine alone, and are looked through step by step."""

from __future__ import annotations

import threading

import pytest
from finsy.proto import p4r
from p4rt import (
    DELETE,
    IDS,
    INSERT,
    MODIFY,
    P4INFO,
    PROGRAM_JSON,
    all_entries,
    calls,
    exact_entry,
    lpm,
    lpm_entry,
    one_shot,
    selector_entry,
    table_write,
)

from softnic.engine import OutOfMemory
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine
from softnic.server import Pipeline, open_pipeline, write_batch
from softnic.server.read import read_batch

PROGRAM = load_program(PROGRAM_JSON)


@pytest.fixture(params=[ReferenceEngine, NativeEngine], ids=["reference", "native"])
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return open_pipeline(P4INFO, PROGRAM, request.param(PROGRAM))


def write(pipeline: Pipeline, *updates: p4r.Update) -> None:
    assert not any(write_batch(pipeline, updates))


def prefixes(count: int) -> list[p4r.Update]:
    return [table_write(INSERT, lpm_entry(lpm(1, bytes([number, 0, 0, 0, 0, 0]), 8))) for number in range(1, count + 1)]


def is_free(lock: threading.RLock) -> bool:
    """Whether another thread could have it now."""
    answers: list[bool] = []

    def attempt() -> None:
        if lock.acquire(blocking=False):
            lock.release()
            answers.append(True)

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return bool(answers)


def test_of_a_plain_entry_the_server_keeps_nothing(pipeline: Pipeline) -> None:
    write(pipeline, table_write(INSERT, exact_entry(1)), *prefixes(3))
    assert [table.extras for table in pipeline.tables.values() if table.extras] == []


@pytest.mark.parametrize(
    "ending", [table_write(DELETE, exact_entry(1)), table_write(MODIFY, exact_entry(1))], ids=["deleted", "modified"]
)
@pytest.mark.parametrize("extra", [{"metadata": b"mine"}, {"controller_metadata": 7}])
def test_what_the_server_keeps_of_an_entry_goes_with_it(pipeline: Pipeline, extra: dict, ending: p4r.Update) -> None:
    extras = pipeline.tables[IDS["exact_table"]].extras
    write(pipeline, table_write(INSERT, exact_entry(1, **extra)))
    assert len(extras) == 1
    write(pipeline, ending)
    assert not extras


def test_a_refused_entry_leaves_nothing_behind(pipeline: Pipeline) -> None:
    write(pipeline, table_write(INSERT, exact_entry(1)))
    assert all(write_batch(pipeline, [table_write(INSERT, exact_entry(1, metadata=b"mine"))]))
    assert not pipeline.tables[IDS["exact_table"]].extras


def test_a_one_shot_is_not_put_in_place_for_an_entry_that_is_there(pipeline: Pipeline) -> None:
    write(pipeline, table_write(INSERT, selector_entry(b"\1", one_shot(b"\1"))))
    before = pipeline.store.profiles[IDS["balancer"]].last_one_shot_id
    assert all(write_batch(pipeline, [table_write(INSERT, selector_entry(b"\1", one_shot(b"\2")))]))
    assert pipeline.store.profiles[IDS["balancer"]].last_one_shot_id == before


def test_an_entry_that_there_is_no_memory_for_is_refused_as_such(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def insert(*_: object) -> None:
        raise OutOfMemory("no memory is left for this entry")

    monkeypatch.setattr(type(pipeline.tables[IDS["exact_table"]].entries), "insert", insert)
    [error] = write_batch(pipeline, [table_write(INSERT, exact_entry(1))])
    assert error
    assert error.code.name == "RESOURCE_EXHAUSTED"
    assert error.message.endswith("no memory is left for this entry")


def test_packets_have_their_turn_while_a_table_is_read(pipeline: Pipeline) -> None:
    write(pipeline, *prefixes(5))
    entries = pipeline.tables[IDS["lpm_table"]].snapshot()
    assert [is_free(pipeline.lock) for _ in entries] == [True] * 5


@pytest.mark.parametrize("counts", [None, p4r.CounterData()], ids=["entries", "entries and counters"])
def test_a_read_answers_as_of_its_moment_whatever_is_written_meanwhile(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, counts: p4r.CounterData | None
) -> None:
    monkeypatch.setattr("softnic.server.read.CHUNK_BYTES", 1)
    entries = [exact_entry(number, metadata=b"mine", counter_data=counts) for number in (1, 2, 3)]
    write(pipeline, *(table_write(INSERT, entry) for entry in entries))
    responses, results = read_batch(pipeline, [all_entries(table_id=IDS["exact_table"], counter_data=counts)])
    read = [next(responses)]
    write(pipeline, table_write(DELETE, exact_entry(2)), table_write(MODIFY, exact_entry(3)))
    write(pipeline, table_write(INSERT, exact_entry(4)))
    read += responses
    assert [response.entities[0].table_entry for response in read] == entries
    assert results == [None]


def test_packets_have_their_turn_while_idle_entries_are_looked_for(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softnic.server.table.SCAN_ENTRIES", 1)
    write(pipeline, *(table_write(INSERT, exact_entry(number, idle_timeout_ns=1)) for number in (1, 2, 3)))
    entries = pipeline.tables[IDS["exact_table"]].scan_idle()
    assert [is_free(pipeline.lock) for _ in entries] == [True] * 3


def test_an_update_that_makes_no_sense_is_refused_as_such_also_where_the_entry_is_there(pipeline: Pipeline) -> None:
    write(pipeline, table_write(INSERT, exact_entry(1)))
    [error] = write_batch(pipeline, [table_write(INSERT, exact_entry(1, action=calls("mark")))])
    assert error
    assert error.code.name == "INVALID_ARGUMENT"
