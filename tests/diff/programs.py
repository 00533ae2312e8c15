# SPDX-License-Identifier: Apache-2.0
"""The programs that are fuzzed: this repository's, or those of a folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
_COMPILE_S = 120


def ours() -> list[Path]:
    """The compiled programs of this repository, as JSON."""
    return sorted([*ROOT.glob("tests/p4/compiled/*.json"), *ROOT.glob("p4src/compiled/*.json")])


def of_folder(folder: Path, scratch: Path) -> Iterator[Path]:
    """The JSON files of `folder`, and its v1model programs, compiled to `scratch`; what p4c refuses is left out."""
    yield from sorted(folder.glob("*.json"))
    yield from _compiled(sorted(folder.glob("*.p4")), scratch)


def _compiled(sources: Iterable[Path], scratch: Path) -> Iterator[Path]:
    for source in sources:
        if "v1model.p4" not in source.read_text(errors="replace"):
            continue
        output = scratch / f"{source.stem}.json"
        command = ["p4c-bm2-ss", "-o", str(output), str(source)]
        if subprocess.run(command, capture_output=True, timeout=_COMPILE_S, check=False).returncode == 0:
            yield output
