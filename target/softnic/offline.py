# SPDX-License-Identifier: Apache-2.0
"""A program with its entries in place, without ports and without a server: for replaying and explaining packets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from finsy.proto import p4i, p4r

from . import ir
from .engine import Engine
from .inputs import InputError
from .reference import ReferenceEngine
from .server import SchemaError, open_pipeline, write_batch


def offline_engine(
    program: ir.Program,
    p4info: p4i.P4Info | None,
    updates: Iterable[p4r.Update],
    *,
    cpu_port: int,
    clock_ns: Callable[[], int] = time.monotonic_ns,
) -> ReferenceEngine:
    """An engine that runs `program`, with `updates` written to it as a P4Runtime client would.

    Raises:
        InputError: there are updates but no P4Info, the P4Info is another program's, or an update is refused.
    """
    engine = ReferenceEngine(program, clock_ns=clock_ns, cpu_port=cpu_port)
    write_updates(engine, program, p4info, updates)
    return engine


def write_updates(
    engine: Engine, program: ir.Program, p4info: p4i.P4Info | None, updates: Iterable[p4r.Update]
) -> None:
    """Write `updates` to an engine that runs `program`, as a P4Runtime client would. Raises: InputError."""
    updates = list(updates)
    if p4info is None:
        if updates:
            raise InputError("entries need the program's P4Info; give it with --p4info")
        return
    try:
        pipeline = open_pipeline(p4info, program, engine)
    except SchemaError as error:
        raise InputError(f"P4Info and program do not fit each other: {error}") from error
    for index, error in enumerate(write_batch(pipeline, updates)):
        if error:
            raise InputError(f"entries: updates[{index}]: {error.message}") from error
