# SPDX-License-Identifier: Apache-2.0
"""One measured figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """A figure, and the goal it is held to (None: it is there to be compared with). `note` says how it was got."""

    name: str
    value: float
    unit: str
    goal: float | None
    higher_is_better: bool
    note: str

    @property
    def reached(self) -> bool | None:
        """None where there is no goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.higher_is_better else self.value <= self.goal
