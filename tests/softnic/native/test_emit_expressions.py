# SPDX-License-Identifier: Apache-2.0
"""Random expressions: what generated C stores is what the reference executor stores, under sanitizers."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_programs import Generator
from snippets import PARAMS, PROGRAM, Snippets, expected

from softnic import ir
from softnic.native.emit.calculations import Calculations
from softnic.native.emit.errors import UnsupportedError
from softnic.native.emit.layout import Layout
from softnic.native.emit.names import Names
from softnic.native.emit.statements import Statements


def supported(body: tuple[ir.Statement, ...]) -> bool:
    layout = Layout(PROGRAM)
    try:
        Statements(PROGRAM, layout, Calculations(PROGRAM, layout, Names())).body(body, PARAMS)
    except UnsupportedError:
        return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_assignments_agree_with_the_reference(seed: int, tmp_path: Path) -> None:
    generator = Generator(seed)
    bodies = [(generator.assignment(depth),) for depth in (1, 2, 3, 4) for _ in range(40)]
    kept = [body for body in bodies if supported(body)]
    packets = [generator.snapshot() for _ in range(25)]
    assert len(kept) > len(bodies) * 0.8
    for before, results in zip(packets, Snippets(kept, tmp_path).run(packets), strict=True):
        for body, result in zip(kept, results, strict=True):
            assert result == expected(body, before), body
