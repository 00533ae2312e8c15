# SPDX-License-Identifier: Apache-2.0
"""Values that mean something to a program: what it compares fields with, what its entries match, and the edges."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping

from softnic import ir
from softnic.engine import Exact, KeyMatch, Lpm, Range, TableEntry, Ternary
from softnic.program_entries import program_entries

from .fields import Families, FieldName
from .intents import Intents
from .irwalk import walk
from .scenario import Write

PORTS = 8
"""Packets come in by, and entries mostly send to, ports below."""

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})


class Values:
    """Draws values from `rng`, for fields of `program` and of entries that `learn` was told of."""

    def __init__(self, program: ir.Program, rng: random.Random) -> None:
        self._rng = rng
        self._keys = {table.name: table.key for table in program.tables}
        self._families = Families(program)
        self._intents = Intents(program, self._families, rng)
        self._wanted: Mapping[FieldName, int] = {}
        self._by_field: defaultdict[FieldName, list[int]] = defaultdict(list)
        self._few: dict[FieldName, list[int]] = {}
        constants: set[int] = set()
        for node in walk(program):
            match node:
                case ir.Assign(target=target, value=ir.Const(value=value)):
                    self._relate(target, [value, 0])
                case ir.Const(value=value) if value > 1:
                    constants.add(value)
                case ir.Binary(op=op, left=left, right=ir.Const(value=value)) if op in _COMPARISONS:
                    self._relate(left, [value, value + 1, value - 1] if op not in ("==", "!=") else [value])
                case ir.ParserState(key=[ir.KeyPart(expr=expr)], cases=cases):
                    self._relate(expr, [case.value for case in cases if isinstance(case, ir.SelectCase)])
        self._constants = sorted(constants)
        self._relate(program.standard.ingress_port, range(PORTS))
        for table in program.tables:
            self._learn_entries(table.name, program_entries(table))

    def learn(self, write: Write) -> None:
        """Draw what `write` matches more often from now on."""
        match write.args:
            case (table, TableEntry() as entry):
                self._learn_entries(table, [entry])

    def aim(self) -> None:
        """Have packets hit an entry of one's choice, until the next call; now and then none."""
        self._wanted = self._intents.choose() if self._rng.random() < 0.7 else {}

    def of_field(self, header: ir.Header, field: ir.Field) -> int:
        """A value of `field`, not negative."""
        family = self._families.head((header.type.name, field.name))
        if family in self._wanted and self._rng.random() < 0.97:
            return self._wanted[family] & ((1 << field.width) - 1)
        return self._of(family, field.width)

    def of_expression(self, expr: ir.Expr, width: int) -> int:
        """A value of `width` bits that `expr` may well have."""
        family = self._families.of(expr)
        return self.of_width(width) if family is None else self._of(family, width)

    def of_argument(self, action: ir.Action, index: int) -> int:
        """A value for parameter `index` of `action`, by the field it goes to."""
        width = action.params[index].width
        for statement in action.body:
            match statement:
                case ir.Assign(target=target, value=ir.ParamRef(index=at)) if at == index:
                    return self.of_expression(target, width)
        return self.of_width(width)

    def _of(self, family: FieldName, width: int) -> int:
        """Mostly one of a few: entries and packets that draw from the same few values meet, even in several fields."""
        if family not in self._few:
            self._few[family] = [self._any_of(family, width) for _ in range(self._rng.choice([1, 2, 2, 3, 4, 8]))]
        if self._rng.random() < 0.75:
            return self._rng.choice(self._few[family]) & ((1 << width) - 1)
        return self._any_of(family, width)

    def _any_of(self, family: FieldName, width: int) -> int:
        known = self._by_field.get(family)
        if known and self._rng.random() < 0.7:
            return self._rng.choice(known) & ((1 << width) - 1)
        return self.of_width(width)

    def of_width(self, width: int) -> int:
        """Small, at an edge, one of the program's constants, or anything."""
        rng, ones = self._rng, (1 << width) - 1
        match rng.randrange(8):
            case 0 | 1 | 2:
                return rng.randrange(8) & ones
            case 3:
                return rng.choice([0, 1, ones, ones - 1, ones >> 1, (ones >> 1) + 1]) & ones
            case 4 if self._constants:
                return rng.choice(self._constants) & ones
            case _:
                return rng.getrandbits(width)

    def _learn_entries(self, table: str, entries: Iterable[TableEntry]) -> None:
        for entry in entries:
            for field, match in zip(self._keys.get(table, ()), entry.key, strict=False):
                self._relate(field.expr, self._matching(match, field.width))
            self._intents.learn(table, entry)

    def _relate(self, expr: ir.Expr, values: Iterable[int]) -> None:
        if family := self._families.of(expr):
            self._by_field[family] += values

    def _matching(self, match: KeyMatch, width: int) -> list[int]:
        """Values at, in and beside what `match` matches."""
        noise = self._rng.getrandbits(width)
        match match:
            case Exact(value):
                return [value]
            case Lpm(value, prefix_len):
                return [value, value | noise & ((1 << width) - 1 >> prefix_len), value ^ 1 << (width - prefix_len) >> 1]
            case Ternary(value, mask):
                return [value, value | noise & ~mask]
            case Range(low, high):
                return [low, high, low - 1, high + 1, (low + high) // 2]
