# SPDX-License-Identifier: Apache-2.0
"""The command line: ``softnic run | replay | explain | compile | stf | bench``."""

from __future__ import annotations

import os

import typer

# gRPC reads this when it is first imported. Its own account of an address in use adds nothing to ours.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from .bench import bench_command
from .compile import compile_command
from .explain import explain_command
from .replay import replay_command
from .run import run
from .stf import stf_command

app = typer.Typer(
    help="A P4 switch in software: runs what p4c-bm2-ss compiles, serves P4Runtime, explains what it does to a packet.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("run")(run)
app.command("replay")(replay_command)
app.command("explain")(explain_command)
app.command("compile")(compile_command)
app.command("stf")(stf_command)
app.command("bench")(bench_command)
