# SPDX-License-Identifier: Apache-2.0
"""What a program does to a packet, the calculations it uses and the field lists it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .expressions import Expr, FieldOf, FieldRef, HeaderExpr, HeaderRef, LValue, UnionExpr
from .externs import Counter, Meter, Register
from .headers import AnyStack, Source

HASH_ALGORITHMS = frozenset({
    "crc16", "crc32", "crcCCITT", "crc8_custom", "crc16_custom", "crc32_custom", "crc64_custom",
    "csum16", "cksum16", "xor16", "xor32", "xxh64", "bmv2_hash", "hash_ex", "toeplitz",
    "identity", "random", "round_robin", "round_robin_consistent",
})  # fmt: skip
"""What a calculation or a selector may name: all that simple_switch registers, and ``random`` of v1model.p4."""


@dataclass(frozen=True, slots=True)
class PaddedConst:
    """A constant of a given width among a calculation's inputs or a field list's elements."""

    value: int
    width: int


@dataclass(frozen=True, slots=True)
class Calculation:
    """A hash over fields, constants and whole headers, in order, bit-packed; invalid headers are skipped.

    With `payload`, everything the parser left unparsed follows.
    """

    name: str
    algorithm: str
    inputs: tuple[FieldRef | HeaderRef | PaddedConst, ...]
    payload: bool = False
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Checksum:
    """`target` is compared with `calculation` after parsing (`verify`) or set to it before deparsing (`update`)."""

    name: str
    target: FieldRef
    calculation: Calculation
    condition: Expr | None
    verify: bool
    update: bool
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class LearnList:
    """The members of a digest."""

    id: int
    name: str
    elements: tuple[Expr, ...]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class FieldList:
    """Metadata that a clone, a resubmitted or a recirculated packet keeps."""

    id: int
    name: str
    fields: tuple[FieldRef, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    target: LValue
    value: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AssignVarbit:
    """Copies value and current width from one varbit field to another."""

    target: FieldRef | FieldOf
    value: FieldRef | FieldOf
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AssignHeader:
    """Copies fields and validity; an invalid `value` makes `target` invalid."""

    target: HeaderExpr
    value: HeaderExpr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AssignUnion:
    target: UnionExpr
    value: UnionExpr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class AssignStack:
    target: AnyStack
    value: AnyStack
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class SetValid:
    """No effect on a valid header; else every field becomes 0."""

    header: HeaderExpr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class SetInvalid:
    header: HeaderExpr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """Shifts elements towards the end; the first `count` become invalid."""

    stack: AnyStack
    count: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Pop:
    """Shifts elements towards the front; the last `count` become invalid."""

    stack: AnyStack
    count: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Jump:
    """Continues at statement `target` of the same action; with `unless`, only if that is 0."""

    target: int
    unless: Expr | None = None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """Ends the pipeline once the running action is over."""

    source: Source | None = None


@dataclass(frozen=True, slots=True)
class NoOp:
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Assert:
    """``assert`` and ``assume``: where `condition` is false the packet is dropped and counted."""

    condition: Expr
    keyword: Literal["assert", "assume"]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class LogMessage:
    """``pieces`` interleaved with the values of `arguments`: one piece more than arguments."""

    pieces: tuple[str, ...]
    arguments: tuple[Expr, ...]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Random:
    """Uniform in [low, high]; no effect when low > high."""

    target: LValue
    low: Expr
    high: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Hash:
    """``target = base + calculation % max``, a `max` of 0 taken as 1."""

    target: LValue
    base: Expr
    calculation: Calculation
    max: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class MarkToDrop:
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class GenerateDigest:
    learn_list: LearnList
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Clone:
    """To the egress pipeline: of the packet as received when in ingress, as it is when in egress."""

    session: Expr
    fields: FieldList | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Resubmit:
    fields: FieldList
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Recirculate:
    fields: FieldList
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Truncate:
    length_bytes: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Count:
    counter: Counter
    index: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ExecuteMeter:
    meter: Meter
    index: Expr
    target: LValue
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ReadRegister:
    """No effect when the index is out of range."""

    target: LValue
    register: Register
    index: Expr
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class WriteRegister:
    """No effect when the index is out of range."""

    register: Register
    index: Expr
    value: Expr
    source: Source | None = None


Statement = (
    Assign | AssignVarbit | AssignHeader | AssignUnion | AssignStack | SetValid | SetInvalid | Push | Pop
    | Jump | Exit | NoOp | Assert | LogMessage | Random | Hash | MarkToDrop | GenerateDigest | Clone | Resubmit
    | Recirculate | Truncate | Count | ExecuteMeter | ReadRegister | WriteRegister
)  # fmt: skip
