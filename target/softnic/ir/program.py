# SPDX-License-Identifier: Apache-2.0
"""The whole program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .expressions import FieldRef
from .externs import Counter, Meter, Register, ValueSet
from .headers import Header, HeaderStack, HeaderUnion, HeaderUnionStack
from .parsing import Deparser, Parser
from .statements import Checksum, FieldList, LearnList
from .tables import Action, ActionProfile, Pipeline, Table


@dataclass(frozen=True, slots=True)
class StandardMetadata:
    """The fields through which simple_switch and the program talk. None: the program does not have the field."""

    ingress_port: FieldRef
    egress_spec: FieldRef
    egress_port: FieldRef
    instance_type: FieldRef
    packet_length: FieldRef
    mcast_grp: FieldRef | None = None
    egress_rid: FieldRef | None = None
    ingress_global_timestamp: FieldRef | None = None
    egress_global_timestamp: FieldRef | None = None
    parser_error: FieldRef | None = None
    checksum_error: FieldRef | None = None
    priority: FieldRef | None = None
    enq_timestamp: FieldRef | None = None
    enq_qdepth: FieldRef | None = None
    deq_timedelta: FieldRef | None = None
    deq_qdepth: FieldRef | None = None
    qid: FieldRef | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """One compiled v1model program. `errors` maps the names of P4 errors to their codes.

    `json_sha256` is of the JSON it was read from, in hexadecimal; empty if it was not read from one.
    """

    name: str
    headers: tuple[Header, ...]
    stacks: tuple[HeaderStack, ...]
    unions: tuple[HeaderUnion, ...]
    union_stacks: tuple[HeaderUnionStack, ...]
    standard: StandardMetadata
    errors: Mapping[str, int]
    enums: Mapping[str, Mapping[str, int]]
    value_sets: tuple[ValueSet, ...]
    parser: Parser
    ingress: Pipeline
    egress: Pipeline
    deparser: Deparser
    checksums: tuple[Checksum, ...]
    actions: tuple[Action, ...]
    profiles: tuple[ActionProfile, ...]
    counters: tuple[Counter, ...]
    meters: tuple[Meter, ...]
    registers: tuple[Register, ...]
    learn_lists: tuple[LearnList, ...]
    field_lists: tuple[FieldList, ...]
    json_sha256: str = ""

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(node for p in (self.ingress, self.egress) for node in p.nodes if isinstance(node, Table))
