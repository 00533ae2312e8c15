# SPDX-License-Identifier: Apache-2.0
"""What is each program's own about the way from one configuration to another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple, Protocol

from finsy.proto import p4r

from headgate.systems import Entity

Stage = tuple[int, int, int]
"""Where an update stands in the order: smaller ones are done first, equal ones in any order."""


class Difference(NamedTuple):
    """An entity that is not, or not yet, as it has to be: `before` is None where it is new, `after` where it goes."""

    before: Entity | None
    after: Entity | None


class Transition(Protocol):
    """The rules of one program. Pure: what is held and what is wanted go in, decisions come out."""

    unread: ClassVar[frozenset[str]]
    """Tables that no configuration decides on, and that may be too long to read each time."""

    def settled(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Sequence[Entity]:
        """What is wanted, with what only the device can know: how far it has counted."""
        ...

    def keeper(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity, Entity | None], bool]:
        """Says of what is held, with what is wanted under the same key, whether it stays nevertheless."""
        ...

    def handover(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity], bool]:
        """Says of an entity whether it changes hands: it is taken from one before another gets it."""
        ...

    def announces(self, differences: Iterable[Difference], held: Sequence[Entity]) -> Sequence[Entity]:
        """Of what is held, what is to be written first of all, so that a change that is broken off is known as such."""
        ...

    def commits(self, differences: Iterable[Difference], wanted: Sequence[Entity]) -> Sequence[Entity]:
        """Of what is wanted, what is to be written anew so that the differences take effect, as it is to be written."""
        ...

    def stage_of(self, update_type: p4r.Update.Type.ValueType, name: str, *, handed_over: bool) -> Stage:
        """The stage of an update to a table, meter, digest or kind of replication entry.

        Raises: KeyError (one unknown here).
        """
        ...

    @property
    def first_stage(self) -> Stage:
        """The stage of what is announced."""
        ...

    def is_commit(self, stage: Stage) -> bool:
        """Whether a stage is the one from which on packets are treated in the new way."""
        ...
