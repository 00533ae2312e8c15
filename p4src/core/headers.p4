// SPDX-License-Identifier: Apache-2.0
// Every header of the `nic` program, field names as the RFCs spell them.
#ifndef CORE_HEADERS_P4
#define CORE_HEADERS_P4

#include "types.p4"
#include "wire_constants.p4"

// ---- between the pipeline and the controller: see punt_reason_t and packet_out_mode_t

@controller_header("packet_in")
header packet_in_t {
    port_id_t     ingress_port;
    punt_reason_t reason;
    vnic_id_t     vnic_id;
    bit<16>       vlan_id;
    ipv6_addr_t   next_hop;  // an IPv4 address stands in the low 32 bits
}

@controller_header("packet_out")
header packet_out_t {
    packet_out_mode_t mode;
    port_id_t         port;
    vnic_id_t         vnic_id;
    bit<16>           vlan_id;
}

// ---- between the pipeline and the host's rings, on HOST_PORT

header nic_rx_desc_t {
    ring_id_t   ring_id;
    vnic_id_t   vnic_id;
    ring_type_t ring_type;
    bit<8>      reserved;
    bit<16>     frame_length;  // bytes that follow
    bit<32>     flow_hash;     // the same for both directions of a flow
}

// The host side writes it from the ring the slot was on; a guest never does.
header nic_tx_desc_t {
    ring_id_t  ring_id;
    vnic_id_t  vnic_id;
    transmit_t transmit;
    bit<8>     reserved;
}

// ---- on the wire

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

struct headers_t {
    packet_in_t      packet_in;
    packet_out_t     packet_out;
    nic_rx_desc_t    nic_rx_desc;
    nic_tx_desc_t    nic_tx_desc;
    ethernet_t       ethernet;
    vlan_tag_t       outer_tag;
    vlan_tag_t       inner_tag;
    arp_t            arp;
    ipv4_t           ipv4;
    ipv4_options_t   ipv4_options;
    ipv6_t           ipv6;
    ipv6_extension_t ipv6_hop_by_hop;
    ipv6_extension_t ipv6_destination;
    ipv6_extension_t ipv6_routing;
    ipv6_fragment_t  ipv6_fragment;
    ipv6_extension_t ipv6_last_destination;
    icmp_t           icmp;
    tcp_t            tcp;
    udp_t            udp;
}

#endif
