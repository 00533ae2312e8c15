# SPDX-License-Identifier: Apache-2.0
"""The compiler is found, asked once for each object, and its refusals can be acted on."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from softnic.native import Build, Compiler, CompilerError, find_compiler
from softnic.native import compiler as compiler_module
from softnic.native.cache import ObjectCache

ANSWER = "int answer(void) { return 42; }\n"
UNUSED = "static int unused(void) { return 1; }\n" + ANSWER


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    return Compiler(find_compiler().command, ObjectCache(tmp_path))


def test_program_becomes_a_shared_object(compiler: Compiler, tmp_path: Path) -> None:
    path = compiler.program(ANSWER, Build(optimization=0))
    assert ctypes.CDLL(str(path)).answer() == 42
    assert list(tmp_path.iterdir()) == [path]


def test_what_was_compiled_is_not_compiled_again(compiler: Compiler) -> None:
    build = Build(optimization=0)
    assert not compiler.has_program(ANSWER, build)
    path = compiler.program(ANSWER, build)
    made = path.stat().st_ino
    assert compiler.has_program(ANSWER, build)
    assert compiler.program(ANSWER, build).stat().st_ino == made


@pytest.mark.parametrize("other", [Build(optimization=1), Build(optimization=0, sanitize="address")], ids=str)
def test_another_build_is_another_object(compiler: Compiler, other: Build) -> None:
    assert compiler.program(ANSWER, Build(optimization=0)) != compiler.program(ANSWER, other)


def test_refusal_shows_the_command_and_what_the_compiler_said(compiler: Compiler, tmp_path: Path) -> None:
    with pytest.raises(CompilerError, match=r"-O0(.|\n)*failed with status 1:\n(.|\n)*nonsense"):
        compiler.program("nonsense", Build(optimization=0))
    assert list(tmp_path.iterdir()) == []


def test_only_a_strict_build_refuses_what_it_warns_of(compiler: Compiler) -> None:
    compiler.program(UNUSED, Build(optimization=0))
    with pytest.raises(CompilerError, match="unused"):
        compiler.program(UNUSED, Build(optimization=0, strict=True))


def test_cc_names_the_compiler_and_its_options(monkeypatch: pytest.MonkeyPatch) -> None:
    command = find_compiler().command[0]
    monkeypatch.setenv("CC", f"{command} -DWITH='a b'")
    assert find_compiler().command == (command, "-DWITH=a b")


@pytest.mark.parametrize("wanted", ["no-such-cc", ""])
def test_without_a_compiler_the_error_says_what_to_install(
    wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", wanted)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompilerError, match="install gcc or clang"):
        find_compiler()


def test_a_compiler_that_hangs_is_ended_with_all_it_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo, hanging = tmp_path / "fifo", tmp_path / "hanging-cc"
    os.mkfifo(fifo)
    hanging.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit\nexec 9>{fifo}\nsleep 1000\n')
    hanging.chmod(0o755)
    monkeypatch.setattr(compiler_module, "LIMIT_S", 0.2)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(CompilerError, match=r"\.c did not end within 0\.2 s"):
        Compiler((str(hanging),), ObjectCache(tmp_path)).program(ANSWER, Build())
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # nobody holds the other end any more: shell and sleep are gone
    os.close(reader)


def test_the_runtime_is_compiled_as_it_was_when_softnic_was_loaded(
    compiler: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a program that is compiled after an upgrade of softnic would not fit the runtime of a process before it."""
    monkeypatch.setitem(compiler_module.RUNTIME_TEXT, "snic_text.h", "#define ANSWER 42\n")
    path = compiler.program('#include "snic_text.h"\nint answer(void) { return ANSWER; }\n', Build(optimization=0))
    assert ctypes.CDLL(str(path)).answer() == 42
    assert list(tmp_path.iterdir()) == [path]


def test_runtime_compiles_without_a_warning(compiler: Compiler) -> None:
    assert compiler.runtime(Build(strict=True)).exists()
