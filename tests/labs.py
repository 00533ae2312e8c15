# SPDX-License-Identifier: Apache-2.0
"""Demos as tests run them: whether there can be hosts for them, and how they are interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def demo(name: str) -> list[str]:
    """The command that runs a demo."""
    return [sys.executable, str(ROOT / "demo" / f"{name}.py")]


def can_unshare() -> bool:
    as_user = ["--user", "--map-root-user"] if os.geteuid() else []
    try:
        return subprocess.run([*UNSHARE, *as_user, "ip", "link"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needs_namespaces = pytest.mark.skipif(not can_unshare(), reason="no network namespaces, or no iproute2, here")


def interrupt(command: list[str], after: str, stop: signal.Signals) -> str:
    """Stop a demo as soon as it says `after`.

    Returns: what it printed from then on: all of it, for that ends only when no process of the demo's is left to hold
    the other end of the pipe.
    """
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert running.stdout
    while after not in (line := running.stdout.readline()):
        assert line, "the demo ended by itself"
    running.send_signal(stop)
    rest = running.stdout.read()
    assert running.wait(timeout=20) != 0
    return rest
