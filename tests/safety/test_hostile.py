# SPDX-License-Identifier: Apache-2.0
"""What the machine around the native engine may do to it: packets are served all the same, and a warning says why.

Elsewhere, on both engines: configs and requests that make no sense (``tests/softnic/server``), interfaces that vanish
and pipelines replaced under traffic (``tests/softnic/native/test_dataplane.py``), clients that do not read
(``tests/softnic/server/test_server_streams.py``), no compiler at all (``tests/softnic/native/test_startup.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from softnic.frontend import load_program
from softnic.native import Build, compiler, engine, find_compiler, library, start_engine
from softnic.native.cache import ObjectCache
from softnic.native.source import source_of
from softnic.native.startup import FAST
from softnic.reference import ReferenceEngine

PROGRAM = load_program(Path(__file__).parents[1] / "p4" / "compiled" / "tables.json")


@pytest.fixture
def objects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectCache:
    """An empty cache, but for the runtime."""
    cache = ObjectCache(tmp_path)
    runtime = find_compiler().runtime(Build())
    (tmp_path / runtime.name).symlink_to(runtime)
    monkeypatch.setattr(compiler, "_shared_cache", lambda: cache)
    return cache


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "not an object": lambda data: b"#!/bin/sh\n" * 1000,
    "without its headers": lambda data: bytes(64) + data[64:],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_object_in_the_cache_is_not_run(
    objects: ObjectCache, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = source_of(PROGRAM).compiled(FAST)
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert isinstance(start_engine(PROGRAM), ReferenceEngine)
    assert path.name in caplog.text


@pytest.mark.parametrize("damage", ["empty", "not an object"])
def test_damaged_declarations_in_the_cache_are_named(
    objects: ObjectCache, damage: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = library.load_ffi.__wrapped__  # what load_ffi does the first time
    parsed()
    [kept] = objects.folder.glob("*.py")
    kept.write_bytes(DAMAGES[damage](kept.read_bytes()))
    monkeypatch.setattr(library, "load_ffi", parsed)
    monkeypatch.setattr(engine, "load_runtime", library.Runtime)
    assert isinstance(start_engine(PROGRAM), ReferenceEngine)
    assert f"{kept} is damaged, remove it" in caplog.text


def test_an_object_of_another_program_is_not_run(objects: ObjectCache, caplog: pytest.LogCaptureFixture) -> None:
    other = load_program(Path(__file__).parents[1] / "p4" / "compiled" / "router.json")
    path = source_of(PROGRAM).compiled(FAST)
    path.write_bytes(source_of(other).compiled(FAST).read_bytes())
    assert isinstance(start_engine(PROGRAM), ReferenceEngine)
    assert path.name in caplog.text


def test_a_compiler_that_fails_is_quoted(
    objects: ObjectCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] || { echo no space left >&2; exit 3; }\n')
    broken.chmod(0o755)
    monkeypatch.setenv("CC", str(broken))
    assert isinstance(start_engine(PROGRAM), ReferenceEngine)
    assert "failed with status 3:\nno space left" in caplog.text


def test_a_compiler_that_hangs_is_not_waited_for(
    objects: ObjectCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = tmp_path / "hanging-cc"
    hanging.write_text('#!/bin/sh\n[ "$1" = --version ] || sleep 1000\n')
    hanging.chmod(0o755)
    monkeypatch.setenv("CC", str(hanging))
    monkeypatch.setattr(compiler, "LIMIT_S", 0.2)
    assert isinstance(start_engine(PROGRAM), ReferenceEngine)
    assert "did not end within 0.2 s" in caplog.text
