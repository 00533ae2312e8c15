# SPDX-License-Identifier: Apache-2.0
"""One module for each kind of command: a function reads a report, a renderer prints it."""

from headgate.cli.commands.configure import apply, check, entries, plan, run
from headgate.cli.commands.inspect import counters, drops, show, status

__all__ = ["apply", "check", "counters", "drops", "entries", "plan", "run", "show", "status"]
