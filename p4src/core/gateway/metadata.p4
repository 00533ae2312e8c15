// SPDX-License-Identifier: Apache-2.0
// What stages tell one another. Each struct is written by the stage it is named after and read by those behind it;
// everything is zero when a packet begins.
#ifndef CORE_GATEWAY_METADATA_P4
#define CORE_GATEWAY_METADATA_P4

#include "types.p4"
#include "../shared_metadata.p4"

// By the shell.
struct clock_meta_t {
    bit<32> now_ms;              // of 1,024 microseconds
}

// interface; tunnel_termination when the packet comes out of a tunnel
struct source_meta_t {
    source_t     kind;
    router_id_t  router_id;      // when kind is UPLINK
    mac_addr_t   mac;            // ours, on the network the frame was sent on
}

// The parser, for what looks like a tunnel; tunnel_termination, for one of ours
struct tunnel_meta_t {
    tunnel_type_t  type;
    bit<16>        header_length;  // bytes between the outer IP header and the inner one
    bool           ends_here;
    tunnel_id_t    id;
    tunnel_scope_t scope;
    network_id_t   network_id;
    bool           carries_ip;     // no Ethernet: the header around the tunnel stands for the one there is not
    bit<16>        trailer_length; // bytes behind the outer datagram, which are no part of the inner one
}

// flow_key: the same fields for either address family, zero where the packet has none
struct lookup_meta_t {
    bit<8>  protocol;
    bit<16> src_port;            // ICMP echo requests have their identifier here, replies as dst_port
    bit<16> dst_port;
    bit<8>  tcp_flags;
    bit<16> l4_length;           // bytes behind the IP headers, by the IP header's own word
    bool    is_fragment;
    bool    needs_stack;         // IPv4 options or IPv6 extension headers
    bool    is_echo;
}

// interface, tunnel_termination and tenant_selection
struct tenant_meta_t {
    tenant_id_t  id;
    segment_id_t segment_id;     // 0: from outside
    router_id_t  router_id;
    epoch_t      epoch;
    epoch_t      router_epoch;
    bool         firewall;
    bool         nat;
    bit<8>       firewall_fields;  // consulted_t bits of all its rules
    bool         destination_is_translated;
}

// flow_cache from an entry, or the stages behind it
struct flow_meta_t {
    cache_outcome_t cache_outcome;
    bit<8>          consulted;   // consulted_t bits
    flow_event_t    event;
    bool            provisional; // nothing to keep: what it was decided by is about to change
    rule_id_t       rule_id;
    next_hop_id_t   next_hop_id;
    bool            translated;  // to the four that follow; IPv4 only
    ipv4_addr_t     src_addr;
    bit<16>         src_port;
    ipv4_addr_t     dst_addr;
    bit<16>         dst_port;
}

// distributed_routing and central_routing
struct route_meta_t {
    bool         to_router;      // distributed_routing leaves it to the central router
    segment_id_t segment_id;     // where next_hop is; 0: nowhere in particular
    ipv6_addr_t  next_hop;       // an IPv4 address stands in the low 32 bits
    group_id_t   group_id;       // of ecmp; 0: none
}

// next_hop; for ENCAPSULATE, interface
struct next_hop_meta_t {
    tunnel_id_t   tunnel_id;     // 0: none
    network_id_t  network_id;
    mac_addr_t    src_mac;
    mac_addr_t    dst_mac;
    vlan_id_t     vlan_id;       // 0: untagged
    bit<16>       mtu;
}

// next_hop, from the tunnel and its underlay
struct encapsulation_meta_t {
    tunnel_type_t type;
    bool          is_ipv6;
    ipv6_addr_t   src_addr;      // an IPv4 address stands in the low 32 bits
    ipv6_addr_t   dst_addr;
    bool          dscp_uniform;
    bit<6>        dscp;
    bit<8>        ttl;
    bool          udp_checksum;
    underlay_id_t underlay_id;
    mac_addr_t    src_mac;
    mac_addr_t    dst_mac;
    vlan_id_t     vlan_id;       // 0: untagged
}

struct punt_meta_t {
    punt_reason_t reason;
    pool_id_t     pool_id;
    segment_id_t  out_segment_id;  // where next_hop is
    ipv6_addr_t   next_hop;
}

struct meta_t {
    frame_meta_t         frame;
    clock_meta_t         clock;
    source_meta_t        source;
    tunnel_meta_t        tunnel;
    lookup_meta_t        lookup;
    tenant_meta_t        tenant;
    flow_meta_t          flow;
    route_meta_t         route;
    next_hop_meta_t      next_hop;
    encapsulation_meta_t encapsulation;
    punt_meta_t          punt;
    verdict_meta_t       verdict;
}

#include "../verbs.p4"

// A stage says which fields of the flow's key it looked at.
action consult(inout meta_t meta, in bit<8> fields) {
    meta.flow.consulted = meta.flow.consulted | fields;
}

#endif
