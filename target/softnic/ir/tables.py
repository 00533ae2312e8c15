# SPDX-License-Identifier: Apache-2.0
"""Actions, tables and the control graph they hang in."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from .expressions import Expr, FieldRef
from .headers import Source
from .statements import Calculation, Statement


@dataclass(frozen=True, slots=True)
class ActionParam:
    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    """`id` is unique; `name` need not be: p4c makes one copy of an action for each table that has it."""

    id: int
    name: str
    params: tuple[ActionParam, ...]
    body: tuple[Statement, ...]
    source: Source | None = None


class MatchKind(StrEnum):
    """From the most to the least specific; ``optional`` of P4_16 arrives as ternary."""

    VALID = "valid"
    EXACT = "exact"
    LPM = "lpm"
    TERNARY = "ternary"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class KeyField:
    """One match field. `mask` is applied to the packet's value and to the entry's, whatever the kind."""

    name: str
    kind: MatchKind
    expr: Expr
    width: int
    mask: int


@dataclass(frozen=True, slots=True)
class TableAction:
    """An action of a table, and the node that follows it after a hit and after a miss."""

    action: Action
    next_on_hit: int | None
    next_on_miss: int | None


@dataclass(frozen=True, slots=True)
class ActionArgs:
    """An action with its arguments."""

    action: TableAction
    args: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ExactKey:
    """Also the key of a ``valid`` field: 0 or 1."""

    value: int


@dataclass(frozen=True, slots=True)
class LpmKey:
    value: int
    prefix_len: int


@dataclass(frozen=True, slots=True)
class TernaryKey:
    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class RangeKey:
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ProgramEntry:
    """An entry written in the program. Larger `priority` wins, as in P4Runtime; 0 where the table has none."""

    key: tuple[ExactKey | LpmKey | TernaryKey | RangeKey, ...]
    call: ActionArgs
    priority: int
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Selector:
    """How a group's member is chosen: a hash over `calculation`'s inputs, modulo the members."""

    calculation: Calculation


@dataclass(frozen=True, slots=True)
class ActionProfile:
    """With a `selector`, groups too."""

    name: str
    max_size: int
    selector: Selector | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class DirectMeter:
    """One meter for each entry of a table; the colour of every hit goes to `result`."""

    name: str
    unit: Literal["packets", "bytes"]
    result: FieldRef
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its place in the control graph.

    `next_without_action` follows a miss of a table that has no default action. `default_constant` forbids the control
    plane to change the default; `entries_constant` to change the entries. `direct_counter` is the counter's name.
    """

    name: str
    match_kind: MatchKind
    key: tuple[KeyField, ...]
    max_size: int
    actions: tuple[TableAction, ...]
    default: ActionArgs | None
    default_constant: bool
    entries: tuple[ProgramEntry, ...]
    entries_constant: bool
    next_without_action: int | None
    profile: ActionProfile | None = None
    direct_counter: str | None = None
    direct_meter: DirectMeter | None = None
    idle_timeout: bool = False
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """An ``if`` of a control."""

    name: str
    condition: Expr
    next_if_true: int | None
    next_if_false: int | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class DirectCall:
    """An action called outside of a table."""

    name: str
    action: Action
    next: int | None
    source: Source | None = None


Node = Table | Branch | DirectCall


@dataclass(frozen=True, slots=True)
class Pipeline:
    """`first`, and every next, is an index into `nodes`; None ends the pipeline."""

    name: str
    nodes: tuple[Node, ...]
    first: int | None
