# SPDX-License-Identifier: Apache-2.0
"""The compiled programs that come with the package."""

from __future__ import annotations

from importlib.resources import as_file, files

from finsy import P4Schema

PROGRAMS = ("nic", "gateway")


def program(name: str) -> P4Schema:
    """P4Info and BMv2 JSON of a program, as `p4c-bm2-ss` wrote them. Raises: FileNotFoundError."""
    compiled = files("headgate") / "compiled"
    with as_file(compiled / f"{name}.p4info.txtpb") as p4info:
        return P4Schema(p4info, (compiled / f"{name}.json").read_bytes())
