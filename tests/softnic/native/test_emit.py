# SPDX-License-Identifier: Apache-2.0
"""The C text of whole programs.

``UPDATE_GOLDENS=1 pytest tests/softnic/native/test_emit.py`` writes the goldens anew: read their difference.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import softnic
from softnic import ir
from softnic.frontend import load_program
from softnic.native.emit.errors import UnsupportedError
from softnic.native.emit.program import emit

ROOT = Path(__file__).parents[3]
GOLDENS = Path(__file__).parent / "goldens"
RUNTIME = Path(softnic.__file__).parent / "runtime"
PROGRAMS = sorted([*ROOT.glob("tests/p4/compiled/*.json"), *ROOT.glob("p4src/compiled/*.json")])
COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
SHA256 = "5eed" * 16


def c_of(path: Path) -> str:
    return emit(load_program(path), SHA256)


@pytest.mark.parametrize("name", ["labels", "learn", "replication", "router", "sequence"])
def test_c_is_as_the_golden(name: str) -> None:
    text, golden = c_of(ROOT / f"tests/p4/compiled/{name}.json"), GOLDENS / f"{name}.c"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text(text)
    assert text == golden.read_text()


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_c_does_not_depend_on_the_order_of_sets(hash_seed: str) -> None:
    path = ROOT / "p4src/compiled/nic.json"
    script = (
        "import sys; from softnic.frontend import load_program; from softnic.native.emit.program import emit;"
        f"sys.stdout.write(emit(load_program(sys.argv[1]), {SHA256!r}))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    run = subprocess.run(
        [sys.executable, "-c", script, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout == c_of(path)


def test_a_value_set_compared_with_keys_that_are_padded_differently_is_refused() -> None:
    program = load_program(ROOT / "tests/p4/compiled/value_sets.json")
    state = next(s for s in program.parser.states if any(isinstance(c, ir.ValueSetCase) for c in s.cases))
    parts = (ir.KeyPart(ir.Const(0), 1), ir.KeyPart(ir.Const(0), sum(part.width for part in state.key) - 1))
    parser = replace(program.parser, states=(*program.parser.states, replace(state, key=parts)))
    with pytest.raises(UnsupportedError, match="keys of different fields"):
        emit(replace(program, parser=parser), SHA256)


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_c_compiles_without_a_warning(path: Path, compiler: str) -> None:
    """Also none about unused functions, which gcc does not look for among inline ones, but clang does."""
    text = c_of(path).replace("static inline ", "static ")
    assert not warnings_of(compiler, "-O1", "-S", "-o", os.devnull, "-x", "c", "-", text=text)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_runtime_compiles_without_a_warning(compiler: str) -> None:
    assert not warnings_of(compiler, "-fsyntax-only", *map(str, sorted(RUNTIME.glob("*.c"))))


def warnings_of(compiler: str, *arguments: str, text: str = "") -> str:
    """What it says of some files, or of `text`."""
    command = [compiler, "-std=gnu11", "-march=native", "-Wall", "-Wextra", "-Werror", f"-I{RUNTIME}", *arguments]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).stderr
