# SPDX-License-Identifier: Apache-2.0
"""`make demo`, with hosts and without, and what it leaves behind when it is interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "demo/nic.py")]
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def can_unshare() -> bool:
    as_user = ["--user", "--map-root-user"] if os.geteuid() else []
    try:
        return subprocess.run([*UNSHARE, *as_user, "ip", "link"], capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


needs_namespaces = pytest.mark.skipif(not can_unshare(), reason="no network namespaces, or no iproute2, here")


@needs_namespaces
def test_demo_carries_real_traffic_and_the_sums_agree() -> None:
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=100)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.count(" 0% packet loss") == 2
    assert demo.stdout.count("SHA-256 as sent") == 2
    assert re.search(r"SRC_MAC_SPOOFED +1 ", demo.stdout)
    assert demo.stdout.rstrip().splitlines()[-2].endswith("holds")


@needs_namespaces
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_demo_leaves_no_process_behind(stop: signal.Signals) -> None:
    demo = subprocess.Popen(DEMO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    assert demo.stdout
    while "inserted" not in (line := demo.stdout.readline()):
        assert line, "the demo ended by itself"
    demo.send_signal(stop)
    rest = demo.stdout.read()  # ends when nobody holds the other end of the pipe: the demo's children hold it too
    assert demo.wait(timeout=20) != 0
    assert "holds" not in rest


def test_demo_without_namespaces_replays_a_capture_and_says_so() -> None:
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": "/nowhere"})
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "No hosts to connect here" in demo.stdout
    assert "drop_reason_t.SRC_MAC_SPOOFED" in demo.stdout
