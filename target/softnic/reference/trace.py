# SPDX-License-Identifier: Apache-2.0
"""What happened to one packet, as a list of events, and the recorder that the executor tells them to.

An executor compiled without a tracer carries none of this; one compiled with a tracer wraps each statement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softnic import ir
from softnic.engine import EntryAction, Replica, TableEntry

from .expressions import Expressions
from .packet import Packet


@dataclass(frozen=True, slots=True)
class PassStarted:
    """The packet, or a copy of it, enters ``ingress`` or ``egress``. `port` is the one it came from or goes to."""

    pipeline: str
    reason: str
    port: int
    length_bytes: int


@dataclass(frozen=True, slots=True)
class StateEntered:
    state: str
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class HeaderExtracted:
    header: str
    fields: tuple[tuple[str, int], ...]
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class ParserErrorRaised:
    """`error` is a P4 error's name, or the code of one that has none."""

    error: str


@dataclass(frozen=True, slots=True)
class ChecksumVerified:
    target: str
    correct: bool
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class ChecksumUpdated:
    target: str
    before: int
    after: int
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class TableApplied:
    """`entry` is None on a miss; `action` is None where nothing runs. `chosen` is the entry's or default's own action,
    which for an action profile is the member or group that `action` came from."""

    table: str
    key: tuple[tuple[str, int], ...]
    entry: TableEntry | None
    chosen: EntryAction | None
    action: str | None
    args: tuple[tuple[str, int], ...]
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class BranchTaken:
    condition: str
    taken: bool
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class FieldAssigned:
    field: str
    before: int
    after: int
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class HeaderChanged:
    """A header became valid or invalid."""

    header: str
    valid: bool
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class CounterIncremented:
    counter: str
    index: int
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class RegisterWritten:
    register: str
    index: int
    value: int
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class Requested:
    """Something the target does once the pipeline is over: drop, clone, digest, resubmit, recirculate, truncate, ..."""

    what: str
    source: ir.Source | None


@dataclass(frozen=True, slots=True)
class DigestSent:
    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Replicated:
    group: int
    replicas: tuple[Replica, ...]


@dataclass(frozen=True, slots=True)
class Cloned:
    """`known` is False where the session does not exist and no clone is made."""

    session: int
    known: bool


@dataclass(frozen=True, slots=True)
class Dropped:
    pipeline: str


@dataclass(frozen=True, slots=True)
class Sent:
    port: int
    data: bytes


Event = (
    PassStarted | StateEntered | HeaderExtracted | ParserErrorRaised | ChecksumVerified | ChecksumUpdated
    | TableApplied | BranchTaken | FieldAssigned | HeaderChanged | CounterIncremented | RegisterWritten
    | Requested | DigestSent | Replicated | Cloned | Dropped | Sent
)  # fmt: skip

_Step = Callable[[Packet], int | None]


