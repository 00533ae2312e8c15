# SPDX-License-Identifier: Apache-2.0
"""Numbers for what a configuration does not number itself: rules, next hops, groups of them, underlay next hops.

A number follows from what the thing *is* (a rule's tenant and name, a next hop's segment and address), not from where
it stands in the file: it stays as the file is edited. Two that fall on one number are kept apart by giving the second
the next free one, so that now and then an addition moves another thing's number. Where a number that changes hands
could do harm (a cached flow would leave by another tenant's next hop) the entry carries its owner in
TableEntry.metadata, and reconciliation takes it from the one before the other gets it
(`headgate.reconcile.gateway.handover`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from headgate.config.gateway import GatewayConfig, Router, Tenant
from headgate.config.gateway.routes import Route
from headgate.systems.gateway.hops import next_hops

MAX_RULE_ID = 0xFFFF
MAX_GROUP_ID = 0xFFFF
MAX_UNDERLAY_ID = 0xFFFF
MAX_CONFIGURED_NEXT_HOP_ID = 0x7FFF_FFFF
"""The other half of the 32 bits is for neighbors that are learned."""


@dataclass(frozen=True, slots=True)
class Ids:
    """The numbers of one configuration, by identity."""

    rules: Mapping[str, int]
    next_hops: Mapping[str, int]
    groups: Mapping[str, int]
    underlays: Mapping[str, int]

    @classmethod
    def of(cls, config: GatewayConfig) -> Ids:
        underlays = config.underlay_next_hops
        return cls(
            rules=spread(_rules(config), MAX_RULE_ID),
            next_hops=spread(next_hops(config), MAX_CONFIGURED_NEXT_HOP_ID),
            groups=spread(_groups(config), MAX_GROUP_ID),
            underlays=spread(underlays, MAX_UNDERLAY_ID),
        )


def spread(identities: Iterable[str], last: int) -> dict[str, int]:
    """A number from 1 to `last` for each identity: where its hash points to, or the next that is free.

    Raises: ValueError, when there are more than `last`.
    """
    by_hash = sorted((_hash(identity), identity) for identity in set(identities))
    if len(by_hash) > last:
        raise ValueError(f"{len(by_hash)} need a number each, and there are {last}")
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for digest, identity in by_hash:
        number = digest % last + 1
        while number in taken:
            number = number % last + 1
        taken.add(number)
        numbers[identity] = number
    return numbers


def rule_identity(tenant: Tenant, name: str) -> str:
    """What tells a firewall rule from all others."""
    return f"tenant {tenant.tenant_id} rule {name}"


def tenant_group_identity(tenant: Tenant, route: Route) -> str:
    """What tells a group of next hops from all others: whose it is, and who is in it."""
    return f"tenant {tenant.tenant_id} via {_members(route)}"


def router_group_identity(router: Router, route: Route) -> str:
    """See `tenant_group_identity`."""
    return f"router {router.router_id} via {_members(route)}"


def _members(route: Route) -> str:
    texts = sorted(f"{via.address}%{via.on or ''}*{via.weight}" for via in route.via or ())
    return blake2b(" ".join(texts).encode(), digest_size=16).hexdigest()


def _hash(identity: str) -> int:
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big")


def _rules(config: GatewayConfig) -> Iterable[str]:
    for tenant in config.tenants:
        if tenant.firewall is not None:
            yield from (rule_identity(tenant, rule.name) for rule in tenant.firewall.rules)


def _groups(config: GatewayConfig) -> Iterable[str]:
    for tenant in config.tenants:
        yield from (tenant_group_identity(tenant, r) for r in tenant.routes if r.is_shared)
    for router in config.routers:
        yield from (router_group_identity(router, r) for r in router.routes if r.is_shared)
