# SPDX-License-Identifier: Apache-2.0
"""Programs that were once trouble, each as a change of one that is none."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safety.documents import Mutator
from safety.programs import outcome
from softnic.native import Build, find_compiler

COMPILED = Path(__file__).parents[1] / "p4" / "compiled"

Change = Callable[[dict[str, Any]], object]


def table(document: dict[str, Any], name: str) -> dict[str, Any]:
    tables = [table for pipeline in document["pipelines"] for table in pipeline["tables"]]
    return next(table for table in tables if table["name"] == name)


def time_out_constant_entries(document: dict[str, Any]) -> None:
    table(document, "IngressPipe.constant_table")["support_timeout"] = True


def repeat_a_constant_entry(document: dict[str, Any]) -> None:
    entries = table(document, "IngressPipe.constant_table")["entries"]
    entries.append(entries[0])


def forget_an_action_of_a_shared_profile(document: dict[str, Any]) -> None:
    users = [table for table in document["pipelines"][0]["tables"] if table.get("action_profile")]
    profiles = [table["action_profile"] for table in users]
    shared = next(table for table in users if profiles.count(table["action_profile"]) > 1)
    shared["action_ids"].pop()


def extract_the_standard_metadata(document: dict[str, Any]) -> None:
    next(header for header in document["headers"] if header["name"] == "standard_metadata")["metadata"] = False


REGRESSIONS: dict[str, tuple[str, Change, str]] = {
    "constant entries that time out": ("tables", time_out_constant_entries, "equal"),
    "a constant entry that is there twice": ("tables", repeat_a_constant_entry, "refused"),
    "tables of a profile with different actions": ("balancing", forget_an_action_of_a_shared_profile, "refused"),
    "standard metadata that are a packet header": ("stacks", extract_the_standard_metadata, "refused"),
}


@pytest.mark.parametrize("name", REGRESSIONS)
def test_what_was_trouble_is_refused_or_runs_alike(name: str) -> None:
    stem, change, wanted = REGRESSIONS[name]
    document = json.loads((COMPILED / f"{stem}.json").read_text())
    change(document)
    assert outcome(json.dumps(document).encode(), find_compiler(), Build(optimization=0)) == wanted


def test_the_same_seed_makes_the_same_programs() -> None:
    document = json.loads((COMPILED / "tables.json").read_text())
    first, second = (Mutator(document, random.Random(7)) for _ in range(2))
    mutants = [first.mutant() for _ in range(20)]
    assert mutants == [second.mutant() for _ in range(20)]
    assert len(set(mutants)) > 15
