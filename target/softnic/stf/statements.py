# SPDX-License-Identifier: Apache-2.0
"""What an STF file can say: one class for each statement, as written, with no name resolved yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["packets", "bytes"]
Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written. `mask` has a bit for each one that is given, none for those under a ``*``.

    `width` is what the digits spell, in bits (``0x0f**`` spells 16); None for a decimal number, which spells any width.
    """

    value: int
    mask: int = 0
    width: int | None = None

    @property
    def has_wildcard(self) -> bool:
        return self.width is not None and self.mask != (1 << self.width) - 1


@dataclass(frozen=True, slots=True)
class Match:
    """``field:value`` or ``field:value/prefix_len``."""

    field: str
    number: Number
    prefix_len: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """``action(argument:value, ...)``."""

    action: str
    args: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """`line` counts from 1."""

    line: int


# ---- tables ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Add(Statement):
    """`priority`: the larger wins. `label` names the entry for `CheckCounter`."""

    table: str
    priority: int
    matches: tuple[Match, ...]
    call: Call
    label: str | None


@dataclass(frozen=True, slots=True)
class SetDefault(Statement):
    table: str
    call: Call


@dataclass(frozen=True, slots=True)
class RemoveAll(Statement):
    """Every entry of every table, but for the constant ones."""


# ---- packets --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Packet(Statement):
    port: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Expect(Statement):
    """`pattern` is hex digits with ``*`` for any; more bytes may follow unless `is_exact`. None: any packet."""

    port: int
    pattern: str | None
    is_exact: bool = False


@dataclass(frozen=True, slots=True)
class NoPacket(Statement):
    """The last packet sent came out nowhere."""


@dataclass(frozen=True, slots=True)
class Wait(Statement):
    """Until all packets sent have been dealt with."""


# ---- counters, registers, meters ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CheckCounter(Statement):
    """`index` is a number, or the label of an entry: then it is the direct counter of that entry.

    Without `unit`, packets and bytes are both compared.
    """

    counter: str
    index: int | str
    unit: Unit | None
    comparison: Comparison
    value: int


@dataclass(frozen=True, slots=True)
class CounterRead(Statement):
    counter: str
    index: int


@dataclass(frozen=True, slots=True)
class CounterWrite(Statement):
    counter: str
    index: int
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RegisterRead(Statement):
    register: str
    index: int


@dataclass(frozen=True, slots=True)
class RegisterWrite(Statement):
    register: str
    index: int
    value: int


@dataclass(frozen=True, slots=True)
class RegisterReset(Statement):
    """All cells to 0."""

    register: str


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` in packets or bytes per second; `burst` in packets or bytes."""

    rate: int
    burst: int


@dataclass(frozen=True, slots=True)
class MeterGetRates(Statement):
    meter: str
    index: int


@dataclass(frozen=True, slots=True)
class MeterSetRates(Statement):
    """`index` None: all cells."""

    meter: str
    index: int | None
    committed: Rate
    peak: Rate


# ---- replication ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GroupCreate(Statement):
    group: int


@dataclass(frozen=True, slots=True)
class NodeCreate(Statement):
    """A node sends copies numbered `instance` to its ports. Its handle is the count of nodes made before it."""

    instance: int
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeUpdate(Statement):
    handle: int
    ports: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NodeAssociate(Statement):
    group: int
    handle: int


@dataclass(frozen=True, slots=True)
class MirrorToPort(Statement):
    session: int
    port: int


@dataclass(frozen=True, slots=True)
class MirrorToGroup(Statement):
    session: int
    group: int


@dataclass(frozen=True, slots=True)
class MirrorDelete(Statement):
    session: int


@dataclass(frozen=True, slots=True)
class MirrorGet(Statement):
    session: int


TableStatement = Add | SetDefault | RemoveAll
CellStatement = (
    CounterRead | CounterWrite | RegisterRead | RegisterWrite | RegisterReset | MeterGetRates | MeterSetRates
)
ReplicationStatement = (
    GroupCreate | NodeCreate | NodeUpdate | NodeAssociate | MirrorToPort | MirrorToGroup | MirrorDelete | MirrorGet
)
