# SPDX-License-Identifier: Apache-2.0
"""The command line: `headgate`."""

from headgate.cli.app import app

__all__ = ["app"]
