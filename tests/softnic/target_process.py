# SPDX-License-Identifier: Apache-2.0
"""``softnic run`` as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def running(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``softnic run`` on a free port, and the line with which it said that it is ready."""
    command = [sys.executable, "-m", "softnic", "run", "--grpc-addr", "127.0.0.1:0", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as target:
        try:
            assert target.stdout is not None
            yield target, target.stdout.readline()
        finally:
            target.kill()
