# SPDX-License-Identifier: Apache-2.0
"""Routers of a NIC's VNICs: neighbors are resolved, and ICMP errors sent."""

from headgate.handlers.nic.handler import NicHandler
from headgate.handlers.nic.router import RouterLimits

__all__ = ["NicHandler", "RouterLimits"]
