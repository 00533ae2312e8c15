# SPDX-License-Identifier: Apache-2.0
"""The ring between a worker and Python, under the sanitizers; the test itself is ``runtime/ring_test.c``."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from softnic.native import find_compiler
from softnic.native.compiler import RUNTIME

SOURCE = Path(__file__).parent / "runtime" / "ring_test.c"


@pytest.mark.parametrize("sanitizers", ["thread", "address,undefined"])
def test_every_record_comes_once_and_whole_and_in_order_or_is_refused(sanitizers: str, tmp_path: Path) -> None:
    flags = ["-std=gnu11", "-O1", "-g", "-pthread", f"-I{RUNTIME}", f"-fsanitize={sanitizers}"]
    flags += ["-fno-sanitize-recover=all", "-Wall", "-Wextra", "-Werror"]
    binary = tmp_path / "ring_test"
    sources = [str(SOURCE), str(RUNTIME / "snic_ring.c")]
    subprocess.run([*find_compiler().command, *flags, "-o", str(binary), *sources], check=True)
    done = subprocess.run([binary], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
