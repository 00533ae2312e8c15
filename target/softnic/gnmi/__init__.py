# SPDX-License-Identifier: Apache-2.0
"""gNMI for the switch's ports: a client lists them, follows their state and counters, and disables and enables them."""

from __future__ import annotations

from .service import MAX_SUBSCRIPTIONS, GnmiService, Ports

__all__ = ["MAX_SUBSCRIPTIONS", "GnmiService", "Ports"]
