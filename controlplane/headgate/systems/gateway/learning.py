# SPDX-License-Identifier: Apache-2.0
"""What the controller is told of flows: in which parcels, and at most how many."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4DigestEntry, P4MeterEntry

from headgate.config.gateway import GatewayConfig
from headgate.systems.gateway.ids import Ids
from headgate.systems.punt import meter_config

_MAX_DELAY_NS = 10_000_000
_MAX_REPORTS = 512
_ACK_TIMEOUT_NS = 1_000_000_000


def desired(config: GatewayConfig, ids: Ids) -> Iterator[P4DigestEntry | P4MeterEntry]:
    """How digests are gathered, and rows of the two learning meters."""
    for digest in ("flow_ipv4_t", "flow_ipv6_t"):
        yield P4DigestEntry(
            digest, max_timeout_ns=_MAX_DELAY_NS, max_list_size=_MAX_REPORTS, ack_timeout_ns=_ACK_TIMEOUT_NS
        )
    limits = config.learning_limits
    yield P4MeterEntry("learning_meter_total", index=0, config=meter_config(limits.total))
    for tenant in config.tenants:
        yield P4MeterEntry("learning_meter", index=tenant.tenant_id, config=meter_config(limits.per_tenant))
