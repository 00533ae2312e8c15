# SPDX-License-Identifier: Apache-2.0
"""Values as P4Runtime has them."""

from __future__ import annotations

from finsy import MACAddress


def mac_value(mac: str | None) -> int:
    """A MAC address as a number; zero where there is none."""
    return int(MACAddress(mac)) if mac is not None else 0
