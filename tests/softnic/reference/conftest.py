# SPDX-License-Identifier: Apache-2.0
"""Engines running the programs of tests/p4, on a clock that stands still until told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
from clocks import ManualClock

from softnic.frontend import load_program
from softnic.reference import ReferenceEngine

COMPILED = Path(__file__).parents[2] / "p4" / "compiled"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(request: pytest.FixtureRequest, clock: ManualClock) -> ReferenceEngine:
    """Runs the program that the test module names in ``PROGRAM``."""
    program = load_program(COMPILED / f"{request.module.PROGRAM}.json")
    return ReferenceEngine(program, clock_ns=clock)
