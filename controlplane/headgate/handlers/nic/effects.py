# SPDX-License-Identifier: Apache-2.0
"""What passes between a device and the handlers: packets it punts, and what the handlers want done about them."""

from __future__ import annotations

from dataclasses import dataclass

from finsy import P4TableEntry

from headgate.protocols.neighbor_cache import NextHop
from headgate.vocabulary import PacketOutMode, PuntReason


@dataclass(frozen=True, slots=True)
class Punt:
    """A packet-in of the `nic` program.

    Attributes:
        vnic_id: Whose packet it is: the VNIC that was to receive or to route it.
        vlan_id: The VLAN it came in or, once a route was found, is to leave by.
        next_hop: What could not be resolved; zero with other reasons. An IPv4 address stands in the low 32 bits.
        frame: The frame as it was received, tags and all.
    """

    reason: PuntReason
    vnic_id: int
    vlan_id: int
    next_hop: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class SendFrame:
    """A packet-out: `mode` says whether `vnic_id` transmits the frame in `vlan_id` or routes it."""

    mode: PacketOutMode
    vnic_id: int
    vlan_id: int
    frame: bytes


@dataclass(frozen=True, slots=True)
class WriteNeighbor:
    """Insert `entry`, or put it in place of the one with its key; then, if the device took it, send `waiting`."""

    next_hop: NextHop
    entry: P4TableEntry
    waiting: tuple[SendFrame, ...]


@dataclass(frozen=True, slots=True)
class DeleteNeighbor:
    """Delete the entry with this one's key."""

    entry: P4TableEntry


Effect = SendFrame | WriteNeighbor | DeleteNeighbor
