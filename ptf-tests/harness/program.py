# SPDX-License-Identifier: Apache-2.0
"""What the harness has to know of a program to test it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from finsy import P4Schema
from finsy.proto import p4r

from headgate.systems import Entity
from headgate.vocabulary import Outcome

CPU_PORT = 510
"""The controller; not a port that packets are tested on."""

Cell = tuple[str, int]
"""An indirect counter's name and a row of it."""

Updates = Iterable[p4r.Update | Entity]


@dataclass(frozen=True, slots=True)
class Volley:
    """Sentinels: frames of the harness's own that come out of every port there is, behind all that went in before.

    That nothing more will come is known by them, and not by waiting.
    """

    frames: Sequence[tuple[int, bytes]]
    """Each with the port it goes in by."""
    mark: bytes
    """In the last bytes of each of them, and in no other frame: to the controller the first bytes of a frame that was
    sent out of its port look like a packet_in header, and are lost."""
    outputs: frozenset[int]
    """The ports that one comes out of."""
    outcomes: Counter[Outcome]
    """What the device counts of it."""
    digests: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What it has the device learn: for each digest, fields that tell the volley's from all others."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """One program of `p4src/programs`."""

    name: str
    ports: tuple[int, ...]
    """Where frames go in and come out."""
    volley: Callable[[], Volley]
    """A new one each time."""
    is_sentinel: Callable[[bytes], bool]
    """Whether a frame is of any volley."""
    is_learned_from_sentinel: Callable[[Mapping[str, Any]], bool]
    """Whether a digest is of any volley."""
    entities: Callable[[Any], Sequence[Entity]]
    """What a rack, as the program's tests write it, asks of the device; what sentinels need is among it."""
    steps: Callable[[Sequence[Entity], Sequence[Entity], P4Schema], Iterable[Updates]]
    """(what the device holds, what it has to hold, names) -> writes that lead from one to the other, in order."""
    watched: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Counters to look at around each exchange, beside those by reason and outcome: their names, and which rows."""
