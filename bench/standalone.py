# SPDX-License-Identifier: Apache-2.0
"""One measurement program by itself: the table of ``make bench``, or (``--json``) a list for machines."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict

from rich.console import Console

from bench.report import table
from bench.result import Result


def main(measure: Callable[[], Sequence[Result]]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true", help="for machines")
    as_json = parser.parse_args().json
    results = measure()
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        Console(highlight=False, width=160).print(table(results))
