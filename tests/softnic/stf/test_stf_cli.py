# SPDX-License-Identifier: Apache-2.0
"""``softnic stf`` from outside: 0 passed, 1 failed and how, 2 could not run and why; and whole folders.

The compiler is a script that "compiles" a source by copying the JSON that the source names.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from softnic import ir
from softnic.cli import app
from softnic.engine import Engine
from softnic.inputs import InputError
from softnic.stf.compiler import Compiler
from softnic.stf.corpus import Case, failure

COMPILED = Path(__file__).parents[2] / "p4/compiled"
PROGRAM = COMPILED / "replication.json"
PASSES = "packet 0 00 00 aaaa\nexpect 2 0000aaaa\n"
FAILS = "packet 0 00 00 aaaa\nexpect 2 0000aabb\n"
HEAD = "#include <v1model.p4>\n"

FAKE_P4C = r"""#!/bin/sh
[ "$1" = --version ] && { echo "fake p4c 1"; exit; }
echo "$@" >> "$(dirname "$0")/calls"
while [ $# -gt 1 ]; do [ "$1" = -o ] && out=$2; shift; done
json=$(sed -n 's,^// json: ,,p' "$1")
[ "$json" ] || { echo "warning: none" >&2; echo "$1(1): error: no such thing" >&2; exit 1; }
cp "$json" "$out"
"""


@pytest.fixture
def invoke():
    def run(*arguments):
        return CliRunner().invoke(app, ["stf", *map(str, arguments)])

    return run


@pytest.fixture
def stf(tmp_path):
    def write(text: str) -> Path:
        path = tmp_path / "test.stf"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def p4c(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "p4c"
    path.write_text(FAKE_P4C)
    path.chmod(0o755)
    return path


@pytest.fixture
def corpus(tmp_path):
    """Two programs with a test, one that passes and one that fails."""
    folder = tmp_path / "samples"
    add_case(folder, "good", PASSES)
    add_case(folder, "bad", FAILS)
    return folder


def add_case(folder: Path, name: str, test: str | None, source: str = f"{HEAD}// json: {PROGRAM}\n") -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.p4").write_text(source)
    if test is not None:
        (folder / f"{name}.stf").write_text(test)


def verdicts(result) -> dict[str, str]:
    return {each["name"]: each["verdict"] for each in json.loads(result.stdout)["tests"]}


# ---- one test -------------------------------------------------------------------------------------------------------


def test_a_test_that_passes_exits_with_0_and_says_what_was_read_and_not_compared(invoke, stf):
    path = stf("mirroring_add 1 5\nmirroring_get 1\npacket 0 00 00 aaaa\n")
    result = invoke(PROGRAM, path)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "line 2: mirroring session 1 goes to port 5",
        "not compared: 1 packets left by port 2, which the test does not name",
        f"passed: {path}",
    ]


def test_a_test_that_fails_exits_with_1_and_shows_the_first_difference(invoke, stf):
    path = stf(FAILS)
    result = invoke(PROGRAM, path)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"failed: {path}:2: the packet from port 2 differs",
        "  expected  0000  00 00 aa bb",
        "  got       0000  00 00 aa aa 00 00 00 00 00 04",
        "                           ^^",
    ]


def test_a_difference_is_there_for_programs_too(invoke, stf):
    path = stf(FAILS)
    assert json.loads(invoke(PROGRAM, path, "--json").stdout) == {
        "test": str(path),
        "passed": False,
        "difference": {
            "line": 2,
            "message": "the packet from port 2 differs",
            "expected": "0000aabb",
            "got": "0000aaaa000000000004",
        },
        "notes": [],
        "unseen": {},
    }


def test_a_source_is_compiled_first(invoke, stf, corpus, p4c):
    assert invoke(corpus / "good.p4", stf(PASSES), "--p4c", p4c).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "name PROGRAM and TEST.stf, or folders with --folder"),
        ([PROGRAM], "name PROGRAM and TEST.stf, or folders with --folder"),
        (["missing.json", "{test}"], "missing.json: No such file"),
        ([PROGRAM, "missing.stf"], "missing.stf: No such file"),
        ([COMPILED / "MANIFEST", "{test}"], "this is not JSON"),
        ([PROGRAM, "{test}"], "test.stf:1: there is no table t"),
        (["{source}", "{test}", "--p4c", "{p4c}"], "source.p4(1): error: no such thing"),
        (["{source}", "{test}", "--p4c", "no-p4c"], "no-p4c does not run: No such file or directory; install p4c"),
        (["--folder", "{folder}"], "no v1model program with an .stf beside it"),
        (["--folder", "{folder}/absent"], "absent: no such folder"),
        (["--folder", "{folder}", "--known", "{test}"], "not TOML"),
        (["--folder", "{folder}", "--known", "{known}"], "needs a reason"),
    ],
)
def test_what_can_not_run_exits_with_2_and_says_why(invoke, stf, p4c, tmp_path, arguments, message):
    (tmp_path / "source.p4").write_text(HEAD)
    (tmp_path / "known.toml").write_text('"a/b" = ""')
    (tmp_path / "empty").mkdir()
    places = {
        "test": stf("setdefault t act()\n"),
        "source": tmp_path / "source.p4",
        "p4c": p4c,
        "folder": tmp_path / "empty",
        "known": tmp_path / "known.toml",
    }
    result = invoke(*(str(argument).format(**places) for argument in arguments))
    assert result.exit_code == 2
    assert message in result.stderr


# ---- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_with_a_failure_exits_with_1_and_names_it(invoke, corpus, p4c):
    result = invoke("--folder", corpus, "--p4c", p4c)
    assert result.exit_code == 1
    assert "failed: samples/bad: line 2: the packet from port 2 differs" in result.stdout
    assert result.stdout.splitlines()[-1] == "passed 1, expected 0, failed 1"


def test_a_failure_that_is_known_is_expected_and_exits_with_0(invoke, corpus, p4c, tmp_path):
    known = tmp_path / "known.toml"
    known.write_text('"samples/bad" = "it is made so"\n"elsewhere/bad" = "not of this folder"')
    result = invoke("--folder", corpus, "--known", known, "--p4c", p4c)
    assert result.exit_code == 0, result.output
    assert "expected: samples/bad: it is made so" in result.stdout
    assert result.stdout.splitlines()[-1] == "passed 1, expected 1, failed 0"


@pytest.mark.parametrize("listed", ["samples/good", "samples/gone"])
def test_a_known_failure_that_passes_or_is_not_there_fails_the_run(invoke, corpus, p4c, tmp_path, listed):
    known = tmp_path / "known.toml"
    known.write_text(f'"samples/bad" = "it is made so"\n"{listed}" = "it was made so"')
    result = invoke("--folder", corpus, "--known", known, "--p4c", p4c, "--json")
    assert result.exit_code == 1
    assert verdicts(result)[listed] == "failed"


@pytest.mark.parametrize(
    ("test", "source", "reason"),
    [
        ("nonsense\n", f"{HEAD}// json: {PROGRAM}\n", "begins no statement"),
        (PASSES, HEAD, "error: no such thing"),
        (PASSES, f"{HEAD}// json: {COMPILED / 'MANIFEST'}\n", "this is not JSON"),
    ],
)
def test_in_a_folder_what_can_not_run_failed(invoke, p4c, tmp_path, test, source, reason):
    add_case(tmp_path / "samples", "odd", test, source)
    result = invoke("--folder", tmp_path / "samples", "--p4c", p4c, "--json")
    assert result.exit_code == 1
    (judged,) = json.loads(result.stdout)["tests"]
    assert judged["verdict"] == "failed"
    assert reason in judged["reason"]


def test_in_a_folder_a_program_that_the_engine_can_not_have_failed(corpus, p4c, tmp_path):
    def refuse(program: ir.Program, **_: object) -> Engine:
        raise InputError("no engine here")

    case = Case("samples/good", corpus / "good.p4", corpus / "good.stf")
    assert failure(case, Compiler([str(p4c)], tmp_path / "cache"), refuse) == "no engine here"


def test_only_v1model_programs_are_run_also_where_a_file_of_theirs_includes_the_architecture(invoke, p4c, tmp_path):
    folder = tmp_path / "samples"
    add_case(folder, "psa", PASSES, "#include <psa.p4>\n")
    add_case(folder, "skeleton", None)
    add_case(folder, "indirect", PASSES, f'#include "skeleton.p4"\n// json: {PROGRAM}\n')
    result = invoke("--folder", folder, "--p4c", p4c, "--json")
    assert verdicts(result) == {"samples/indirect": "passed"}


def test_programs_that_should_at_least_load_have_the_empty_test(invoke, p4c, tmp_path):
    folder = tmp_path / "samples"
    add_case(folder, "loads-bmv2", None)
    add_case(folder, "other", None)
    (folder / "empty.stf").write_text("# nothing\n")
    assert verdicts(invoke("--folder", folder, "--p4c", p4c, "--json")) == {"samples/loads-bmv2": "passed"}


def test_folders_of_p4_14_are_compiled_as_such(invoke, p4c, tmp_path):
    folder = tmp_path / "p4_14_samples"
    add_case(folder, "old", PASSES, f"// json: {PROGRAM}\n")
    assert verdicts(invoke("--folder", folder, "--p4c", p4c, "--json")) == {"p4_14_samples/old": "passed"}
    assert "--std p4-14" in (tmp_path / "calls").read_text()


def test_a_program_is_compiled_again_only_when_it_or_the_command_changed(invoke, p4c, tmp_path):
    folder = tmp_path / "samples"
    add_case(folder, "part", None)
    add_case(folder, "whole", PASSES, f'#include "part.p4"\n// json: {PROGRAM}\n')

    def compilations(command) -> int:
        assert invoke("--folder", folder, "--p4c", command).exit_code == 0
        return len((tmp_path / "calls").read_text().splitlines())

    assert compilations(p4c) == 1
    assert compilations(p4c) == 1
    assert compilations(f"{p4c} --parser-inline-opt") == 2
    add_case(folder, "part", None, f"{HEAD}// changed\n")
    assert compilations(p4c) == 3
