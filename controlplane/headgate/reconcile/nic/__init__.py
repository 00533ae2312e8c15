# SPDX-License-Identifier: Apache-2.0
"""The way of a NIC from one configuration to another."""

from headgate.reconcile.nic.transition import NicTransition

__all__ = ["NicTransition"]
