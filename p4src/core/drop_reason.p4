// SPDX-License-Identifier: Apache-2.0
// Why a packet was dropped. Numbers are never reused; the `drop_reason` counter has one row for each.
#ifndef CORE_DROP_REASON_P4
#define CORE_DROP_REASON_P4

enum bit<8> drop_reason_t {
    NONE                    = 0,

    // parser
    PARSE_TOO_SHORT         = 1,

    // port_admission
    PORT_NOT_ADMITTED       = 10,
    VLAN_NOT_ADMITTED       = 11,
    PACKET_OUT_INVALID      = 12,

    // validation
    SRC_MAC_INVALID         = 20,
    IPV4_VERSION            = 21,
    IPV4_HEADER_LENGTH      = 22,
    IPV4_TOTAL_LENGTH       = 23,
    IPV4_CHECKSUM           = 24,
    IPV4_TTL_ZERO           = 25,
    IPV4_MARTIAN            = 26,
    IPV6_VERSION            = 27,
    IPV6_PAYLOAD_LENGTH     = 28,
    IPV6_HOP_LIMIT_ZERO     = 29,
    IPV6_MARTIAN            = 30,
    TCP_HEADER_LENGTH       = 31,
    UDP_LENGTH              = 32,

    // transmit_guard
    SRC_MAC_SPOOFED         = 40,
    VNIC_VLAN_NOT_ALLOWED   = 41,

    // vnic
    RESERVED_GROUP_ADDRESS  = 50,
    DST_IS_SOURCE           = 51,
    NO_DEFAULT_RING         = 52,
    NO_UPLINK               = 53,
    VLAN_WITHOUT_MEMBERS    = 54,

    // receive_rings
    SRC_ADDR_IS_LOCAL       = 60,
    NO_RING                 = 61,
    RING_NOT_ATTACHED       = 62,

    // routing
    BLACKHOLE_ROUTE         = 70,
    NOT_ROUTABLE            = 71,
    FRAGMENTATION_NEEDED    = 72,

    // punt
    PUNT_RATE_EXCEEDED      = 80,

    // interface
    INTERFACE_UNKNOWN       = 100,
    DST_MAC_NOT_OURS        = 101,

    // tunnel_termination
    TUNNEL_PEER_UNKNOWN     = 110,
    TUNNEL_NETWORK_UNKNOWN  = 111,
    TUNNEL_HEADER_INVALID   = 112,
    GENEVE_CRITICAL_OPTION  = 113,
    INNER_TAGGED            = 114,
    ECN_INVALID             = 115,
    UNDERLAY_NOT_TUNNEL     = 116,

    // tenant_selection
    NO_TENANT               = 120,
    TENANT_UNKNOWN          = 121,
    ROUTER_UNKNOWN          = 122,

    // nat_inbound, nat_outbound
    NAT_NO_MAPPING          = 130,
    NAT_NOT_TRANSLATABLE    = 131,

    // firewall
    FIREWALL_DENY           = 140,
    NOT_A_NEW_CONNECTION    = 141,
    TCP_FRAGMENT_OVERLAP    = 142,

    // ecmp, next_hop
    ECMP_GROUP_EMPTY        = 150,
    NEXT_HOP_UNKNOWN        = 151,
    TUNNEL_UNKNOWN          = 152,
    UNDERLAY_UNKNOWN        = 153
}

#endif
