# SPDX-License-Identifier: Apache-2.0
"""Everything inside a program's IR, and the program with some of it replaced."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from softnic import ir


def walk(root: Any) -> Iterator[Any]:
    """Every dataclass in `root`, `root` included, each object once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, tuple):
            waiting += value
        elif dataclasses.is_dataclass(value) and id(value) not in seen:
            seen.add(id(value))
            yield value
            waiting += [getattr(value, field.name) for field in dataclasses.fields(value)]


def predictable(program: ir.Program) -> ir.Program:
    """`program` without what no two executors are meant to agree on: random numbers, and hashes that are random.

    A random number becomes the low end of its range, a random hash CRC-32.
    """

    def replace(value: Any) -> Any:
        match value:
            case ir.Random(target=target, low=low, source=source):
                return ir.Assign(target, low, source)
            case ir.Calculation(algorithm="random"):
                return dataclasses.replace(value, algorithm="crc32")
        return value

    return _without_origin(_rewrite(program, replace, {}))


def defined(program: ir.Program) -> ir.Program:
    """`program` in which asking for a random number is an anomaly: for finding the packets that do."""
    failure = ir.BoolConst(False)

    def replace(value: Any) -> Any:
        return ir.Assert(failure, "assert", value.source) if isinstance(value, ir.Random) else value

    return _without_origin(_rewrite(program, replace, {}))


def _without_origin(program: ir.Program) -> ir.Program:
    """It is no longer what the JSON says."""
    return dataclasses.replace(program, json_sha256="")


def _rewrite(value: Any, replace: Callable[[Any], Any], done: dict[int, tuple[Any, Any]]) -> Any:
    """`value` with `replace` done to each dataclass in it; what is the same object before is one afterwards."""
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        items = tuple(_rewrite(item, replace, done) for item in value)
        return value if all(new is old for new, old in zip(items, value, strict=True)) else items
    if not dataclasses.is_dataclass(value):
        return value
    if id(value) not in done:
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        new = {name: _rewrite(item, replace, done) for name, item in old.items()}
        changed = {name: item for name, item in new.items() if item is not old[name]}
        # The original stays referred to: its id must not become another object's.
        done[id(value)] = value, replace(dataclasses.replace(value, **changed) if changed else value)  # type: ignore[type-var]
    return done[id(value)][1]
