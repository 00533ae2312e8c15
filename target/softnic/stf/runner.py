# SPDX-License-Identifier: Apache-2.0
"""One test on one engine: `run_test` executes the statements in order and compares what came out.

A packet is run to completion before the next statement, so there is never anything to wait for.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from softnic import ir
from softnic.engine import CounterValue, Engine, EngineError, KeyMatch, Output

from . import statements as stf
from .cells import access_cell
from .comparison import Difference, first_difference
from .errors import StfError
from .names import Names, ResolveError, action_call, entry
from .replication import Replication

_COMPARE: dict[stf.Comparison, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Result:
    """How a test went.

    Attributes:
        difference: the first difference; None: passed.
        notes: what statements that read were answered, as ``line 7: ...``.
        unseen: packets that left by a port that no statement names, by port: as on a box without that port, they are
            lost. p4c's runner does the same.
    """

    difference: Difference | None
    notes: tuple[str, ...] = ()
    unseen: dict[int, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return self.difference is None


def run_test(program: ir.Program, engine: Engine, statements: Sequence[stf.Statement]) -> Result:
    """Run a test on `engine`, which runs `program` and holds only the program's own entries.

    Raises:
        StfError: a statement names what the program does not have, or the engine refuses it.
    """
    run = _Run(program, engine)
    for statement in statements:
        try:
            difference = run.execute(statement)
        except (ResolveError, EngineError) as error:
            raise StfError(statement.line, str(error)) from error
        if difference:
            return Result(difference, tuple(run.notes))
    return _compare(run, statements)


def _compare(run: _Run, statements: Sequence[stf.Statement]) -> Result:
    """The end of a test in which everything else went well."""
    ports = {each.port for each in statements if isinstance(each, stf.Packet | stf.Expect)}
    expects = [each for each in statements if isinstance(each, stf.Expect)]
    seen = [(line, output) for line, output in run.outputs if output.port in ports]
    unseen = Counter(output.port for _, output in run.outputs if output.port not in ports)
    return Result(first_difference(expects, seen), tuple(run.notes), dict(unseen))


@dataclass(frozen=True, slots=True)
class _Labelled:
    """An entry that a label stands for."""

    table: ir.Table
    key: tuple[KeyMatch, ...]
    priority: int


class _Run:
    """What a test has done so far."""

    def __init__(self, program: ir.Program, engine: Engine) -> None:
        self.outputs: list[tuple[int, Output]] = []
        """With the line of the packet that caused it."""
        self.notes: list[str] = []
        self._program = program
        self._engine = engine
        self._names = Names(program)
        self._replication = Replication(engine)
        self._labels: dict[str, _Labelled] = {}
        self._last_outputs: Sequence[Output] | None = None

    def execute(self, statement: stf.Statement) -> Difference | None:
        """Raises: ResolveError, EngineError."""
        match statement:
            case stf.Packet(line=line, port=port, data=data):
                self._last_outputs = self._engine.process(port, data)
                self.outputs += [(line, output) for output in self._last_outputs]
            case stf.NoPacket():
                return self._check_no_packet(statement)
            case stf.CheckCounter():
                return self._check_counter(statement)
            case stf.Add():
                self._add(statement)
            case stf.SetDefault(table=name, call=call):
                table = self._names.table(name)
                self._engine.set_default(table.name, action_call(table, call))
            case stf.RemoveAll():
                self._remove_all()
            case _ if isinstance(statement, stf.CellStatement):
                self._note(statement, access_cell(statement, self._names, self._engine))
            case _ if isinstance(statement, stf.ReplicationStatement):
                self._note(statement, self._replication.execute(statement))
            case _:  # Expect is for the end, and there is nothing to wait for.
                pass
        return None

    def _note(self, statement: stf.Statement, answer: str | None) -> None:
        if answer:
            self.notes.append(f"line {statement.line}: {answer}")

    def _add(self, statement: stf.Add) -> None:
        table = self._names.table(statement.table)
        added = entry(table, statement.priority, statement.matches, statement.call)
        self._engine.insert(table.name, added)
        if statement.label:
            self._labels[statement.label] = _Labelled(table, added.key, added.priority)

    def _remove_all(self) -> None:
        for table in self._program.tables:
            if not table.entries_constant:
                for each in tuple(self._engine.entries(table.name)):
                    self._engine.delete(table.name, each.key, each.priority)

    def _check_no_packet(self, statement: stf.NoPacket) -> Difference | None:
        if self._last_outputs is None:
            raise ResolveError("no packet was sent yet that could have come out")
        if not self._last_outputs:
            return None
        first = self._last_outputs[0]
        return Difference(statement.line, f"a packet came out of port {first.port}", None, first.data)

    def _check_counter(self, check: stf.CheckCounter) -> Difference | None:
        value = self._read_counter(check)
        counted = {"packets": value.packets, "bytes": value.bytes}
        for unit in (check.unit,) if check.unit else counted:
            if not _COMPARE[check.comparison](counted[unit], check.value):
                wanted = f"{unit} {check.comparison} {check.value}"
                return Difference(
                    check.line, f"{check.counter}({check.index}): expected {wanted}, counted {counted[unit]}"
                )
        return None

    def _read_counter(self, check: stf.CheckCounter) -> CounterValue:
        if isinstance(check.index, int):
            return self._engine.read_counter(self._names.counter(check.counter), check.index)
        if check.index not in self._labels:
            raise ResolveError(f"no entry was added as {check.index}; label it: add TABLE ... = {check.index}")
        labelled = self._labels[check.index]
        counted = self._names.directly_counted(check.counter)
        if counted is not labelled.table:
            raise ResolveError(f"{check.counter} counts {counted.name}; {check.index} is in {labelled.table.name}")
        return self._engine.read_direct_counter(labelled.table.name, labelled.key, labelled.priority)
