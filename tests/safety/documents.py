# SPDX-License-Identifier: Apache-2.0
"""Programs that no compiler would write: a BMv2 JSON with a few things in it changed.

Changes keep to what is in the document already, so that many of them get past the loader: a number becomes another one
of the document or one at a boundary, a reference the name of something else, an object one that stands elsewhere.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

Container = dict[str, Any] | list[Any]

_NUMBERS = (-1, 0, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 1024, 2**31 - 1, 2**32, 2**64)
_HEX = (
    "0x0",
    "0x1",
    "-0x1",
    "0xff",
    "0xffffffff",
    "0x" + "f" * 16,
    "-0x8000000000000000",
    "0x1" + "0" * 32,
    "0xzz",
    "",
)
_WORDS = {"source_info", "__meta__"}
"""What is not the program."""


class Mutator:
    """Changed copies of `document`."""

    def __init__(self, document: Any, rng: random.Random) -> None:
        self._document = document
        self._rng = rng
        self._names = sorted({value for _, _, value in _places(document) if isinstance(value, str)})
        self._numbers = sorted({value for _, _, value in _places(document) if isinstance(value, int)})
        self._changes: list[Callable[[Container, Any, Any], None]] = [
            self._replace, self._replace, self._replace, self._move, self._move, self._remove, self._repeat,
        ]  # fmt: skip

    def mutant(self) -> bytes:
        """One to four changes, as JSON."""
        document = copy.deepcopy(self._document)
        for _ in range(self._rng.choice([1, 1, 1, 2, 4])):
            # Ever smaller parts, so that a change is as likely at the top as in the deepest expression.
            places = list(_places(document))
            self._rng.choice(self._changes)(*self._rng.choice(places))
        return json.dumps(document).encode()

    def _replace(self, container: Container, key: Any, value: Any) -> None:
        """Another value, most often of the same type."""
        container[key] = (
            self._like(value) if self._rng.random() < 0.9 else self._rng.choice([None, 0, "", [], {}, True])
        )

    def _like(self, value: Any) -> Any:
        rng = self._rng
        match value:
            case bool():
                return not value
            case int():
                return rng.choice([value - 1, value + 1, rng.choice(_NUMBERS), rng.choice(self._numbers)])
            case str():
                is_number = value.removeprefix("-").startswith("0x")
                return rng.choice(_HEX) if is_number and rng.random() < 0.8 else rng.choice(self._names)
            case list():
                return rng.sample(value, len(value))
            case _:
                return None

    def _move(self, container: Container, key: Any, value: Any) -> None:
        """Something of the same type from elsewhere."""
        alike = [other for _, _, other in _places(self._document) if type(other) is type(value)]
        container[key] = copy.deepcopy(self._rng.choice(alike)) if alike else None

    def _remove(self, container: Container, key: Any, value: Any) -> None:
        del container[key]

    def _repeat(self, container: Container, key: Any, value: Any) -> None:
        if isinstance(container, list):
            container.insert(key, copy.deepcopy(value))
        else:
            container[f"{key}_again"] = value


def _places(document: Any) -> Iterator[tuple[Container, Any, Any]]:
    """Everything in `document`: what it is in, by what key, and itself."""
    items: Iterator[tuple[Any, Any]]
    match document:
        case dict():
            items = iter(document.items())
        case list():
            items = iter(enumerate(document))
        case _:
            return
    for key, value in items:
        if key not in _WORDS:
            yield document, key, value
            yield from _places(value)
