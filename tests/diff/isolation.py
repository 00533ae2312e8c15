# SPDX-License-Identifier: Apache-2.0
"""A function run in a process of its own: native code that crashes or hangs must not end the search for the cause."""

from __future__ import annotations

import multiprocessing
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")

_PATIENCE_S = 60.0
"""A scenario takes a fraction of a second."""


class Died(Exception):
    """The process crashed, had to be killed, or ended with an exception; the message says which."""


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str


def isolated(function: Callable[[], T]) -> T:
    """What `function` returns, from a fork of this process. Raises: Died."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(function, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        result = ours.recv() if ours.poll(_PATIENCE_S) else _Failed(f"no end after {_PATIENCE_S:.0f} s")
    except EOFError:
        process.join()
        result = _Failed(_reason(process.exitcode))
    finally:
        process.kill()
        process.join()
        ours.close()
    if isinstance(result, _Failed):
        raise Died(result.reason)
    return result


def _run(function: Callable[[], object], results: Connection) -> None:
    try:
        results.send(function())
    except Exception as error:
        results.send(_Failed("".join(traceback.format_exception_only(error)).strip()))


def _reason(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"
