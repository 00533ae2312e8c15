# SPDX-License-Identifier: Apache-2.0
"""`make demo-gateway`: what it shows is so, it leaves nothing behind, and it says so where it can't run."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from labs import demo, interrupt, needs_namespaces

DEMO = demo("gateway")


@needs_namespaces
def test_gateways_demo_shows_what_it_promises() -> None:
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    output = done.stdout

    # Each tenant by an address of its own pool, and by its own IPv6 address.
    assert re.search(r"^red  203\.0\.113\.6[45] port", output, re.MULTILINE)
    assert re.search(r"^blue 203\.0\.113\.6[67] port", output, re.MULTILINE)
    assert "red  2001:db8:1:1::10 port" in output
    assert "blue 2001:db8:2:1::10 port" in output

    # Downloads go through, and the cache knows of both tenants.
    assert len(re.findall(r"^\w+ +7,995,392 bytes", output, re.MULTILINE)) == 2
    rates = [float(rate) for rate in re.findall(r"^(?:red|blue) +([\d.]+)%", output, re.MULTILINE)]
    assert len(rates) == 2
    assert min(rates) > 0

    # The rule stops red's, and not blue's.
    assert re.search(r"^red +stopped at", output, re.MULTILINE)
    assert re.search(r"^blue +goes on", output, re.MULTILINE)
    assert re.search(r"^FIREWALL_DENY +[1-9]", output, re.MULTILINE)
    assert output.rstrip().splitlines()[-2].endswith("holds")


@needs_namespaces
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_gateways_demo_leaves_no_process_behind(stop: signal.Signals) -> None:
    assert "holds" not in interrupt(DEMO, "configured:", stop)


def test_gateways_demo_without_namespaces_says_why_it_does_not_run() -> None:
    done = subprocess.run(DEMO, capture_output=True, text=True, timeout=60, env={**os.environ, "PATH": "/nowhere"})
    assert done.returncode == 1
    assert "this one needs hosts" in done.stderr
    assert "not found: apt install" in done.stderr
