# SPDX-License-Identifier: Apache-2.0
"""The rules of `gateway`: recorded results hold until all is in its place, and from then on no old one does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from finsy.proto import p4r

from headgate.config import GatewayConfig
from headgate.reconcile.gateway import epochs, handover, learned, order
from headgate.reconcile.transition import Difference, Stage
from headgate.systems import Entity
from headgate.systems.gateway import RECORDED_TABLES
from headgate.systems.gateway.tenants import FIRST_EPOCH


@dataclass(frozen=True, slots=True)
class GatewayTransition:
    """Towards `config`.

    Attributes:
        first_epoch: Of tenants and routers that the device does not know. What the flow cache still has of an earlier
            one with the same number must not be of this epoch: the time of day in seconds is safe, as no tenant changes
            more often than that in the long run.
    """

    config: GatewayConfig
    first_epoch: int = FIRST_EPOCH
    unread: ClassVar[frozenset[str]] = RECORDED_TABLES

    def settled(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Sequence[Entity]:
        return epochs.carried_over(wanted, held, self.first_epoch)

    def keeper(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity, Entity | None], bool]:
        return learned.keeper(self.config, held)

    def handover(self, wanted: Sequence[Entity], held: Sequence[Entity]) -> Callable[[Entity], bool]:
        return handover.changing_hands(wanted, held)

    def announces(self, differences: Iterable[Difference], held: Sequence[Entity]) -> Sequence[Entity]:
        return epochs.announcements(differences, held)

    def commits(self, differences: Iterable[Difference], wanted: Sequence[Entity]) -> Sequence[Entity]:
        return epochs.commits(differences, wanted)

    def stage_of(self, update_type: p4r.Update.Type.ValueType, name: str, *, handed_over: bool) -> Stage:
        return order.stage_of(update_type, name, handed_over=handed_over)

    @property
    def first_stage(self) -> Stage:
        return order.FIRST

    def is_commit(self, stage: Stage) -> bool:
        return order.is_commit(stage)
