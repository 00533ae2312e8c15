# SPDX-License-Identifier: Apache-2.0
"""Where in the JSON we are while lowering, so that any error can say so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from .errors import ProgramError

T = TypeVar("T")


class Trail:
    """The path from the root of the document to what is being lowered."""

    def __init__(self) -> None:
        self._steps: list[str] = []

    @contextmanager
    def at(self, *steps: str | int) -> Iterator[None]:
        """Go down by keys (str) and positions (int) for the length of the block."""
        depth = len(self._steps)
        self._steps += [f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps]
        try:
            yield
        finally:
            del self._steps[depth:]

    def each(self, key: str, items: Iterable[T]) -> Iterator[T]:
        """The items of the array under `key`; the trail points at each while the loop's body has it."""
        for index, item in enumerate(items):
            with self.at(key, index):
                yield item

    def error(self, reason: str) -> ProgramError:
        """An error at this place, to be raised."""
        return ProgramError("$" + "".join(self._steps), reason)
