# SPDX-License-Identifier: Apache-2.0
"""An engine that serves soon and is fast later: what a target in service starts a program with.

A program that was compiled before is loaded at once. Another is compiled lightly while the caller waits (a pipeline
that runs already is not in the way) and thoroughly in the background; then the engine goes on with that. Its state is
the runtime's, not the program's: nothing has to be carried over.
"""

from __future__ import annotations

import logging
import threading

from softnic import ir
from softnic.engine import Engine, EngineError
from softnic.reference import ReferenceEngine

from .compiler import Build, CompilerError, find_compiler
from .dataplane import NativeDataplane
from .emit.errors import UnsupportedError
from .engine import NativeEngine
from .library import load_runtime
from .source import source_of

logger = logging.getLogger("softnic.native")

SOON = Build(optimization=1)
FAST = Build()


def start_engine(program: ir.Program, *, cpu_port: int | None = None) -> Engine:
    """A native engine; where that can't be, the reference executor, with a warning that says why."""
    try:
        return _start_native(program, cpu_port)
    except (EngineError, UnsupportedError, OSError) as error:
        logger.warning("the reference executor runs %s, thousands of times slower: %s", program.name, error)
        return ReferenceEngine(program, cpu_port=cpu_port)


def open_dataplane(workers: int) -> NativeDataplane | None:
    """Threads for Linux interfaces. None, with a warning, where the native executor can't be: Python has to serve."""
    try:
        return NativeDataplane(load_runtime(find_compiler().runtime(FAST)), workers)
    except (CompilerError, OSError) as error:
        logger.warning("ports on Linux interfaces are served by Python, which is slow: %s", error)
        return None


def _start_native(program: ir.Program, cpu_port: int | None) -> NativeEngine:
    source = source_of(program)
    if source.is_compiled(FAST):
        return NativeEngine(program, cpu_port=cpu_port, build=FAST, source=source)
    engine = NativeEngine(program, cpu_port=cpu_port, build=SOON, source=source)
    threading.Thread(target=_upgrade, args=(engine,), name="softnic-compile", daemon=True).start()
    return engine


def _upgrade(engine: NativeEngine) -> None:
    try:
        engine.upgrade(FAST)
    except (EngineError, OSError) as error:
        logger.warning("%s goes on as it was compiled at first: %s", engine.program.name, error)
    else:
        logger.info("%s is compiled thoroughly now", engine.program.name)
