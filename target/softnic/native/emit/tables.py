# SPDX-License-Identifier: Apache-2.0
"""What a table does to a packet: build the key, find the entry, leave on it what a hit leaves, choose the call."""

from __future__ import annotations

from softnic import ir

from .calculations import Calculations
from .expressions import Expressions
from .keys import KeyLayout, key_layout, table_key
from .stores import store
from .widths import Given, Interval

_FINDERS = {"SNIC_EXACT": "exact", "SNIC_LPM": "lpm", "SNIC_TERNARY": "ternary", "SNIC_RANGE": "ternary"}
_MATCHES = {
    ir.MatchKind.VALID: "SNIC_EXACT",
    ir.MatchKind.EXACT: "SNIC_EXACT",
    ir.MatchKind.LPM: "SNIC_LPM",
    ir.MatchKind.TERNARY: "SNIC_TERNARY",
    ir.MatchKind.RANGE: "SNIC_RANGE",
}
_NARROW_BYTES = 2
_STRENGTH = ("SNIC_EXACT", "SNIC_LPM", "SNIC_TERNARY", "SNIC_RANGE")


def match_of(kind: ir.MatchKind) -> str:
    """The `enum snic_match` of a match kind."""
    return _MATCHES[kind]


def strongest_match(table: ir.Table) -> str:
    """The `enum snic_match` of a table: that of the field that asks for most."""
    return max((match_of(field.kind) for field in table.key), key=_STRENGTH.index, default="SNIC_EXACT")


def _follows_key(table: ir.Table) -> bool:
    return strongest_match(table) in ("SNIC_EXACT", "SNIC_LPM") and not _is_narrow(table)


def _is_narrow(table: ir.Table) -> bool:
    """Whether the runtime finds the entry by counting: `snic_is_narrow` of ``snic_table.h``."""
    return strongest_match(table) == "SNIC_EXACT" and 0 < key_of(table).size <= _NARROW_BYTES


def key_of(table: ir.Table) -> KeyLayout:
    """How the table's key is packed."""
    return key_layout([field.width for field in table.key])


def has_fixed_default(table: ir.Table) -> bool:
    """Whether nobody may change or count the default: it is part of the program."""
    return table.default_constant and table.profile is None and not table.direct_counter and table.direct_meter is None


def is_constant(table: ir.Table) -> bool:
    """Whether the table only ever runs its default."""
    return not table.key and has_fixed_default(table)


def runnable(table: ir.Table) -> list[ir.Action]:
    """The actions that packets may run."""
    if not is_constant(table):
        return [action.action for action in table.actions]
    return [] if table.default is None else [table.default.action.action]


class Tables:
    """C text for each step of applying a table. In scope: `w`, `p`, the table `t`, and `k` where packets park."""

    def __init__(self, program: ir.Program, expressions: Expressions, calculations: Calculations) -> None:
        self._numbers = {table.name: number for number, table in enumerate(program.tables)}
        self._expressions = expressions
        self._calculations = calculations
        self._keys: dict[str, KeyLayout] = {table.name: key_of(table) for table in program.tables}

    @property
    def key_room(self) -> int:
        """Bytes of the largest key, as lookups want it."""
        return max((layout.room for layout in self._keys.values()), default=8) or 8

    def may_park(self, pipeline: ir.Pipeline) -> frozenset[int]:
        """The tables whose lookup goes where the key leads; one that reads masks from front to back needs no help."""
        nodes = enumerate(pipeline.nodes)
        return frozenset(at for at, node in nodes if isinstance(node, ir.Table) and node.key and _follows_key(node))

    def handle(self, table: ir.Table) -> str:
        return f"snic_table_of(w, {self._numbers[table.name]})"

    def key(self, table: ir.Table) -> list[str]:
        """Declares ``key``."""
        return table_key(table, self._expressions)

    def find(self, table: ir.Table) -> str:
        if _is_narrow(table):
            return "snic_narrow_find(t, key)"
        return f"snic_{self._finder(table)}_find(t, key, {self._room(table)})"

    def begin(self, table: ir.Table) -> list[str]:
        """Parks: the key is kept, and its bucket is being fetched."""
        room = self._room(table)
        return [f"memcpy(k->key, key, {room});", f"k->token = snic_{self._finder(table)}_begin(t, k->key, {room});"]

    def advance(self, table: ir.Table) -> str:
        """The entry is being fetched."""
        return f"k->token = snic_{self._finder(table)}_advance({self.handle(table)}, k->token);"

    def finish(self, table: ir.Table) -> str:
        return f"snic_{self._finder(table)}_finish(t, k->key, {self._room(table)}, k->token)"

    def hit(self, table: ir.Table) -> list[str]:
        """Leaves counts, colour and time on the entry."""
        stamp = ["snic_stamp(w, t, call);"] if table.idle_timeout else []
        return [f"snic_table_hit(w, {self._numbers[table.name]});", *self._count(table), *self._mark(table), *stamp]

    def missed(self, table: ir.Table) -> str:
        return f"snic_table_missed(w, {self._numbers[table.name]});"

    def default(self, table: ir.Table) -> list[str]:
        """Takes the default, and leaves on it what it counts."""
        mark = self._mark(table)
        if mark:
            mark = ["if (snic_marks_misses(t)) {", *(f"    {line}" for line in mark), "}"]
        return ["call = snic_default(t);", *self._count(table), *mark]

    def _count(self, table: ir.Table) -> list[str]:
        number = self._numbers[table.name]
        return [f"snic_count_direct(w, {number}, call, p->base.received_length);"] if table.direct_counter else []

    def _mark(self, table: ir.Table) -> list[str]:
        if table.direct_meter is None:
            return []
        colour = Given("(uint64_t)snic_mark_direct(w, t, call, p->base.received_length)", Interval(0, 2))
        return store(self._expressions, table.direct_meter.result, colour)

    def resolve(self, profile: ir.ActionProfile) -> list[str]:
        """From members and groups to the call that they stand for; NULL where a group is empty."""
        lines = []
        if profile.selector is not None:
            chosen = self._calculations.call(profile.selector.calculation)
            lines += [
                "if (call->kind == SNIC_TARGET_GROUP) {",
                "    const struct snic_choice *choice = snic_group_choice(w, call);",
                # In this order: a hash that counts its calls does not count this one for an empty group.
                f"    call = choice == NULL ? NULL : snic_chosen_call(choice, {chosen});",
                "}",
            ]
        guard = "call != NULL && " if lines else ""
        return [*lines, f"if ({guard}call->kind == SNIC_TARGET_MEMBER)", "    call = snic_member_call(call);"]

    def _room(self, table: ir.Table) -> int:
        return self._keys[table.name].room

    def _finder(self, table: ir.Table) -> str:
        return _FINDERS[strongest_match(table)]
