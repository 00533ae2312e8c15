# SPDX-License-Identifier: Apache-2.0
"""The YAML configuration: models, checks, and errors that name the place and the fix."""

from headgate.config.errors import ConfigError, Problem
from headgate.config.load import load_config, parse_config
from headgate.config.nic import DefaultRing, NicConfig, PuntLimit, PuntLimits
from headgate.config.ports import Port, Vlan, WireTag
from headgate.config.vnics import HOST, Forwarding, InterfaceAddress, Neighbor, Ring, Rings, Route, Vnic

__all__ = [
    "HOST",
    "ConfigError",
    "DefaultRing",
    "Forwarding",
    "InterfaceAddress",
    "Neighbor",
    "NicConfig",
    "Port",
    "Problem",
    "PuntLimit",
    "PuntLimits",
    "Ring",
    "Rings",
    "Route",
    "Vlan",
    "Vnic",
    "WireTag",
    "load_config",
    "parse_config",
]
