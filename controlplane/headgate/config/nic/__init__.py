# SPDX-License-Identifier: Apache-2.0
"""The configuration of a NIC."""

from headgate.config.nic.checks import check
from headgate.config.nic.config import DefaultRing, NicConfig, PuntLimits
from headgate.config.nic.ports import Port, Vlan, WireTag
from headgate.config.nic.vnics import HOST, Forwarding, InterfaceAddress, Neighbor, Ring, Rings, Route, Vnic

__all__ = [
    "HOST",
    "DefaultRing",
    "Forwarding",
    "InterfaceAddress",
    "Neighbor",
    "NicConfig",
    "Port",
    "PuntLimits",
    "Ring",
    "Rings",
    "Route",
    "Vlan",
    "Vnic",
    "WireTag",
    "check",
]
