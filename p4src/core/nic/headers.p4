// SPDX-License-Identifier: Apache-2.0
// Every header of the `nic` program.
#ifndef CORE_NIC_HEADERS_P4
#define CORE_NIC_HEADERS_P4

#include "types.p4"
#include "wire_constants.p4"
#include "../header_types.p4"

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
