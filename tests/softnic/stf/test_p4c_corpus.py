# SPDX-License-Identifier: Apache-2.0
"""Every v1model STF test that ships with p4c, on every engine; what fails has to be known, what is known has to fail.

Runs where P4C_TESTDATA names the ``testdata`` folder of a p4c checkout and ``p4c-bm2-ss`` is on the PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from softnic.cli import app
from softnic.engines import EngineName

DOCS = Path(__file__).parents[3] / "docs"
KNOWN = DOCS / "known-differences.toml"
INLINE = ["p4_16_samples/parser-inline"]
ALL = ["p4_16_samples", *INLINE, "p4_14_samples", "p4_14_samples/switch_20160512"]


@pytest.fixture
def testdata(monkeypatch) -> Path:
    if "P4C_TESTDATA" not in os.environ:
        pytest.skip("P4C_TESTDATA does not name the testdata folder of a p4c checkout")
    if not shutil.which("p4c-bm2-ss"):
        pytest.skip("p4c-bm2-ss is not on the PATH")
    folder = Path(os.environ["P4C_TESTDATA"])
    # A p4c that was not installed does not find the v1model.p4 that it translates P4_14 to.
    monkeypatch.setenv("P4C_16_INCLUDE_PATH", str(folder.parent / "p4include"))
    return folder


@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", EngineName)
@pytest.mark.parametrize(
    ("command", "folders", "passed"), [("p4c-bm2-ss", ALL, 519), ("p4c-bm2-ss --parser-inline-opt", INLINE, 13)]
)
def test_all_tests_of_p4c_pass_but_those_that_are_known_to_fail(testdata, engine, command, folders, passed):
    if engine is EngineName.NATIVE and not shutil.which("cc"):
        pytest.skip("the native engine needs a C compiler, cc")
    places = [argument for folder in folders for argument in ("--folder", str(testdata / folder))]
    options = ["--engine", engine, "--known", str(KNOWN), "--p4c", command, "--json"]
    result = CliRunner().invoke(app, ["stf", *places, *options])
    assert result.exit_code in (0, 1), result.output
    answer = json.loads(result.stdout)
    assert [each for each in answer["tests"] if each["verdict"] == "failed"] == []
    assert answer["passed"] >= passed


def test_every_known_difference_is_explained_and_every_explained_one_is_known():
    explained = set(re.findall(r"`(p4_1[46]_samples/\S+?)`", (DOCS / "known-differences.md").read_text()))
    assert explained == set(tomllib.loads(KNOWN.read_text()))
