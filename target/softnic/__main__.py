# SPDX-License-Identifier: Apache-2.0
"""``python -m softnic`` is the command ``softnic``."""

from .cli import app

app(prog_name="softnic")
