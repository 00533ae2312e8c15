# SPDX-License-Identifier: Apache-2.0
"""TCP and UDP ports, and ranges of them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, model_validator

from headgate.config.scalars import Model, refuse

TransportPort = Annotated[int, Field(strict=True, ge=1, le=65535)]


class PortRange(Model):
    """From `first` to `last`, both included."""

    first: Annotated[int, Field(strict=True, ge=0, le=65535)]
    last: Annotated[int, Field(strict=True, ge=0, le=65535)]

    @staticmethod
    def spell_out(value: object) -> object:
        """``80`` and ``"8000-8099"`` as mappings."""
        if isinstance(value, int) and not isinstance(value, bool):
            return {"first": value, "last": value}
        if isinstance(value, str):
            parts = re.fullmatch(r"(\d{1,5})-(\d{1,5})", value)
            if parts is None:
                raise refuse("is not a port or a range of ports: write 80 or 8000-8099")
            return {"first": int(parts[1]), "last": int(parts[2])}
        return value

    @model_validator(mode="after")
    def _upwards(self) -> PortRange:
        if self.last < self.first:
            raise refuse(f"runs backwards: write {self.last}-{self.first}")
        return self

    def __contains__(self, port: int) -> bool:
        return self.first <= port <= self.last

    def __str__(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
