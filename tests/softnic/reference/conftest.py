# SPDX-License-Identifier: Apache-2.0
"""Engines running the programs of tests/p4, on a clock that stands still until told otherwise.

What these tests say of the reference executor holds for the native engine too.
"""

from __future__ import annotations

import pytest
from clocks import ManualClock
from p4_programs import COMPILED, EngineOf

from softnic.engine import Engine
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=[ReferenceEngine, NativeEngine], ids=["reference", "native"])
def engine_of(request: pytest.FixtureRequest, clock: ManualClock) -> EngineOf:
    return lambda program: request.param(load_program(program), clock_ns=clock)


@pytest.fixture
def engine(request: pytest.FixtureRequest, engine_of: EngineOf) -> Engine:
    """Runs the program that the test module names in ``PROGRAM``."""
    return engine_of(COMPILED / f"{request.module.PROGRAM}.json")
