# SPDX-License-Identifier: Apache-2.0
"""The first thing that two executors do not agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from softnic import ir

from .executors import Seen, Start, left_behind
from .scenario import Scenario


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` differs (outputs, a counter, ...), at the step of that number; None: in the end."""

    what: str
    executor: str
    step: int | None
    wanted: str
    got: str

    def __str__(self) -> str:
        place = "in the end" if self.step is None else f"at step {self.step}"
        return f"{self.what} {place}:\n  reference: {self.wanted}\n  {self.executor}: {self.got}"


def first_difference(program: ir.Program, scenario: Scenario, starts: Sequence[Start]) -> Difference | None:
    """Run `scenario` by all of `starts`, step by step; the first of them is right."""
    judge, *others = (start(program) for start in starts)
    for number, step in enumerate(scenario.steps):
        wanted = judge.do(step)
        for other in others:
            got = other.do(step)
            if got != wanted:
                return _of_step(other.name, number, wanted, got)
    for other in others:
        for (what, wanted), (_, got) in zip(left_behind(judge, program), left_behind(other, program), strict=True):
            if wanted != got:
                return Difference(what, other.name, None, *_narrowed(wanted, got))
    return None


def _of_step(executor: str, number: int, wanted: Seen, got: Seen) -> Difference:
    if wanted.refusal != got.refusal:
        return Difference("refusal", executor, number, wanted.refusal or "none", got.refusal or "none")
    if wanted.outputs != got.outputs:
        return Difference("outputs", executor, number, *_narrowed(wanted.outputs, got.outputs))
    return Difference("digests", executor, number, *_narrowed(wanted.digests, got.digests))


def _narrowed(wanted: object, got: object) -> tuple[str, str]:
    """Of two sequences, the first items that differ."""
    if isinstance(wanted, Sequence) and isinstance(got, Sequence):
        for index, (left, right) in enumerate(zip_longest(wanted, got)):
            if left != right:
                return f"[{index}] {left}", f"[{index}] {right}"
    return str(wanted), str(got)
