# SPDX-License-Identifier: Apache-2.0
"""What passes between a gateway and its router: packets the pipeline punts, and what is to be done about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from finsy import P4TableEntry

from headgate.handlers.gateway.links import Link
from headgate.vocabulary import PacketOutMode, PuntReason


@dataclass(frozen=True, slots=True)
class Punted:
    """A packet-in of the `gateway` program.

    Attributes:
        reason: Why it was punted.
        frame: The tenant's frame, decapsulated, before NAT.
        fields: The other fields of the header `packet_in`, by name.
    """

    reason: PuntReason
    frame: bytes
    fields: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SendFrame:
    """A packet-out, with the fields of its header but for the mode."""

    mode: PacketOutMode
    frame: bytes
    fields: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WriteNeighbor:
    """Write `entries`, each in place of the one with its key if there is one; then, if the device took them, send what
    waited for them."""

    link: Link
    address: IPv4Address | IPv6Address
    entries: tuple[P4TableEntry, ...]
    waiting: tuple[SendFrame, ...] = ()


Effect = SendFrame | WriteNeighbor

RESUBMITTED: tuple[str, ...] = ("tenant_id", "segment_id", "router_id")
"""Fields of a packet-in that, copied into a packet-out, bring the packet back to where it was."""
