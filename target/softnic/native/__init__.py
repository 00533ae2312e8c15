# SPDX-License-Identifier: Apache-2.0
"""The native executor: the IR printed as C, compiled by the system's compiler, loaded, and run.

What it does to a packet is what the reference executor does, by definition; how it does it is in ``runtime/``, whose
headers are the contract between generated code, runtime and this package.
"""

from .benchmark import BenchResult
from .compiler import Build, Compiler, CompilerError, find_compiler
from .dataplane import NativeDataplane
from .emit.errors import UnsupportedError
from .engine import NativeEngine
from .startup import open_dataplane, start_engine

__all__ = [
    "BenchResult",
    "Build",
    "Compiler",
    "CompilerError",
    "NativeDataplane",
    "NativeEngine",
    "UnsupportedError",
    "find_compiler",
    "open_dataplane",
    "start_engine",
]
