# SPDX-License-Identifier: Apache-2.0
"""softnic's P4Runtime server: `P4RuntimeServer`; and, for use without gRPC, `open_pipeline` and `write_batch`."""

from .device import open_pipeline
from .errors import P4RuntimeError
from .pipeline import Pipeline
from .schema import SchemaError
from .service import P4RuntimeServer
from .stats import ServerStats
from .write import write_batch

__all__ = [
    "P4RuntimeError",
    "P4RuntimeServer",
    "Pipeline",
    "SchemaError",
    "ServerStats",
    "open_pipeline",
    "write_batch",
]
