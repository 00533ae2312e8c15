# SPDX-License-Identifier: Apache-2.0
"""One measurement program by itself: a table for people, or (``--json``) a list for machines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from bench.result import Result


def main(measure: Callable[[], Sequence[Result]]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args().json
    results = measure()
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        Console().print(table(results))


def table(results: Sequence[Result]) -> Table:
    rows = Table("what", "figure", "goal", "reached", "how")
    for result in results:
        goal = "" if result.goal is None else f"{result.goal:,g} {result.unit}"
        reached = {None: "", True: "yes", False: "NO"}[result.reached]
        rows.add_row(result.name, f"{result.value:,.6g} {result.unit}", goal, reached, result.note)
    return rows
