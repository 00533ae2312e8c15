# SPDX-License-Identifier: Apache-2.0
"""Why a test could not be run."""

from __future__ import annotations


class StfError(Exception):
    """A statement that is malformed, or that the program or its state does not allow.

    Attributes:
        line: of the statement, from 1.
        reason: what is wrong with it and, where there is one, the fix.
    """

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")