class Tracer:
    """Records `events`; the executor calls one method for each thing it does."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def statement(self, statement: ir.Statement, step: _Step, expressions: Expressions) -> _Step:
        """`step`, telling what it does to the packet."""
        match statement:
            case ir.Assign() | ir.Random() | ir.Hash() | ir.ReadRegister() | ir.ExecuteMeter() | ir.AssignVarbit():
                return self._assignment(statement.target, step, expressions, statement.source)
            case ir.Jump() | ir.NoOp() | ir.LogMessage() | ir.Assert():
                return step
            case ir.Count(counter=counter, index=index, source=source):
                at = expressions.value(index)
                return self._announced(step, lambda p: CounterIncremented(counter.name, at(p), source))
            case ir.WriteRegister(register=register, index=index, value=value, source=source):
                at, what = expressions.value(index), expressions.value(value)
                return self._announced(step, lambda p: RegisterWritten(register.name, at(p), what(p), source))
            case (
                ir.SetValid() | ir.SetInvalid() | ir.AssignHeader() | ir.AssignUnion() | ir.AssignStack()
                | ir.Push() | ir.Pop()
            ):  # fmt: skip
                return self._header_statement(step, statement.source)
            case _:
                return self._announced(step, lambda p: Requested(_request(statement), statement.source))

    def _assignment(self, target: ir.LValue, step: _Step, expressions: Expressions, source: ir.Source | None) -> _Step:
        load, name = expressions.value(target), _name(target)

        def run(p: Packet) -> None:
            before = load(p)
            step(p)
            self.events.append(FieldAssigned(name, before, load(p), source))

        return run

    def _header_statement(self, step: _Step, source: ir.Source | None) -> _Step:
        """Tells which headers became valid or invalid, and which fields of valid headers changed."""

        def run(p: Packet) -> None:
            fields, valid = p.fields.copy(), p.valid.copy()
            step(p)
            for header, was, now in zip(p.layout.headers, valid, p.valid, strict=False):
                if was != now:
                    self.events.append(HeaderChanged(header.name, now, source))
                if now:
                    self._changed_fields(header, p, fields, source)

        return run

    def _changed_fields(self, header: ir.Header, p: Packet, fields: list[int], source: ir.Source | None) -> None:
        base = p.layout.bases[header.index]
        for field in header.type.fields:
            before, after = fields[base + field.index], p.fields[base + field.index]
            if before != after:
                self.events.append(FieldAssigned(f"{header.name}.{field.name}", before, after, source))

    def _announced(self, step: _Step, event: Callable[[Packet], Event]) -> _Step:
        def run(p: Packet) -> int | None:
            self.events.append(event(p))
            return step(p)

        return run

    def extraction(
        self, header: ir.Header, extract: Callable[[Packet], object], source: ir.Source | None
    ) -> Callable[[Packet], None]:
        """`extract`, telling the fields it found."""

        def run(p: Packet) -> None:
            extract(p)
            base = p.layout.bases[header.index]
            found = tuple((field.name, p.fields[base + field.index]) for field in header.type.fields)
            self.events.append(HeaderExtracted(header.name, found, source))

        return run

    def parser_state(self, state: ir.ParserState) -> None:
        self.events.append(StateEntered(state.name, state.source))

    def parser_error(self, error: str) -> None:
        self.events.append(ParserErrorRaised(error))

    def checksum(self, checksum: ir.Checksum, correct: bool) -> None:
        self.events.append(ChecksumVerified(str(checksum.target), correct, checksum.source))

    def checksum_update(self, checksum: ir.Checksum, before: int, after: int) -> None:
        self.events.append(ChecksumUpdated(str(checksum.target), before, after, checksum.source))

    def branch(self, branch: ir.Branch, taken: bool) -> None:
        condition = branch.source.fragment if branch.source else branch.name
        self.events.append(BranchTaken(condition, taken, branch.source))

    def table(
        self,
        table: ir.Table,
        key: tuple[int, ...],
        entry: TableEntry | None,
        chosen: EntryAction | None,
        call: ir.ActionArgs | None,
    ) -> None:
        action = call.action.action if call else None
        args = tuple(zip((param.name for param in action.params), call.args, strict=True)) if action and call else ()
        named = tuple(zip((field.name for field in table.key), key, strict=True))
        self.events.append(
            TableApplied(table.name, named, entry, chosen, action.name if action else None, args, table.source)
        )

    def pass_started(self, pipeline: str, reason: str, port: int, length_bytes: int) -> None:
        self.events.append(PassStarted(pipeline, reason, port, length_bytes))

    def digest(self, name: str, values: tuple[int, ...]) -> None:
        self.events.append(DigestSent(name, values))

    def replicated(self, group: int, replicas: tuple[Replica, ...]) -> None:
        self.events.append(Replicated(group, replicas))

    def cloned(self, session: int, known: bool) -> None:
        self.events.append(Cloned(session, known))

    def dropped(self, pipeline: str) -> None:
        self.events.append(Dropped(pipeline))

    def sent(self, port: int, data: bytes) -> None:
        self.events.append(Sent(port, data))


def _name(target: ir.LValue) -> str:
    match target:
        case ir.FieldRef():
            return str(target)
        case ir.FieldOf(header=header, field=field):
            return f"{_header_name(header)}.{field.name}"
        case ir.RegisterCell(register=register):
            return register.name


def _header_name(header: ir.HeaderExpr) -> str:
    match header:
        case ir.HeaderRef(header=h):
            return h.name
        case ir.StackElement(stack=stack):
            return f"{stack.name}[...]"
        case ir.LastElement(stack=stack):
            return f"{stack.name}.last"
        case ir.UnionMember(union=ir.UnionRef(union=union), member=member):
            return f"{union.name}.{union.member_names[member]}"
        case ir.UnionMember(union=ir.UnionStackElement(stack=stack) | ir.LastUnion(stack=stack), member=member):
            return f"{stack.name}[...].{stack.elements[0].member_names[member]}"
    raise TypeError(f"not a header: {header!r}")


def _request(statement: ir.Statement) -> str:
    match statement:
        case ir.MarkToDrop():
            return "drop"
        case ir.GenerateDigest(learn_list=learn_list):
            return f"digest {learn_list.name}"
        case _:
            return type(statement).__name__.lower()
