# SPDX-License-Identifier: Apache-2.0
"""The dynamic part of the `gateway` program: flow cache, sessions, NAT mappings, neighbors, ICMP.

What is learned lives in the device's tables. What is kept here is an index of it, which a restart builds again.
"""

from headgate.handlers.gateway.handler import GatewayHandler

__all__ = ["GatewayHandler"]
