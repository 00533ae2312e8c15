# SPDX-License-Identifier: Apache-2.0
"""The rules of `nic`: packets find the old or the new, and no VNIC another's frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from finsy.proto import p4r

from headgate.reconcile.nic.handover import handed_over, wire_of
from headgate.reconcile.nic.order import FIRST, stage_of
from headgate.reconcile.transition import Difference, Stage
from headgate.systems import Entity


@dataclass(frozen=True, slots=True)
class NicTransition:
    """See `Transition`.

    Attributes:
        may_be_learned: Says of an entity that nobody wants whether the configuration would let it be learned again.
    """

    may_be_learned: Callable[[Entity], bool] = lambda _: False
    unread: ClassVar[frozenset[str]] = frozenset()

    def settled(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Sequence[Entity]:
        return wanted

    def keeper(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity, Entity | None], bool]:
        return lambda entity, replacement: replacement is None and self.may_be_learned(entity)

    def handover(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity], bool]:
        wires = handed_over(held, wanted)
        return lambda entity: wire_of(entity) in wires

    def announces(self, differences: Iterable[Difference], held: Sequence[Entity]) -> Sequence[Entity]:
        return ()

    def commits(self, differences: Iterable[Difference], wanted: Sequence[Entity]) -> Sequence[Entity]:
        return ()

    def stage_of(self, update_type: p4r.Update.Type.ValueType, name: str, *, handed_over: bool) -> Stage:
        return stage_of(update_type, name, handed_over=handed_over)

    @property
    def first_stage(self) -> Stage:
        return FIRST

    def is_commit(self, stage: Stage) -> bool:
        return False
