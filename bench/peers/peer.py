# SPDX-License-Identifier: Apache-2.0
"""What the harness asks of an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ..measure import Plan, Window
from ..scenario import Scenario


class Peer(Protocol):
    """An engine under measurement, or one that is only asked what it sends.

    `own_entropy`: its VXLAN source ports are another hash of the same flow (RFC 7348 leaves it open), so they are not
    compared.
    """

    name: str
    own_entropy: bool

    def missing(self) -> str | None:
        """What has to be done before it can run here, as a command; None: nothing."""
        ...

    def outputs(self, scenario: Scenario, scratch: Path) -> list[bytes]:
        """What it sends for one pass of the trace, in order. Raises: PeerError."""
        ...

    def windows(self, scenario: Scenario, scratch: Path, plan: Plan) -> list[Window]:
        """The trace over and over, from memory. Raises: PeerError."""
        ...
