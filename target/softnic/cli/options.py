# SPDX-License-Identifier: Apache-2.0
"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..engines import EngineName

P4InfoPath = Annotated[
    Path | None, typer.Option("--p4info", metavar="FILE", help="the program's P4Info, text format; entries need it")
]
Entries = Annotated[
    Path | None,
    typer.Option("--entries", metavar="FILE", help="updates to apply first: a P4Runtime WriteRequest, text format"),
]
CpuPort = Annotated[int, typer.Option("--cpu-port", min=0, max=510, help="the port of packet-ins and packet-outs")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Executor = Annotated[
    EngineName,
    typer.Option("--engine", help="native: compiled first, then fast; reference: Python, at once, but very slow"),
]
