# SPDX-License-Identifier: Apache-2.0
"""Why a program was refused, and where."""

from __future__ import annotations

from softnic.ir import Source


class ProgramError(Exception):
    """A BMv2 JSON that is malformed, contradicts itself, or asks for what this target does not have.

    Attributes:
        path: where in the JSON, as ``$.pipelines[0].tables[3].key[1]``.
        reason: what is wrong there and, where there is one, the fix.
        source: the P4 line the JSON names on the way to `path`, if it names one.
    """

    def __init__(self, path: str, reason: str, source: Source | None = None) -> None:
        self.path = path
        self.reason = reason
        self.source = source
        where = f"{path} ({source})" if source else path
        super().__init__(f"{where}: {reason}")
