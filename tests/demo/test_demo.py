# SPDX-License-Identifier: Apache-2.0
"""`make demo`, with hosts and without, and what it leaves behind when it is interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from labs import demo, interrupt, needs_namespaces

DEMO = demo("nic")


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
    assert "holds" not in interrupt(DEMO, "inserted", stop)


def test_demo_without_namespaces_replays_a_capture_and_says_so() -> None:
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": "/nowhere"})
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "No hosts to connect here" in demo.stdout
    assert "drop_reason_t.SRC_MAC_SPOOFED" in demo.stdout
