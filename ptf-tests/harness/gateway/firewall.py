# SPDX-License-Identifier: Apache-2.0
"""Rules and sessions of the rack's tenants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy import P4TableEntry

from harness.frames import FAMILIES, Family
from harness.gateway.flows import EVERY_FIELD, Flow
from harness.gateway.rack import Tenant, entry, tenant_entry
from headgate.systems import Entity
from headgate.vocabulary import Consulted

ALL = EVERY_FIELD | Consulted.SESSIONS


def rule(
    tenant: Tenant, family: Family, action: str, rule_id: int, *, priority: int = 10, **match: Any
) -> P4TableEntry:
    """A rule: `allow`, `allow_stateful` or `deny`; of two that match the one of larger priority counts."""
    key = {"tenant_id": tenant.tenant_id, **match}
    return entry(f"firewall_rule_{family.name}", key, action, priority=priority, rule_id=rule_id)


def guarded(tenant: Tenant, *rules: P4TableEntry, fields: Consulted = ALL, **changes: int) -> list[Entity]:
    """The tenant with these rules, which look at `fields`."""
    return [tenant_entry(tenant, firewall=1, firewall_fields=fields, **changes), *rules]


def both_families(tenant: Tenant, action: str, rule_id: int, **match: Any) -> list[Any]:
    """The tenant with one rule, for IPv4 and for IPv6."""
    return guarded(tenant, *(rule(tenant, ip, action, rule_id, **match) for ip in FAMILIES.values()))


def session(flow: Flow) -> Iterator[P4TableEntry]:
    """The session that `flow`, as it is inside, has begun: an entry for each direction."""
    there = {**flow.key}
    segment_id = there.pop("segment_id")
    back = {
        **there,
        "src_addr": there["dst_addr"],
        "dst_addr": there["src_addr"],
        "src_port": there["dst_port"],
        "dst_port": there["src_port"],
    }
    table = f"firewall_session_{flow.family.name}"
    yield entry(table, there, "originator")
    yield entry(table, back, "responder", originator_segment_id=segment_id)
