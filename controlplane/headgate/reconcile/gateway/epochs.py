# SPDX-License-Identifier: Apache-2.0
"""Epochs: which tenants' and routers' recorded results a change puts out of date.

No configuration says which epoch a tenant is in: it is what the device has, plus one for each time that something
changed on which the tenant's results depend.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from finsy import Action, P4TableEntry

from headgate.reconcile.transition import Difference
from headgate.systems import Entity
from headgate.vocabulary import TENANTLESS

Scope = tuple[str, int]
"""Whose epoch: ``("tenant", 7)`` or ``("router", 1)``."""

CHANGING = b"changing"
"""TableEntry.metadata of a tenant or router on whose behalf something is being changed."""

_MASK = 0xFFFF_FFFF
_OF_TENANT = (
    "firewall_rule_ipv4",
    "firewall_rule_ipv6",
    "tenant_route_ipv4",
    "tenant_route_ipv6",
    "nat_mapping_in",
    "nat_mapping_out",
    "nat_static_in",
    "nat_static_out",
    "nat_pool",
)
_OF_ROUTER = ("central_route_ipv4", "central_route_ipv6")
_NEIGHBORS = ("neighbor_ipv4", "neighbor_ipv6")
_LOCAL = ("local_address_ipv4", "local_address_ipv6")
_DESTINATIONS = ("tenant_destination_ipv4", "tenant_destination_ipv6")


def carried_over(wanted: Sequence[Entity], held: Iterable[Entity], first: int) -> list[Entity]:
    """What is wanted, with each tenant and router in the epoch it is in; in the `first`, if the device has it not."""
    current = {scope: _epoch(entity) for entity in held if (scope := _scope(entity)) is not None}
    return [
        entity if (scope := _scope(entity)) is None else _in_epoch(entity, current.get(scope, first))
        for entity in wanted
    ]


def announcements(differences: Iterable[Difference], held: Iterable[Entity]) -> list[Entity]:
    """The held entries of tenants and routers whose results are about to be out of date, with `CHANGING`.

    Where nothing but the entry itself changes there is no need: that is done at once or not at all.
    """
    others = (item for item in differences if all(entity is None or _scope(entity) is None for entity in item))
    outdated = {scope for difference in others for scope in outdated_by(difference)}
    marked = (entity for entity in held if _scope(entity) in outdated)
    return [replace(entity, metadata=CHANGING) for entity in marked if isinstance(entity, P4TableEntry)]


def commits(differences: Iterable[Difference], wanted: Iterable[Entity]) -> list[Entity]:
    """The wanted entries of tenants and routers whose results the differences put out of date, one epoch on."""
    outdated = {scope for difference in differences for scope in outdated_by(difference)}
    return [
        _in_epoch(entity, (_epoch(entity) + 1) & _MASK)
        for entity in wanted
        if (scope := _scope(entity)) is not None and scope in outdated
    ]


def outdated_by(difference: Difference) -> Iterator[Scope]:
    """Whose recorded results a difference puts out of date.

    Where the packet is from, and what a number stands for, is looked up each time, and so changes for recorded results
    as well. That a neighbor was missing is never recorded.
    """
    for entity in difference:
        if not isinstance(entity, P4TableEntry):
            continue
        table = entity.table_id
        if table in _OF_TENANT or (table in _NEIGHBORS and difference.before is not None):
            yield "tenant", entity["tenant_id"]
        elif table in _OF_ROUTER:
            yield "router", entity["router_id"]
        elif table in _LOCAL and entity["tenant_id"] != TENANTLESS:
            yield "tenant", entity["tenant_id"]
        elif table in _LOCAL:
            yield "router", entity["owner_id"]
        elif table in _DESTINATIONS and isinstance(entity.action, Action):
            yield "tenant", int(entity.action.args["tenant_id"])
        elif (scope := _scope(entity)) is not None:
            yield scope


def _scope(entity: Entity) -> Scope | None:
    if isinstance(entity, P4TableEntry) and entity.table_id in ("tenant", "router"):
        return entity.table_id, entity[f"{entity.table_id}_id"]
    return None


def _epoch(entity: Entity) -> int:
    if not isinstance(entity, P4TableEntry) or not isinstance(entity.action, Action):
        raise TypeError(f"{entity} has no epoch")
    return int(entity.action.args["epoch"])


def _in_epoch(entity: Entity, epoch: int) -> Entity:
    if not isinstance(entity, P4TableEntry) or not isinstance(entity.action, Action):
        raise TypeError(f"{entity} has no epoch")
    action = Action(entity.action.name, **(entity.action.args | {"epoch": epoch}))
    return replace(entity, action=action)
