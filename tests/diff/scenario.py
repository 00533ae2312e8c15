# SPDX-License-Identifier: Apache-2.0
"""What is done to an engine, step by step, and its form as a YAML file that people can read and change."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from softnic.engine import (
    ActionCall,
    CloneSession,
    CounterValue,
    Exact,
    GroupMember,
    GroupRef,
    Lpm,
    MemberRef,
    MeterRates,
    Range,
    Replica,
    TableEntry,
    Ternary,
)

Frame = tuple[int, bytes]
"""The port it comes in by, and its bytes."""


@dataclass(frozen=True, slots=True)
class Write:
    """A call of one of `softnic.engine.Engine`'s methods."""

    method: str
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return f"{self.method}({', '.join(map(repr, self.args))})"


@dataclass(frozen=True, slots=True)
class Wait:
    """Time passes; it stands still otherwise."""

    ns: int

    def __str__(self) -> str:
        return f"wait {self.ns} ns"


@dataclass(frozen=True, slots=True)
class Burst:
    """Frames that come in at the same time, in this order."""

    frames: tuple[Frame, ...]

    def __str__(self) -> str:
        return "packets " + ", ".join(f"{port} {data.hex()}" for port, data in self.frames)


Step = Write | Wait | Burst


@dataclass(frozen=True, slots=True)
class Scenario:
    """`origin` tells people where it comes from: the seed it was made with, or what it once found."""

    origin: str
    steps: tuple[Step, ...]


# ---- YAML -----------------------------------------------------------------------------------------------------------

_VALUES: Mapping[str, type] = {
    kind.__name__: kind
    for kind in (
        ActionCall, CloneSession, CounterValue, Exact, GroupMember, GroupRef, Lpm, MemberRef, MeterRates, Range,
        Replica, TableEntry, Ternary,
    )
}  # fmt: skip


def save(path: Path, program: str, scenario: Scenario) -> None:
    """Write `scenario`, for the program of that name or path, to `path`."""
    document = {
        "program": program,
        "origin": scenario.origin,
        "steps": [_step_to_plain(step) for step in scenario.steps],
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False, width=120))


def load(path: Path) -> tuple[str, Scenario]:
    """The program's name or path, and the scenario. Raises: ValueError, naming what is not a step or a value."""
    document = yaml.safe_load(path.read_text())
    steps = tuple(_step_from_plain(step) for step in document["steps"])
    return document["program"], Scenario(document["origin"], steps)


def _step_to_plain(step: Step) -> dict[str, Any]:
    match step:
        case Write(method, args):
            return {method: [_to_plain(arg) for arg in args]}
        case Wait(ns):
            return {"wait_ns": ns}
        case Burst(frames):
            return {"packets": [f"{port} {data.hex()}".rstrip() for port, data in frames]}


def _step_from_plain(step: Mapping[str, Any]) -> Step:
    [(name, value)] = step.items()
    match name:
        case "wait_ns":
            return Wait(value)
        case "packets":
            return Burst(tuple(_frame(text) for text in value))
        case _:
            return Write(name, tuple(_from_plain(arg) for arg in value))


def _frame(text: str | int) -> Frame:
    port, _, data = str(text).partition(" ")
    return int(port), bytes.fromhex(data)


def _to_plain(value: Any) -> Any:
    """A dataclass of `softnic.engine` becomes ``{its name: {its fields}}``, those at their default left out."""
    if isinstance(value, tuple | list):
        return [_to_plain(item) for item in value]
    if not dataclasses.is_dataclass(value):
        return value
    fields = {
        field.name: _to_plain(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    }
    return {type(value).__name__: fields}


def _from_plain(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_from_plain(item) for item in value)
    if not isinstance(value, dict):
        return value
    [(name, fields)] = value.items()
    if name not in _VALUES:
        raise ValueError(f"{name} is not a value that an engine takes; there are {', '.join(_VALUES)}")
    return _VALUES[name](**{field: _from_plain(item) for field, item in fields.items()})
