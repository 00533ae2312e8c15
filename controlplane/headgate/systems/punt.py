# SPDX-License-Identifier: Apache-2.0
"""The way to the controller: how many packets of each kind."""

from __future__ import annotations

from collections.abc import Iterator

from finsy import P4MeterConfig, P4MeterEntry
from pydantic import BaseModel

from headgate.config import PacketRate
from headgate.vocabulary import PuntReason


def desired(limits: BaseModel) -> Iterator[P4MeterEntry]:
    """One row of `punt_meter` for each reason that `limits` has."""
    for name in type(limits).model_fields:
        yield P4MeterEntry("punt_meter", index=PuntReason[name.upper()], config=meter_config(getattr(limits, name)))


def meter_config(rate: PacketRate) -> P4MeterConfig:
    """The data plane looks only at red: one bucket, used for both of the meter's rates (RFC 2698)."""
    return P4MeterConfig(
        cir=rate.packets_per_s,
        cburst=rate.burst_packets,
        pir=rate.packets_per_s,
        pburst=rate.burst_packets,
    )
