# SPDX-License-Identifier: Apache-2.0
"""The commands of `headgate`, in the order in which `--help` lists them."""

from __future__ import annotations

import typer

from headgate.cli import commands
from headgate.cli.commands import cache

app = typer.Typer(
    name="headgate",
    help="Configure a P4-programmable NIC or gateway by P4Runtime, and see what it does.\n\n"
    "Exit codes: 0 all well, 1 the device refused something, 2 bad input, 3 the device can't be reached.",
    epilog="Start with: headgate check -c configs/nic.yaml",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)
for command in (
    commands.check,
    commands.entries,
    commands.plan,
    commands.apply,
    commands.run,
    commands.status,
    commands.show,
    commands.counters,
    commands.drops,
):
    app.command()(command)
app.add_typer(cache.app, name="cache")
