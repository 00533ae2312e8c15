// SPDX-License-Identifier: Apache-2.0
// Headers that more than one program has, field names as the RFCs spell them.
#ifndef CORE_HEADER_TYPES_P4
#define CORE_HEADER_TYPES_P4

#include "types.p4"
#include "wire_constants.p4"

header ethernet_t {
    mac_addr_t dst_addr;
    mac_addr_t src_addr;
    bit<16>    ether_type;
}

header vlan_tag_t {
    bit<3>    pcp;
    bit<1>    dei;
    vlan_id_t vlan_id;
    bit<16>   ether_type;
}

header arp_t {
    bit<16>     hardware_type;
    bit<16>     protocol_type;
    bit<8>      hardware_length;
    bit<8>      protocol_length;
    bit<16>     operation;
    mac_addr_t  sender_hardware_addr;
    ipv4_addr_t sender_protocol_addr;
    mac_addr_t  target_hardware_addr;
    ipv4_addr_t target_protocol_addr;
}

header ipv4_t {
    bit<4>      version;
    bit<4>      ihl;
    bit<6>      dscp;
    bit<2>      ecn;
    bit<16>     total_length;
    bit<16>     identification;
    bit<1>      reserved;
    bit<1>      do_not_fragment;
    bit<1>      more_fragments;
    bit<13>     fragment_offset;
    bit<8>      ttl;
    bit<8>      protocol;
    bit<16>     header_checksum;
    ipv4_addr_t src_addr;
    ipv4_addr_t dst_addr;
}

header ipv4_options_t {
    varbit<320> options;  // (15 - 5) * 32 bits
}

header ipv6_t {
    bit<4>      version;
    bit<6>      dscp;
    bit<2>      ecn;
    bit<20>     flow_label;
    bit<16>     payload_length;
    bit<8>      next_header;
    bit<8>      hop_limit;
    ipv6_addr_t src_addr;
    ipv6_addr_t dst_addr;
}

// Hop-by-hop options, destination options and routing header share their shape (RFC 8200 4.3, 4.4, 4.6).
header ipv6_extension_t {
    bit<8>       next_header;
    bit<8>       header_ext_length;  // in 8-octet units, not counting the first
    varbit<2032> body;               // 32 * 64 - 16 bits: up to MAX_EXTENSION_UNITS units
}

header ipv6_fragment_t {
    bit<8>  next_header;
    bit<8>  reserved;
    bit<13> fragment_offset;
    bit<2>  reserved2;
    bit<1>  more_fragments;
    bit<32> identification;
}

// ICMP and ICMPv6 (RFC 792, RFC 4443 2.1): the rest depends on the type and stays payload.
header icmp_t {
    bit<8>  type;
    bit<8>  code;
    bit<16> checksum;
}

// Behind the ICMP header of an echo request or reply.
header icmp_echo_t {
    bit<16> identifier;
    bit<16> sequence_number;
}

header tcp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> sequence_number;
    bit<32> acknowledgment_number;
    bit<4>  data_offset;
    bit<4>  reserved;
    bit<8>  flags;
    bit<16> window;
    bit<16> checksum;
    bit<16> urgent_pointer;
}

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

#endif
