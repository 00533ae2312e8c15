# SPDX-License-Identifier: Apache-2.0
"""The YAML configuration: models, checks, and errors that name the place and the fix.

`headgate.config.nic` and `headgate.config.gateway` have the nouns of either program.
"""

from headgate.config.errors import ConfigError, Problem
from headgate.config.gateway import GatewayConfig
from headgate.config.load import Config, load_config, parse_config
from headgate.config.nic import NicConfig
from headgate.config.rates import PacketRate

__all__ = [
    "Config",
    "ConfigError",
    "GatewayConfig",
    "NicConfig",
    "PacketRate",
    "Problem",
    "load_config",
    "parse_config",
]
