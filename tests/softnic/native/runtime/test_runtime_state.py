# SPDX-License-Identifier: Apache-2.0
"""The runtime's state in C: programs beside this file, built with sanitizers and run.

- Tables of every kind agree with a list that is searched from end to end, after each of thousands of changes, and
  also while a change fails for want of memory.
- What a reader may still see is not freed, and nothing is lost (AddressSanitizer).
- Lookups and changes do not race (ThreadSanitizer).
- Engines that are upgraded and closed leave nothing in use (both).
- Counts of sent frames go on where positions wrap.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNTIME = Path(__file__).parents[4] / "target/softnic/runtime"
SOURCES = [
    RUNTIME / f"snic_{name}.c"
    for name in (
        *("epoch", "arena", "exact", "lpm", "rules", "vectors", "tuples", "ternary", "map", "meter", "profile"),
        *("table", "extern", "worker", "entries", "engine", "hash"),
    )
]
NAMES = ("exact", "lpm_32", "lpm_128", "lpm_with_exact", "lpm_of_11_bits", "ternary", "range", "exact_of_12_bits")
TABLES = {name: number for number, name in enumerate(NAMES)}
"""By their places in ``enum fixture_table``."""
CASES = re.findall(r"CASE\((\w+)\),", (HERE / "state.c").read_text())

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def _build(folder: Path, program: str, sanitizers: str, *more: object) -> Path:
    sources = [HERE / f"{program}.c", HERE / "fixture.c", *SOURCES]
    return _cc(folder / program, sanitizers, "-rdynamic", "-pthread", *sources, *more, "-ldl")


def _build_object(path: Path, sanitizers: str) -> Path:
    return _cc(path, sanitizers, "-shared", "-fPIC", HERE / "fixture.c")


def _cc(built: Path, sanitizers: str, *arguments: object) -> Path:
    flags = ["-std=gnu11", "-O1", "-g", "-march=native", "-Wall", "-Wextra", "-Werror"]
    sanitize = [f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all"]
    command = ["cc", *flags, *sanitize, f"-I{RUNTIME}", *map(str, arguments), "-o", str(built)]
    subprocess.run(command, check=True, timeout=100)
    return built


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    wraps = [f"-Wl,--wrap={name}" for name in ("calloc", "snic_reserve", "snic_arena_take")]
    return _build(tmp_path_factory.mktemp("oracle"), "oracle", "address,undefined", HERE / "scarcity.c", *wraps)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("state"), "state", "address,undefined")


@pytest.fixture(scope="module")
def concurrent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _build(tmp_path_factory.mktemp("concurrent"), "concurrent", "thread")


def _run(*command: object, environment: Mapping[str, str] | None = None) -> None:
    ran = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | (environment or {}),
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("table", TABLES)
def test_lookups_agree_with_a_linear_search_after_each_change(oracle: Path, table: str, seed: int) -> None:
    _run(oracle, TABLES[table], seed, 200, 40, "plenty")


@pytest.mark.parametrize("table", TABLES)
def test_lookups_agree_with_a_linear_search_in_a_large_table(oracle: Path, table: str) -> None:
    _run(oracle, TABLES[table], 3, 2000, 4, "plenty")


@pytest.mark.parametrize("table", TABLES)
def test_a_change_that_runs_out_of_memory_is_never_seen(oracle: Path, table: str) -> None:
    _run(oracle, TABLES[table], 4, 200, 4, "scarce")


@pytest.mark.parametrize("table", ["ternary", "range"])
def test_a_change_that_runs_out_of_memory_on_the_way_to_a_tuple_is_never_seen(oracle: Path, table: str) -> None:
    _run(oracle, TABLES[table], 5, 1000, 1, "scarce")


@pytest.mark.parametrize("entries", [64, 1000])
@pytest.mark.parametrize("table", ["exact", "lpm_32", "lpm_with_exact", "ternary", "range", "exact_of_12_bits"])
def test_lookups_do_not_race_with_changes(concurrent: Path, table: str, entries: int) -> None:
    _run(concurrent, TABLES[table], entries)


@pytest.mark.parametrize("case", CASES)
def test_engine_state(state: Path, case: str) -> None:
    _run(state, case)


def test_sent_frames_are_counted_where_positions_in_the_ring_wrap(tmp_path: Path) -> None:
    sources = [HERE / "xdp_positions.c", *(RUNTIME / f"snic_{name}.c" for name in ("link", "xdp_hook"))]
    _run(_cc(tmp_path / "xdp_positions", "address,undefined", *sources))


@pytest.mark.parametrize("sanitizers", ["address,undefined", "thread"])
def test_engines_are_upgraded_and_closed_while_others_run(tmp_path: Path, sanitizers: str) -> None:
    lifecycle = _build(tmp_path, "lifecycle", sanitizers)
    objects = [_build_object(tmp_path / f"{name}.so", sanitizers) for name in ("first", "second")]
    suppressions = tmp_path / "suppressions"
    suppressions.write_text("called_from_lib:ld-linux\n")  # the loader's own lock is one that TSan does not know
    options = {
        "ASAN_OPTIONS": "detect_odr_violation=0",  # every program exports the same symbol
        "TSAN_OPTIONS": f"suppressions={suppressions}",
    }
    _run(lifecycle, *objects, environment=options)
