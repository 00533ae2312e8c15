// SPDX-License-Identifier: Apache-2.0
// Every header of the `gateway` program. Plain names are those of the frame that the stages look at: as received, or
// what was in a tunnel of ours. inner_* is what a tunnel carries, underlay_* what is put around a frame.
#ifndef CORE_GATEWAY_HEADERS_P4
#define CORE_GATEWAY_HEADERS_P4

#include "types.p4"
#include "wire_constants.p4"
#include "../header_types.p4"

// ---- between the pipeline and the controller: see punt_reason_t and packet_out_mode_t

// The frame is the tenant's: out of its tunnel, before translation, with the tag it was received with.
@controller_header("packet_in")
header packet_in_t {
    port_id_t     ingress_port;
    punt_reason_t reason;
    tenant_id_t   tenant_id;
    segment_id_t  segment_id;      // it came from; 0: from outside
    router_id_t   router_id;       // of the uplink it came from, or the tenant's
    tunnel_id_t   tunnel_id;       // it came by; 0: none
    network_id_t  network_id;
    pool_id_t     pool_id;         // NAT_MAPPING_MISS
    segment_id_t  out_segment_id;  // NEIGHBOR_MISS: where next_hop is; 0: next_hop_id is an uplink's
    next_hop_id_t next_hop_id;
    ipv6_addr_t   next_hop;        // an IPv4 address stands in the low 32 bits
}

@controller_header("packet_out")
header packet_out_t {
    packet_out_mode_t mode;
    port_id_t         port;
    tenant_id_t       tenant_id;
    segment_id_t      segment_id;
    router_id_t       router_id;
    tunnel_id_t       tunnel_id;
    network_id_t      network_id;
}

const bit<16> PACKET_OUT_BYTES = 15;

// ---- tunnels

// RFC 7348 5
header vxlan_t {
    bit<4>  reserved;
    bit<1>  vni_valid;
    bit<27> reserved2;
    bit<24> vni;
    bit<8>  reserved3;
}

// RFC 8926 3.4
header geneve_t {
    bit<2>  version;
    bit<6>  options_length;  // in 4-octet units
    bit<1>  control_packet;
    bit<1>  critical_options;        // there is an option that a receiver has to understand
    bit<6>  reserved;
    bit<16> protocol_type;
    bit<24> vni;
    bit<8>  reserved2;
}

header geneve_options_t {
    varbit<2016> options;    // 63 * 32 bits
}

// RFC 8926 3.5, with data of one unit
header geneve_option_t {
    bit<16> option_class;
    bit<8>  option_type;
    bit<3>  reserved;
    bit<5>  length;          // of the data, in 4-octet units
    bit<32> data;
}

// RFC 2784 2.1, RFC 2890 2
header gre_t {
    bit<1>  checksum_present;
    bit<1>  routing_present;
    bit<1>  key_present;
    bit<1>  sequence_present;
    bit<9>  reserved;
    bit<3>  version;
    bit<16> protocol_type;
}

header gre_key_t {
    bit<32> key;
}

header gre_sequence_t {
    bit<32> sequence_number;
}

// 3GPP TS 29.281 5.1
header gtpu_t {
    bit<3>  version;
    bit<1>  protocol_type;
    bit<1>  reserved;
    bit<1>  extension_present;
    bit<1>  sequence_present;
    bit<1>  n_pdu_present;
    bit<8>  message_type;
    bit<16> length;          // bytes behind the TEID
    bit<32> teid;
}

header gtpu_optional_t {
    bit<16> sequence_number;
    bit<8>  n_pdu_number;
    bit<8>  next_extension_type;
}

// One extension of one unit, such as a PDU session container (3GPP TS 38.415 5.5.2) without further fields.
header gtpu_extension_t {
    bit<8>  length;          // in 4-octet units
    bit<16> content;
    bit<8>  next_extension_type;
}

struct headers_t {
    packet_in_t      packet_in;
    packet_out_t     packet_out;

    ethernet_t       underlay_ethernet;
    vlan_tag_t       underlay_tag;
    ipv4_t           underlay_ipv4;
    ipv6_t           underlay_ipv6;
    udp_t            underlay_udp;
    vxlan_t          underlay_vxlan;
    geneve_t         underlay_geneve;
    geneve_option_t  underlay_geneve_option;
    gtpu_t           underlay_gtpu;
    gre_t            underlay_gre;
    gre_key_t        underlay_gre_key;

    ethernet_t       ethernet;
    vlan_tag_t       outer_tag;
    arp_t            arp;
    ipv4_t           ipv4;
    ipv4_options_t   ipv4_options;
    ipv6_t           ipv6;
    ipv6_fragment_t  ipv6_fragment;
    icmp_t           icmp;
    icmp_echo_t      icmp_echo;
    tcp_t            tcp;
    udp_t            udp;

    vxlan_t          vxlan;
    geneve_t         geneve;
    geneve_options_t geneve_options;
    gtpu_t           gtpu;
    gtpu_optional_t  gtpu_optional;
    gtpu_extension_t gtpu_extension;
    gre_t            gre;
    gre_key_t        gre_key;
    gre_sequence_t   gre_sequence;

    ethernet_t       inner_ethernet;
    arp_t            inner_arp;
    ipv4_t           inner_ipv4;
    ipv4_options_t   inner_ipv4_options;
    ipv6_t           inner_ipv6;
    ipv6_fragment_t  inner_ipv6_fragment;
    icmp_t           inner_icmp;
    icmp_echo_t      inner_icmp_echo;
    tcp_t            inner_tcp;
    udp_t            inner_udp;
}

#endif
