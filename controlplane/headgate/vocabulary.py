# SPDX-License-Identifier: Apache-2.0
"""The numbers that data plane and control plane share: enums and port numbers of `p4src/core`.

P4Info names an enum only where a key, a parameter or a header field has its type, and leaves out the rows of counters.
So they are written out here, and a test compares each with the P4 source.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

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
    NAT_MAPPING_MISS = 6
    LOCAL = 7
    ICMP_ERROR = 8


class PacketOutMode(IntEnum):
    """`packet_out_mode_t`"""

    NONE = 0
    SEND = 1
    TRANSMIT = 2
    ROUTE = 3
    ENCAPSULATE = 4
    TENANT = 5
    ROUTED = 6


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
    INTERFACE_UNKNOWN = 100
    DST_MAC_NOT_OURS = 101
    TUNNEL_PEER_UNKNOWN = 110
    TUNNEL_NETWORK_UNKNOWN = 111
    TUNNEL_HEADER_INVALID = 112
    GENEVE_CRITICAL_OPTION = 113
    INNER_TAGGED = 114
    ECN_INVALID = 115
    UNDERLAY_NOT_TUNNEL = 116
    NO_TENANT = 120
    TENANT_UNKNOWN = 121
    ROUTER_UNKNOWN = 122
    NAT_NO_MAPPING = 130
    NAT_NOT_TRANSLATABLE = 131
    FIREWALL_DENY = 140
    NOT_A_NEW_CONNECTION = 141
    TCP_FRAGMENT_OVERLAP = 142
    ECMP_GROUP_EMPTY = 150
    NEXT_HOP_UNKNOWN = 151
    TUNNEL_UNKNOWN = 152
    UNDERLAY_UNKNOWN = 153


# ---- of `gateway` alone

MAX_TENANT_ID = 4095
"""Tenant ids are rows of counters and meters."""
FROM_OUTSIDE = 0
"""In place of a segment's id: the packet came in by an uplink."""
NO_ROUTER = 0
TENANTLESS = 0
"""In place of a tenant's id: what belongs to a central router."""
CACHE_OUTCOMES_PER_TENANT = 8
"""Rows of the counter `cache_outcome` for each tenant: row `tenant_id * 8 + CacheOutcome`."""


class Protocol(IntEnum):
    """Protocols of IP that rules can name (IANA, Assigned Internet Protocol Numbers)."""

    ICMP = 1
    IGMP = 2
    TCP = 6
    UDP = 17
    GRE = 47
    ESP = 50
    AH = 51
    ICMPV6 = 58
    OSPF = 89
    SCTP = 132


class TunnelType(IntEnum):
    """`tunnel_type_t`"""

    NONE = 0
    VXLAN = 1
    GENEVE = 2
    GRE = 3
    IPIP = 4
    GTPU = 5


class CacheOutcome(IntEnum):
    """`cache_outcome_t`: what the flow cache said of a packet."""

    NOT_LOOKED_UP = 0
    HIT = 1
    AGGREGATE_HIT = 2
    STALE = 3
    MISS = 4
    BYPASS = 5


class Consulted(IntFlag):
    """`consulted_t`: the fields of a packet that a stage's decision depended on."""

    NONE = 0
    SRC_ADDR = 1
    DST_ADDR = 2
    PROTOCOL = 4
    SRC_PORT = 8
    DST_PORT = 16
    SESSIONS = 32


class FlowEvent(IntEnum):
    """`flow_event_t`: why the data plane reports a flow."""

    NONE = 0
    FLOW = 1
    NEW = 2
    CLOSE = 3


class FlowResult(IntEnum):
    """`flow_result_t`: what becomes of a flow's packets."""

    NONE = 0
    FORWARD = 1
    TRANSLATE = 2
    REFUSE = 3
