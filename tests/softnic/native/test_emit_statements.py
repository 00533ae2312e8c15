# SPDX-License-Identifier: Apache-2.0
"""Random action bodies, jumps included: packets, registers and anomalies are those of the reference executor."""

from __future__ import annotations

from pathlib import Path

import pytest
from random_programs import Generator
from snippets import Snippets, expected
from test_emit_expressions import supported


@pytest.mark.parametrize("seed", range(4))
def test_bodies_agree_with_the_reference(seed: int, tmp_path: Path) -> None:
    generator = Generator(seed)
    bodies = [body for length in (1, 1, 2, 6) for _ in range(40) if supported(body := generator.body(length))]
    packets = [generator.snapshot() for _ in range(12)]
    for before, results in zip(packets, Snippets(bodies, tmp_path).run(packets), strict=True):
        for body, result in zip(bodies, results, strict=True):
            assert result == expected(body, before), body
