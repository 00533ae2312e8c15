# SPDX-License-Identifier: Apache-2.0
"""How the commands speak: results on stdout, one line of error on stderr, exit code 2 for bad input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table

from ..inputs import InputError
from ..pcap import PcapError
from ..ports import PortError
from ..server import P4RuntimeError
from ..snapshot import SnapshotError

BAD_INPUT = 2

stdout = Console(highlight=False, soft_wrap=True)


@contextmanager
def bad_input_exits() -> Iterator[None]:
    """Turn what can be wrong with the user's input into one line on stderr and exit code 2."""
    try:
        yield
    except (InputError, PortError, PcapError, P4RuntimeError, SnapshotError) as error:
        _fail(str(error), error)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error), error)


def _fail(message: str, cause: Exception) -> NoReturn:
    typer.echo(f"softnic: {message}", err=True)
    raise typer.Exit(BAD_INPUT) from cause


def print_nonzero(title: str, counts: Mapping[str, int]) -> None:
    """Print those that counted something, as a table; nothing if there are none."""
    rows = [(name.replace("_", " "), count) for name, count in counts.items() if count]
    if rows:
        print_counts(title, ["what", "how often"], rows)


def print_counts(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table whose first column names something and whose others count."""
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    for row in rows:
        table.add_row(*map(str, row))
    stdout.print(table)
