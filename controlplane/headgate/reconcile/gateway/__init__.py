# SPDX-License-Identifier: Apache-2.0
"""The way of a gateway from one configuration to another."""

from headgate.reconcile.gateway.transition import GatewayTransition

__all__ = ["GatewayTransition"]
