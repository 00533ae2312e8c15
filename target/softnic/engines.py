# SPDX-License-Identifier: Apache-2.0
"""The executors by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from typing import Protocol

from . import ir
from .engine import Engine
from .inputs import InputError
from .native import CompilerError, NativeEngine, UnsupportedError, start_engine
from .reference import ReferenceEngine


class EngineName(StrEnum):
    REFERENCE = "reference"
    NATIVE = "native"


class EngineFactory(Protocol):
    """Makes an engine that runs `program`; `cpu_port` is the port of packet I/O, `clock_ns` what time it is."""

    def __call__(
        self, program: ir.Program, *, cpu_port: int | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
    ) -> Engine: ...


def engine_factory(name: EngineName) -> EngineFactory:
    """For tools: the very engine that is asked for. It raises InputError when it can't be had."""
    return ReferenceEngine if name is EngineName.REFERENCE else _native_engine


def serving_factory(name: EngineName, cpu_port: int) -> Callable[[ir.Program], Engine]:
    """For a target in service: the native engine gives way to the reference executor where it can't be had."""
    return partial(ReferenceEngine if name is EngineName.REFERENCE else start_engine, cpu_port=cpu_port)


@contextmanager
def native_or_input_error(instead: str = "or use the reference executor (--engine reference)") -> Iterator[None]:
    """Turn what keeps a program from being compiled into an InputError that ends with `instead`."""
    try:
        yield
    except (CompilerError, UnsupportedError) as error:
        raise InputError(f"{error}\n{instead}") from error


def _native_engine(
    program: ir.Program, *, cpu_port: int | None = None, clock_ns: Callable[[], int] = time.monotonic_ns
) -> Engine:
    with native_or_input_error():
        return NativeEngine(program, cpu_port=cpu_port, clock_ns=clock_ns)
