# SPDX-License-Identifier: Apache-2.0
"""``make corpus``: frames that the packet tests send, one for each way through a program, as files of this repository.

They are what people thought of. The safety suite runs all their prefixes, and mutates them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from diff.programs import ROOT
from diff.scenario import Frame

FOLDER = Path(__file__).parent / "corpus"


def frames_for(program: str) -> list[Frame]:
    """What is kept for the program of that stem: nothing, if it has no packet tests."""
    path = FOLDER / program
    return list(read_frames(path)) if path.exists() else []


def write_frames(path: Path, frames: Iterable[Frame]) -> None:
    """One to a line, port and bytes; without those that are a prefix of another, which are run with it."""
    kept: list[Frame] = []
    for port, data in sorted(set(frames), reverse=True):  # a prefix comes right behind what it is one of
        if not (kept and kept[-1][0] == port and kept[-1][1].startswith(data)):
            kept.append((port, data))
    path.write_text("".join(f"{port} {data.hex()}\n" for port, data in reversed(kept)))


def read_frames(path: Path) -> Iterable[Frame]:
    for line in path.read_text().splitlines():
        port, _, data = line.partition(" ")
        yield int(port), bytes.fromhex(data)


def main() -> None:
    """Run the packet tests on a target that keeps their frames."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch, "softnic")
        target.write_text(f'#!/bin/sh\nexec {sys.executable} -m safety.recorder {FOLDER} "$@"\n')
        target.chmod(0o755)
        environment = os.environ | {"PATH": f"{scratch}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "tests")}
        command = [sys.executable, ROOT / "ptf-tests/run.py", "--target", "softnic"]
        subprocess.run(command, check=True, env=environment)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.relative_to(ROOT)}: {len(frames_for(path.name))} frames")


if __name__ == "__main__":
    main()
