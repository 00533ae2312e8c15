# SPDX-License-Identifier: Apache-2.0
"""``softnic compile``: what each step makes of a program, and what it says when a step can't be done."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from softnic.cli import app

PROGRAM = Path(__file__).parents[2] / "p4/compiled/tables.json"


@pytest.fixture
def compile_() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(app, ["compile", str(PROGRAM), *map(str, arguments)])


def test_dumped_ir_names_each_object_in_full_once(compile_: Callable[..., Result]) -> None:
    result = compile_("--dump", "ir")
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines.count("name: IngressPipe.groups") == 1
    assert (
        "[0] KeyField(name: hdr.query.address, kind: exact, expr: query.address, width: 32, mask: 4294967295)" in lines
    )


def test_dumped_c_is_the_same_each_time(compile_: Callable[..., Result], tmp_path: Path) -> None:
    first, second = compile_("--dump", "c").stdout, compile_("--dump", "c", "-o", tmp_path / "tables.c")
    assert second.stdout == ""
    assert "snic_program_v1" in first
    assert (tmp_path / "tables.c").read_text() == first


def test_compiled_object_is_written_and_told_of(compile_: Callable[..., Result], tmp_path: Path) -> None:
    result = compile_("-O", "0", "-o", tmp_path / "tables.so", "--json")
    told = json.loads(result.stdout)
    assert (tmp_path / "tables.so").read_bytes() == Path(told["object"]).read_bytes()
    assert told["object_bytes"] == (tmp_path / "tables.so").stat().st_size
    assert json.loads(compile_("-O", "0", "--json").stdout)["was_cached"]


def test_steps_are_told_in_words_and_the_object_stands_alone(compile_: Callable[..., Result]) -> None:
    told = json.loads(compile_("-O", "0", "--json").stdout)
    lines = compile_("-O", "0").stdout.splitlines()
    assert lines[-1] == told["object"]
    assert any(re.search(r"C compiled +│ +before", line) for line in lines)
    assert any(f"{told['c_lines']:,} lines" in line for line in lines)
    assert not any(key in "".join(lines[:-1]) for key in told)


def test_c_is_dumped_without_a_compiler(compile_: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    assert "snic_program_v1" in compile_("--dump", "c").stdout


def test_without_a_compiler_the_way_out_is_told(
    compile_: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-cc")
    result = compile_()
    assert result.exit_code == 2
    assert "no C compiler: looked for no-such-cc" in result.stderr
    assert "softnic run takes the reference executor" in result.stderr
