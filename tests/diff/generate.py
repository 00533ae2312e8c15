# SPDX-License-Identifier: Apache-2.0
"""A scenario for a program, from nothing but the program and a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from softnic import ir

from .entries import EVERYTHING, Entries, Limits
from .packets import Packets
from .scenario import Burst, Scenario, Step, Wait, Write
from .values import Values

BURSTS = 6
BURST_FRAMES = 24

_WAITS_NS = (0, 1_000, 1_000_000, 700_000_000, 3_000_000_000)


class Generator:
    """Makes scenarios for `program`, each of which starts with one of `bases`."""

    def __init__(
        self, program: ir.Program, limits: Limits = EVERYTHING, bases: Sequence[Sequence[Write]] = ((),)
    ) -> None:
        self.program = program
        self._limits = limits
        self._bases = bases

    def scenario(self, seed: int) -> Scenario:
        """The same one for the same seed, always: state, then bursts of packets with changes of state in between."""
        rng = random.Random(f"{self.program.name} {seed}")
        values = Values(self.program, rng)
        base = rng.choice(self._bases)
        for write in base:
            values.learn(write)
        entries = Entries(self.program, rng, values, self._limits)
        packets = Packets(self.program, rng, values, entries.value_set)
        return Scenario(f"seed {seed}", (*base, *self._steps(rng, entries, packets, not base)))

    def _steps(self, rng: random.Random, entries: Entries, packets: Packets, is_empty: bool) -> Iterator[Step]:
        if is_empty or rng.random() < 0.3:
            yield from entries.at_first()
        for _ in range(BURSTS):
            yield Burst(tuple(packets.frame() for _ in range(rng.randrange(1, 2 * BURST_FRAMES))))
            if self._limits is EVERYTHING:
                yield Wait(rng.choice(_WAITS_NS))
                yield from filter(None, (entries.later() for _ in range(rng.randrange(6))))
