// SPDX-License-Identifier: Apache-2.0
// What stages tell one another. Each struct is written by the stage it is named after and read by those behind it;
// everything is zero when a packet begins.
#ifndef CORE_NIC_METADATA_P4
#define CORE_NIC_METADATA_P4

#include "types.p4"
#include "../shared_metadata.p4"

// By the parser: the same fields for either address family, zero where the packet has none.
struct lookup_meta_t {
    ipv6_addr_t src_addr;        // an IPv4 address stands in the low 32 bits
    ipv6_addr_t dst_addr;
    bit<8>      protocol;        // of the transport header, behind IPv6 extension headers
    bit<16>     src_port;
    bit<16>     dst_port;
    bool        is_ip;
    bool        is_fragment;     // any fragment, the first one too: it must hash like its siblings
    bool        needs_stack;     // IPv4 options or IPv6 hop-by-hop options: for a full IP stack to look at
    bit<16>     l4_length;       // bytes behind the IP headers, by the IP header's own word
}

// port_admission
struct source_meta_t {
    port_role_t role;
    vnic_id_t   vnic_id;         // when role is VNIC
    transmit_t  transmit;
}

struct vlan_meta_t {
    tag_type_t  tag_type;        // as received
    vlan_id_t   tag_vlan_id;     // as received, 0 when untagged
    vlan_id_t   vlan_id;         // the VLAN of this NIC: what tables are keyed with; routing moves the packet to another
    bit<3>      pcp;
    bit<1>      dei;
}

// vnic; routing sends it on to another
struct vnic_meta_t {
    destination_t destination;
    vnic_id_t     vnic_id;       // when destination is VNIC or DEFAULT_RING; in a multicast copy, its VNIC
}

// receive_rings and ring_delivery
struct ring_meta_t {
    ring_type_t type;
    ring_id_t   ring_id;
    bit<32>     flow_hash;
    bool        route;            // to be routed here instead of put on a ring
    bool        learn_neighbors;  // the receiving VNIC is a router of ours: its neighbors' answers concern the controller
}

// routing
struct route_meta_t {
    bool        routed;
    mac_addr_t  src_mac;
    mac_addr_t  dst_mac;
}

// routing and punt; these travel with a clone, so that the controller's copy has them
struct punt_meta_t {
    PRESERVED_BY_CLONE punt_reason_t reason;
    PRESERVED_BY_CLONE port_id_t     ingress_port;
    PRESERVED_BY_CLONE vnic_id_t     vnic_id;
    PRESERVED_BY_CLONE vlan_id_t     vlan_id;
    PRESERVED_BY_CLONE ipv6_addr_t   next_hop;
    bool                             copy;      // the packet goes its way, the controller gets a copy
    bool                             copy_policed;
}

// By the shell, in egress: a packet that replication or cloning made. replication
struct copy_meta_t {
    bool      is_replica;
    bool      is_clone;
    vnic_id_t vnic_id;           // whose copy it is, or UPLINK_COPY
    bool      prune;             // it would go back to where the packet came from
}

struct meta_t {
    frame_meta_t   frame;
    lookup_meta_t  lookup;
    source_meta_t  source;
    vlan_meta_t    vlan;
    vnic_meta_t    vnic;
    ring_meta_t    ring;
    route_meta_t   route;
    punt_meta_t    punt;
    copy_meta_t    copy;
    verdict_meta_t verdict;
}

#include "../verbs.p4"

#endif
