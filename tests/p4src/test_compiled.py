# SPDX-License-Identifier: Apache-2.0
"""What is committed as compiled is what the sources say."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MANIFESTS = [ROOT / f"{folder}/compiled/MANIFEST" for folder in ("p4src", "tests/p4", "bench/p4")]


def folder_name(manifest: Path) -> str:
    return str(manifest.parents[1].relative_to(ROOT))


def manifest_version(manifest: Path) -> str:
    return manifest.read_text().splitlines()[0].removeprefix("# p4c-bm2-ss ")


def manifest_hashes(manifest: Path) -> dict[str, str]:
    lines = (line.split(maxsplit=1) for line in manifest.read_text().splitlines() if not line.startswith("#"))
    return {path: digest for digest, path in lines}


def installed_p4c_version() -> str | None:
    if not shutil.which("p4c-bm2-ss"):
        return None
    answer = subprocess.run(["p4c-bm2-ss", "--version"], capture_output=True, text=True, check=True)
    words = (answer.stdout + answer.stderr).split()
    return words[words.index("Version") + 1]


@pytest.mark.parametrize("manifest", MANIFESTS, ids=folder_name)
def test_every_file_is_as_the_manifest_says(manifest: Path) -> None:
    wrong = [
        path
        for path, digest in manifest_hashes(manifest).items()
        if not (ROOT / path).exists() or hashlib.sha256((ROOT / path).read_bytes()).hexdigest() != digest
    ]
    assert not wrong, f"changed since they were compiled: {wrong}; run `make p4`"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=folder_name)
def test_no_source_is_missing_from_the_manifest(manifest: Path) -> None:
    folder = manifest.parent.parent
    sources = {str(path.relative_to(ROOT)) for path in folder.rglob("*.p4")}
    assert sources <= set(manifest_hashes(manifest)), "run `make p4`"


@pytest.mark.parametrize("manifest", MANIFESTS, ids=folder_name)
def test_compiling_again_gives_the_committed_files(manifest: Path, tmp_path: Path) -> None:
    installed = installed_p4c_version()
    if installed is None:
        pytest.skip("p4c-bm2-ss is not on the PATH")
    if installed != manifest_version(manifest):
        pytest.skip(f"p4c-bm2-ss is {installed}, the committed files are from {manifest_version(manifest)}")
    subprocess.run(["make", "-s", "p4", f"OUT={tmp_path}"], cwd=ROOT, check=True, capture_output=True)
    compiled = [path for path in manifest_hashes(manifest) if not path.endswith(".p4")]
    for path in compiled:
        assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), f"{path}: run `make p4`"
