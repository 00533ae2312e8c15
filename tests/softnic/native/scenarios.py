# SPDX-License-Identifier: Apache-2.0
"""Random control-plane state and packets for a program, made from nothing but its IR and a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from softnic import ir
from softnic.engine import (
    ActionCall,
    CloneSession,
    Engine,
    EngineError,
    EntryAction,
    Exact,
    GroupMember,
    GroupRef,
    KeyMatch,
    Lpm,
    MemberRef,
    MeterRates,
    Range,
    Replica,
    TableEntry,
    Ternary,
)

ENTRIES = 40
"""How many inserts each table sees; more than the small ones hold."""

PORTS = 8
IDS = 6
"""Members, groups and clone sessions have ids below."""


class Scenario:
    """What to do to an engine that runs `program`; engines that are given the same seed are told the same."""

    def __init__(self, program: ir.Program, seed: int) -> None:
        self.program = program
        self._random = random.Random(f"{program.name} {seed}")

    def fill(self, engines: Sequence[Engine]) -> None:
        """Write to everything that the program has; what one engine refuses all must refuse, by the same error."""
        for write in self._writes():
            refusals = {_refusal(write, engine) for engine in engines}
            assert len(refusals) == 1, refusals

    def packets(self, count: int) -> list[tuple[int, bytes]]:
        """Ports and frames: mostly small bytes, as programs select by, and beginnings of IP and VLAN frames."""
        return [(self._random.randrange(PORTS), self._frame()) for _ in range(count)]

    def _frame(self) -> bytes:
        rng = self._random
        kind = rng.choice([b"\x08\x00\x45", b"\x08\x00\x46", b"\x86\xdd\x60", b"\x81\x00\x00", b"\x08\x06\x00", None])
        addresses = bytes(rng.randrange(3) for _ in range(12))
        start = b"" if kind is None else addresses + kind
        return start + bytes(self._byte() for _ in range(rng.randrange(100)))

    def _byte(self) -> int:
        return self._random.choice([0, 1, self._random.randrange(16), self._random.randrange(256)])

    def _writes(self) -> Iterator[tuple[str, tuple[object, ...]]]:
        rng, program = self._random, self.program
        for profile in program.profiles:
            users = [table for table in program.tables if table.profile == profile]
            for member in range(IDS if users else 0):
                yield "insert_member", (profile.name, member, self._call(users[0]))
            for group in range(IDS if users and profile.selector else 0):
                members = [
                    GroupMember(rng.randrange(IDS), rng.randrange(1, 4), rng.choice([None, 3])) for _ in range(3)
                ]
                yield "insert_group", (profile.name, group, members[:group])
        for table in program.tables:
            for _ in range(ENTRIES if table.key else 0):
                key = tuple(self._match(field) for field in table.key)
                has_priority = any(isinstance(match, Ternary | Range) for match in key)
                priority = rng.randrange(1, 50) if has_priority else 0
                verb = rng.choice(["insert", "insert", "insert", "modify", "delete"])
                entry = TableEntry(key, self._action(table), priority)
                yield verb, (table.name, key, priority) if verb == "delete" else (table.name, entry)
            yield "set_default", (table.name, rng.choice([None, self._action(table)]))
        for meter in program.meters:
            for index in range(min(meter.size, IDS)):
                yield "write_meter", (meter.name, index, MeterRates(1000, 200, 2000, 300))
        for register in program.registers:
            for index in range(min(register.size, IDS)):
                yield "write_register", (register.name, index, rng.getrandbits(register.width))
        for group in range(IDS):
            yield "set_multicast_group", (group, tuple(self._replica() for _ in range(group)))
            yield (
                "set_clone_session",
                (group, CloneSession(tuple(self._replica() for _ in range(group)), rng.choice([0, 20]))),
            )
        yield "set_port_up", (3, False)

    def _replica(self) -> Replica:
        backups = (Replica(4, 9),) if self._random.random() < 0.3 else ()
        return Replica(self._random.randrange(PORTS), self._random.randrange(4), backups)

    def _match(self, field: ir.KeyField) -> KeyMatch:
        rng, ones = self._random, (1 << field.width) - 1
        value = self._value(field.width)
        match field.kind:
            case ir.MatchKind.LPM:
                length = rng.randrange(field.width + 1)
                return Lpm(value & (ones ^ (ones >> length)), length)
            case ir.MatchKind.TERNARY:
                mask = rng.choice([0, ones, self._value(field.width)])
                return Ternary(value & mask, mask)
            case ir.MatchKind.RANGE:
                other = self._value(field.width)
                return Range(min(value, other), max(value, other))
        return Exact(value & ones)

    def _value(self, width: int) -> int:
        """Mostly small: packets have small bytes."""
        bits = self._random.choice([1, 2, 4, width])
        return self._random.getrandbits(min(bits, width))

    def _action(self, table: ir.Table) -> EntryAction:
        if table.profile is None:
            return self._call(table)
        number = self._random.randrange(IDS + 1)
        return GroupRef(number) if table.profile.selector and self._random.random() < 0.5 else MemberRef(number)

    def _call(self, table: ir.Table) -> ActionCall:
        action = self._random.choice(table.actions).action
        return ActionCall(action.name, tuple(self._value(param.width) for param in action.params))


def _refusal(write: tuple[str, tuple[object, ...]], engine: Engine) -> str | None:
    method, arguments = write
    try:
        getattr(engine, method)(*arguments)
    except EngineError as error:
        return f"{method}{arguments}: {type(error).__name__}"
    return None
