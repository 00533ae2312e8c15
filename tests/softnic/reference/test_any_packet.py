# SPDX-License-Identifier: Apache-2.0
"""No packet, whatever is in it, makes an executor fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softnic import ir
from softnic.engine import CloneSession, Engine, Replica
from softnic.frontend import load_program
from softnic.native import NativeEngine
from softnic.reference import ReferenceEngine

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted([*ROOT.glob("tests/p4/compiled/*.json"), *ROOT.glob("p4src/compiled/*.json")])

ether_types = st.sampled_from([b"\x08\x00\x45", b"\x08\x00\x4f", b"\x86\xdd\x60", b"\x81\x00\x00"])
frames = st.tuples(ether_types, st.binary(max_size=90)).map(lambda parts: bytes(12) + b"".join(parts))
packets = st.one_of(st.binary(max_size=120), frames)


@pytest.fixture(scope="module", params=[ReferenceEngine, NativeEngine], ids=["reference", "native"])
def executor(request: pytest.FixtureRequest) -> Callable[[ir.Program], Engine]:
    return request.param


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda path: path.stem)
def engine(request: pytest.FixtureRequest, executor: Callable[[ir.Program], Engine]) -> Engine:
    engine = executor(load_program(request.param))
    for number in range(4):
        engine.set_clone_session(number, CloneSession((Replica(2, 1),)))
        engine.set_multicast_group(number, (Replica(1, 0), Replica(2, 1)))
    return engine


@given(st.integers(0, 511), packets)
def test_any_packet_on_any_port_is_processed(engine: Engine, port: int, data: bytes) -> None:
    assert all(0 <= output.port < 512 for output in engine.process(port, data))
