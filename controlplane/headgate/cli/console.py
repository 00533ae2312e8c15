# SPDX-License-Identifier: Apache-2.0
"""What the commands print with: tables and colours for people, plain columns for pipes, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from headgate.config import ConfigError
from headgate.device import DeviceError, DeviceUnreachable

REFUSED, BAD_INPUT, UNREACHABLE = 1, 2, 3

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def fail(message: str, code: int) -> NoReturn:
    """End the command with a message on stderr."""
    for line in message.splitlines():
        err.print(f"[red]error:[/red] {escape(line)}")
    raise typer.Exit(code)


@contextmanager
def exit_codes() -> Iterator[None]:
    """Turn the library's errors into messages and exit codes."""
    try:
        yield
    except ConfigError as error:
        fail(str(error), BAD_INPUT)
    except DeviceUnreachable as error:
        fail(str(error), UNREACHABLE)
    except DeviceError as error:
        fail(str(error), REFUSED)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: int = 0) -> None:
    """A table on a terminal; in a pipe a title line, then lines in columns. The last `numeric` columns are numbers."""
    if out.is_terminal:
        table = Table(title=title, title_justify="left", title_style="bold", header_style="bold cyan")
        for index, column in enumerate(columns):
            table.add_column(column, justify="right" if index >= len(columns) - numeric else "left", overflow="fold")
        for row in rows:
            table.add_row(*map(escape, row))
        out.print(table)
        return
    lines = [columns, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    out.print(f"# {title}", markup=False)
    for line in lines:
        cells = (
            cell.rjust(width) if index >= len(columns) - numeric else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        out.print("  ".join(cells).rstrip(), markup=False)


def print_json(report: object) -> None:
    """A report, or plain data, as JSON."""
    out.print(json.dumps(_plain(report), indent=2), markup=False)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
