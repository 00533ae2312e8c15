# SPDX-License-Identifier: Apache-2.0
"""The way to the controller: where copies go, and how many packets of each kind."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4CloneSessionEntry, P4MeterConfig, P4MeterEntry

from headgate.config import NicConfig, PuntLimit
from headgate.vocabulary import CPU_CLONE_SESSION, CPU_PORT, PuntReason


def desired(config: NicConfig) -> Iterator[P4CloneSessionEntry | P4MeterEntry]:
    """The clone session of copies, and one row of `punt_meter` for each reason."""
    yield P4CloneSessionEntry(CPU_CLONE_SESSION, replicas=(CPU_PORT,))
    for reason in PuntReason:
        if reason is not PuntReason.NONE:
            limit: PuntLimit = getattr(config.punt_limits, reason.name.lower())
            yield P4MeterEntry("punt_meter", index=reason, config=_meter(limit))


def _meter(limit: PuntLimit) -> P4MeterConfig:
    """The data plane looks only at red: one bucket, used for both of the meter's rates (RFC 2698)."""
    return P4MeterConfig(
        cir=limit.packets_per_s,
        cburst=limit.burst_packets,
        pir=limit.packets_per_s,
        pburst=limit.burst_packets,
    )
