# SPDX-License-Identifier: Apache-2.0
"""The engines that run a scenario: softnic's, and what one would otherwise take."""

from .peer import Peer

__all__ = ["Peer"]
