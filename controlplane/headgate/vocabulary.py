# SPDX-License-Identifier: Apache-2.0
"""The numbers that data plane and control plane share: enums and port numbers of `p4src/core`.

P4Info names an enum only where a key, a parameter or a header field has its type, and leaves out the rows of counters.
So they are written out here, and a test compares each with the P4 source.
"""

from __future__ import annotations

from enum import IntEnum

HOST_PORT = 509
CPU_PORT = 510
MAX_WIRED_PORT = 508
"""The largest port number that can be a wire: v1model has 9 bits, and 509 to 511 are taken (511 drops)."""

CPU_CLONE_SESSION = 1

UPLINK_COPY = 0
"""The replica instance of what leaves by a VLAN's uplink; any other is a VNIC's id."""


class Transmit(IntEnum):
    """`transmit_t`: how a frame that a VNIC transmits is treated."""

    SWITCHED = 0
    ROUTED = 1


class TagType(IntEnum):
    """`tag_type_t`"""

    UNTAGGED = 0
    C_TAG = 1
    S_TAG = 2


class RingType(IntEnum):
    """`ring_type_t`"""

    NONE = 0
    LOCAL = 1
    FORWARD = 2
    DEFAULT = 3


class PuntReason(IntEnum):
    """`punt_reason_t`: rows of `punt_meter`, and what a packet-in says of itself."""

    NONE = 0
    NEIGHBOR_MISS = 1
    NEIGHBOR_HEARD = 2
    TTL_EXPIRED = 3
    PACKET_TOO_BIG = 4
    NO_ROUTE = 5


class PacketOutMode(IntEnum):
    """`packet_out_mode_t`"""

    NONE = 0
    SEND = 1
    TRANSMIT = 2
    ROUTE = 3


class Outcome(IntEnum):
    """`outcome_t`: rows of the counters `outcome` and `copy_outcome`."""

    RECEIVED = 0
    SENT = 1
    DELIVERED = 2
    PUNTED = 3
    DROPPED = 4
    REPLICATED = 5
    COPY_SENT = 6
    COPY_DELIVERED = 7
    COPY_PUNTED = 8
    COPY_PRUNED = 9
    COPY_POLICED = 10


class DropReason(IntEnum):
    """`drop_reason_t`: rows of the counter `drop_reason`."""

    NONE = 0
    PARSE_TOO_SHORT = 1
    PORT_NOT_ADMITTED = 10
    VLAN_NOT_ADMITTED = 11
    PACKET_OUT_INVALID = 12
    SRC_MAC_INVALID = 20
    IPV4_VERSION = 21
    IPV4_HEADER_LENGTH = 22
    IPV4_TOTAL_LENGTH = 23
    IPV4_CHECKSUM = 24
    IPV4_TTL_ZERO = 25
    IPV4_MARTIAN = 26
    IPV6_VERSION = 27
    IPV6_PAYLOAD_LENGTH = 28
    IPV6_HOP_LIMIT_ZERO = 29
    IPV6_MARTIAN = 30
    TCP_HEADER_LENGTH = 31
    UDP_LENGTH = 32
    SRC_MAC_SPOOFED = 40
    VNIC_VLAN_NOT_ALLOWED = 41
    RESERVED_GROUP_ADDRESS = 50
    DST_IS_SOURCE = 51
    NO_DEFAULT_RING = 52
    NO_UPLINK = 53
    VLAN_WITHOUT_MEMBERS = 54
    SRC_ADDR_IS_LOCAL = 60
    NO_RING = 61
    RING_NOT_ATTACHED = 62
    BLACKHOLE_ROUTE = 70
    NOT_ROUTABLE = 71
    FRAGMENTATION_NEEDED = 72
    PUNT_RATE_EXCEEDED = 80
