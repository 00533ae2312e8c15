# SPDX-License-Identifier: Apache-2.0
"""What no single value shows. First whether names lead somewhere and numbers are given once; where that is so, whether
what they lead to fits together."""

from __future__ import annotations

from collections.abc import Iterator

from headgate.config.errors import Problem
from headgate.config.gateway.address_checks import check_addresses
from headgate.config.gateway.config import GatewayConfig
from headgate.config.gateway.nat_checks import check_nat
from headgate.config.gateway.reference_checks import check_references
from headgate.config.gateway.route_checks import check_routes
from headgate.config.gateway.tenant_checks import check_tenants
from headgate.config.gateway.tunnel_checks import check_tunnels


def check(config: GatewayConfig) -> Iterator[Problem]:
    """Everything that is wrong with a configuration whose values are each well-formed."""
    astray = tuple(check_references(config))
    yield from astray
    if not astray:
        yield from check_addresses(config)
        yield from check_tunnels(config)
        yield from check_tenants(config)
        yield from check_routes(config)
        yield from check_nat(config)
