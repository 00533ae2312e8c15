# SPDX-License-Identifier: Apache-2.0
"""How much of a program a run has reached: a fuzzer whose packets all stop at the first state finds nothing."""

from __future__ import annotations

from collections.abc import Iterator

from softnic import ir
from softnic.reference import ReferenceEngine
from softnic.reference.machine import Machine
from softnic.reference.trace import BranchTaken, Event, StateEntered, TableApplied, Tracer

from .executors import Clock, Executor
from .scenario import Scenario

Point = tuple[str, str]
"""What kind of thing, and which."""


class Reach:
    """Points of `program` that packets can reach, and those that were reached."""

    def __init__(self, program: ir.Program) -> None:
        self._program = program
        self.all = frozenset(_points(program))
        self.reached: set[Point] = set()

    def run(self, scenario: Scenario) -> None:
        """Run `scenario` by the reference executor and take note of where its packets come."""
        clock, tracer = Clock(), Tracer()
        engine = ReferenceEngine(self._program, clock_ns=clock)
        machine = Machine(self._program, engine.state, tracer)
        executor = Executor(
            "tracer",
            engine,
            clock,
            lambda frames: [out for port, data in frames for out in machine.process(port, data)],
        )
        for step in scenario.steps:
            executor.do(step)
        for event in tracer.events:
            self.reached.update(_reached(event))
        self.reached &= self.all

    def share(self, kind: str) -> str:
        """As in ``12/14``; empty if the program has none of that kind."""
        total = sum(point[0] == kind for point in self.all)
        return f"{sum(point[0] == kind for point in self.reached)}/{total}" if total else ""

    @property
    def missed(self) -> list[Point]:
        """In order."""
        return sorted(self.all - self.reached)


KINDS = ("state", "branch", "hit", "miss", "action")


def _points(program: ir.Program) -> Iterator[Point]:
    """A branch has two, a table one for hits and one for misses, an action one for each table that has it."""
    for state in program.parser.states:
        yield "state", state.name
    for node in (*program.ingress.nodes, *program.egress.nodes):
        match node:
            case ir.Branch(name=name, source=source):
                condition = source.fragment if source else name
                yield from (_branch(source, condition, taken) for taken in (True, False))
            case ir.Table(name=name, key=key) if key:
                yield from (("hit", name), ("miss", name))
                yield from (("action", f"{name} {action.action.name}") for action in node.actions)


def _reached(event: Event) -> Iterator[Point]:
    match event:
        case StateEntered(state):
            yield "state", state
        case BranchTaken(condition, taken, source):
            yield _branch(source, condition, taken)
        case TableApplied(table, _, entry, _, action):
            yield "miss" if entry is None else "hit", table
            yield "action", f"{table} {action}"


def _branch(source: ir.Source | None, condition: str, taken: bool) -> Point:
    return "branch", f"{source}: {condition} is {'true' if taken else 'false'}"
