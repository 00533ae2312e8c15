# SPDX-License-Identifier: Apache-2.0
"""What the native engine cannot express in C."""

from __future__ import annotations

from softnic.ir import Source


class UnsupportedError(Exception):
    """The program needs something that only the reference executor has.

    Attributes:
        reason: what, and the limit it passes.
        source: the P4 line, where it is known.
    """

    def __init__(self, reason: str, source: Source | None = None) -> None:
        self.reason = reason
        self.source = source
        super().__init__(f"{source}: {reason}" if source else reason)
