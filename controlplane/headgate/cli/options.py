# SPDX-License-Identifier: Apache-2.0
"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="YAML configuration.")]
NamesFrom = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Configuration that names what is shown."),
]
Address = Annotated[
    str, typer.Option("--device", "-d", metavar="HOST:PORT", help="P4Runtime server.", envvar="HEADGATE_DEVICE")
]
DeviceId = Annotated[int, typer.Option(min=1, help="P4Runtime device id.")]
ElectionId = Annotated[int, typer.Option(min=1, help="The controller with the largest one is in charge.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
