# SPDX-License-Identifier: Apache-2.0
"""A target serves soon after it is given a program and goes on with better code; without a compiler it serves too."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from softnic import ir
from softnic.engine import ActionCall, Exact, TableEntry
from softnic.frontend import load_program
from softnic.native import Build, NativeEngine, UnsupportedError, compiler, find_compiler, source, start_engine
from softnic.native.cache import ObjectCache
from softnic.native.startup import FAST, SOON
from softnic.reference import ReferenceEngine

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"
TABLE = "IngressPipe.exact_table"
ENTRY = TableEntry((Exact(0x0A000001), Exact(1)), ActionCall("IngressPipe.answer_counted", (5,)))
QUERY = bytes.fromhex("0001 0a000001 0000 ffff")
ANSWER = bytes.fromhex("0001 0a000001 0000 0005")


@pytest.fixture
def program() -> ir.Program:
    return load_program(COMPILED / "tables.json")


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectCache:
    """An empty cache, but for the runtime."""
    cache = ObjectCache(tmp_path)
    runtime = find_compiler().runtime(Build())
    (tmp_path / runtime.name).symlink_to(runtime)
    monkeypatch.setattr(compiler, "_shared_cache", lambda: cache)
    return cache


def wait_for_background() -> None:
    for thread in threading.enumerate():
        if thread.name == "softnic-compile":
            thread.join()


def test_program_is_compiled_lightly_then_thoroughly(
    program: ir.Program, objects: ObjectCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[Build] = []
    compile_program = source.ProgramSource.compiled

    def noted(self: source.ProgramSource, build: Build) -> Path:
        builds.append(build)
        return compile_program(self, build)

    monkeypatch.setattr(source.ProgramSource, "compiled", noted)
    start_engine(program)
    wait_for_background()
    start_engine(program)
    wait_for_background()
    assert builds == [SOON, FAST, FAST]


def test_state_outlives_an_upgrade(program: ir.Program) -> None:
    engine = NativeEngine(program, build=Build(optimization=0))
    engine.insert(TABLE, ENTRY)
    before = engine.process(0, QUERY)
    engine.upgrade(Build(optimization=1))
    assert engine.process(0, QUERY) == before
    assert before[0].data == ANSWER
    assert engine.read_direct_counter(TABLE, ENTRY.key).packets == 2
    assert list(engine.entries(TABLE)) == [ENTRY]


def test_packets_pass_while_the_program_is_upgraded(program: ir.Program) -> None:
    engine = NativeEngine(program, build=Build(optimization=0))
    engine.insert(TABLE, ENTRY)
    upgrade = threading.Thread(target=engine.upgrade, args=(Build(optimization=1),))
    upgrade.start()
    while upgrade.is_alive():
        assert engine.process(0, QUERY)[0].data == ANSWER
    upgrade.join()


def test_without_a_compiler_the_reference_executor_serves_and_a_warning_says_so(
    program: ir.Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    with caplog.at_level(logging.WARNING, logger="softnic.native"):
        engine = start_engine(program, cpu_port=510)
    assert isinstance(engine, ReferenceEngine)
    assert engine.cpu_port == 510
    assert [record.getMessage() for record in caplog.records] == [
        f"the reference executor runs {program.name}, thousands of times slower: "
        "no C compiler: looked for no-such-cc; install gcc or clang, or set CC"
    ]


def test_program_beyond_the_native_engine_is_served_by_the_reference_executor(
    program: ir.Program, objects: ObjectCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> str:
        raise UnsupportedError("a number of 5000 bits")

    monkeypatch.setattr(source, "emit", refuse)
    assert isinstance(start_engine(program), ReferenceEngine)
    assert "a number of 5000 bits" in caplog.text


def test_a_program_is_printed_once(program: ir.Program, objects: ObjectCache, monkeypatch: pytest.MonkeyPatch) -> None:
    printed = source.source_of(program).text
    monkeypatch.setattr(source, "emit", lambda *_: pytest.fail("printed again"))
    assert source.source_of(program).text == printed
