# SPDX-License-Identifier: Apache-2.0
"""What a packet must have for a chosen entry to be hit: the entry's key, and the keys of entries whose actions give the
metadata in it; so tables that feed one another are passed to the last."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from softnic import ir
from softnic.engine import ActionCall, Exact, KeyMatch, Lpm, Range, TableEntry, Ternary

from .fields import Families, FieldName

_Values = dict[FieldName, int]


@dataclass(frozen=True, slots=True)
class _Known:
    """An entry: what it matches and what its action assigns, by families of fields."""

    needs: _Values
    gives: _Values


class Intents:
    """Entries of `program` that were learned, to choose from."""

    def __init__(self, program: ir.Program, families: Families, rng: random.Random) -> None:
        self._rng = rng
        self._families = families
        self._keys = {table.name: table.key for table in program.tables}
        self._params = {action.name: _assigned(action, families) for action in program.actions}
        self._known: list[_Known] = []
        self._givers: defaultdict[tuple[FieldName, int], list[_Known]] = defaultdict(list)

    def learn(self, table: str, entry: TableEntry) -> None:
        """Let `entry` be chosen from now on."""
        needs: _Values = {}
        for field, match in zip(self._keys.get(table, ()), entry.key, strict=False):
            if family := self._families.of(field.expr):
                needs[family] = self._matched(match, field.width)
        gives: _Values = {}
        if isinstance(entry.action, ActionCall):
            params = self._params[entry.action.action]
            gives = {family: entry.action.args[index] for index, family in params.items()}
        known = _Known(needs, gives)
        self._known.append(known)
        for given in gives.items():
            self._givers[given].append(known)

    def choose(self) -> Mapping[FieldName, int]:
        """Values for families of fields that lead to an entry, or several; first come, first served."""
        if not self._known:
            return {}
        wanted: _Values = {}
        waiting = [self._rng.choice(self._known) for _ in range(self._rng.choice([1, 1, 2]))]
        while waiting:
            known = waiting.pop(0)
            for need in known.needs.items():
                if need[0] not in wanted:
                    wanted[need[0]] = need[1]
                    waiting += self._rng.sample(self._givers[need], min(len(self._givers[need]), 1))
        return wanted

    def _matched(self, match: KeyMatch, width: int) -> int:
        match match:
            case Exact(value):
                return value
            case Lpm(value, prefix_len):
                return value | self._rng.getrandbits(width) & ((1 << width) - 1 >> prefix_len)
            case Ternary(value, mask):
                return value | self._rng.getrandbits(width) & ~mask
            case Range(low, high):
                return self._rng.randint(low, high)


def _assigned(action: ir.Action, families: Families) -> dict[int, FieldName]:
    """For each parameter that is assigned to a field, that field's family."""
    assigned: dict[int, FieldName] = {}
    for statement in action.body:
        match statement:
            case ir.Assign(target=target, value=ir.ParamRef(index=index)):
                if family := families.of(target):
                    assigned[index] = family
    return assigned
