# SPDX-License-Identifier: Apache-2.0
"""A hunt that ends badly leaves what it takes to see it again."""

from __future__ import annotations

from pathlib import Path

from diff.generate import Generator
from diff.scenario import Burst, load, save
from safety.packets import replayed
from softnic.frontend import load_program

ROUTER = Path(__file__).parents[1] / "p4" / "compiled" / "router.json"


def test_state_and_frames_of_a_hunt_become_a_scenario(tmp_path: Path) -> None:
    journal, kept = tmp_path / "journal", tmp_path / "kept.yaml"
    journal.write_text("3:0102 0:\n511:ff\n")
    save(kept, "router", replayed(ROUTER, 7, journal))
    name, scenario = load(kept)
    assert name == "router"
    assert scenario.steps[:-2] == Generator(load_program(ROUTER)).scenario(7).steps
    assert scenario.steps[-2:] == (Burst(((3, b"\1\2"), (0, b""))), Burst(((511, b"\xff"),)))
