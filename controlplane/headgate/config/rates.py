# SPDX-License-Identifier: Apache-2.0
"""How much of something the controller is given."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from headgate.config.scalars import Model


class PacketRate(Model):
    """How many packets on average, and how many at once."""

    packets_per_s: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    burst_packets: Annotated[int, Field(strict=True, ge=1, le=65_535)]
