# SPDX-License-Identifier: Apache-2.0
"""The runtime's state in C: programs beside this file, built with sanitizers and run.

- Tables of every kind agree with a list that is searched from end to end, after each of thousands of changes.
- What a reader may still see is not freed, and nothing is lost (AddressSanitizer).
- Lookups and changes do not race (ThreadSanitizer).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNTIME = Path(__file__).parents[4] / "target/softnic/runtime"
SOURCES = [
    RUNTIME / f"snic_{name}.c"
    for name in (
        *("epoch", "arena", "exact", "lpm", "ternary", "map", "meter", "profile"),
        *("table", "extern", "worker", "entries", "engine", "hash"),
    )
]
NAMES = ("exact", "lpm_32", "lpm_128", "lpm_with_exact", "lpm_of_11_bits", "ternary", "range", "exact_of_12_bits")
TABLES = {name: number for number, name in enumerate(NAMES)}
"""By their places in ``enum fixture_table``."""
CASES = re.findall(r"CASE\((\w+)\),", (HERE / "state.c").read_text())

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def _build(folder: Path, program: str, sanitizers: str) -> Path:
    built = folder / program
    warnings = ["-Wall", "-Wextra", "-Werror"]
    flags = [
        "-std=gnu11",
        "-O1",
        "-g",
        "-march=native",
        "-fno-sanitize-recover=all",
        "-rdynamic",
        "-pthread",
        *warnings,
    ]
    sources = [HERE / f"{program}.c", HERE / "fixture.c", *SOURCES]
    command = ["cc", *flags, f"-fsanitize={sanitizers}", f"-I{RUNTIME}", *map(str, sources), "-o", str(built), "-ldl"]
    subprocess.run(command, check=True, timeout=100)
    return built


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("oracle"), "oracle", "address,undefined")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("state"), "state", "address,undefined")


@pytest.fixture(scope="module")
def concurrent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("concurrent"), "concurrent", "thread")


def _run(*command: object) -> None:
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("table", TABLES)
def test_lookups_agree_with_a_linear_search_after_each_change(oracle: Path, table: str, seed: int) -> None:
    _run(oracle, TABLES[table], seed)


@pytest.mark.parametrize("table", ["exact", "lpm_32", "lpm_with_exact", "ternary", "range", "exact_of_12_bits"])
def test_lookups_do_not_race_with_changes(concurrent: Path, table: str) -> None:
    _run(concurrent, TABLES[table])


@pytest.mark.parametrize("case", CASES)
def test_engine_state(state: Path, case: str) -> None:
    _run(state, case)
