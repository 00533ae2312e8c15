# SPDX-License-Identifier: Apache-2.0
"""What the gateway counted of an exchange, by tenant and by rule."""

from __future__ import annotations

from harness.gateway.rack import Tenant
from harness.observed import Observed
from headgate.vocabulary import CACHE_OUTCOMES_PER_TENANT, CacheOutcome


def cache_outcomes(observed: Observed, tenant: Tenant) -> dict[CacheOutcome, int]:
    """How often each outcome came up."""
    rows = {outcome: CACHE_OUTCOMES_PER_TENANT * tenant.tenant_id + outcome for outcome in CacheOutcome}
    return {o: packets for o, row in rows.items() if (packets := observed.cells["cache_outcome", row])}


def tenant_traffic(observed: Observed, tenant: Tenant) -> tuple[int, int]:
    """Packets from the tenant's segments, packets from outside."""
    first = 2 * tenant.tenant_id
    return observed.cells["tenant_traffic", first], observed.cells["tenant_traffic", first + 1]


def rule_hits(observed: Observed) -> dict[int, int]:
    """Packets by rule."""
    return {row: packets for (name, row), packets in observed.cells.items() if name == "firewall_rule_hits" and packets}
