// SPDX-License-Identifier: Apache-2.0
// The vocabulary of `gateway`: ids, and the enums that cross from one stage to another.
#ifndef CORE_GATEWAY_TYPES_P4
#define CORE_GATEWAY_TYPES_P4

#include "../types.p4"

typedef bit<16> tenant_id_t;    // 1 to 4095: counters and meters are indexed with its low 12 bits
typedef bit<16> segment_id_t;   // a tenant's logical interface; 0: outside of all segments
typedef bit<16> router_id_t;    // a central router, which serves many tenants; 0: none
typedef bit<16> tunnel_id_t;    // 0: none
typedef bit<16> tunnel_scope_t; // peers that share a space of network ids
typedef bit<32> network_id_t;   // VNI, GRE key or TEID; 0 where the tunnel has none
typedef bit<16> underlay_id_t;
typedef bit<32> next_hop_id_t;
typedef bit<16> rule_id_t;      // row of the counter `firewall_rule_hits`; 0: none
typedef bit<16> pool_id_t;
typedef bit<32> epoch_t;

// Where a packet comes from, as stages see it. What leaves a tunnel comes from the tenant's segment.
enum bit<8> source_t {
    NONE       = 0,
    UNDERLAY   = 1,  // where tunnels end
    UPLINK     = 2,  // the outside of a central router
    SEGMENT    = 3,
    ROUTER     = 4,  // the router itself: the controller speaks for it
    CONTROLLER = 5   // a finished frame for a tunnel
}

enum bit<8> tunnel_type_t {
    NONE   = 0,
    VXLAN  = 1,
    GENEVE = 2,
    GRE    = 3,
    IPIP   = 4,
    GTPU   = 5
}

// Columns of the counter `cache_outcome`.
enum bit<8> cache_outcome_t {
    NOT_LOOKED_UP = 0,  // no tenant's packet, or the router's own: not counted
    HIT           = 1,
    AGGREGATE_HIT = 2,
    STALE         = 3,  // there is an entry, of an epoch gone by
    MISS          = 4,
    BYPASS        = 5   // a packet that is for the stages to judge, each one anew
}

// What of a packet the stages looked at, to decide on it: bits of the field `consulted`.
enum bit<8> consulted_t {
    SRC_ADDR = 1,
    DST_ADDR = 2,
    PROTOCOL = 4,
    SRC_PORT = 8,
    DST_PORT = 16,
    SESSIONS = 32  // whether there is a session: this can change without a change of configuration
}

const bit<8> CONSULTED_FLOW = 31;  // the whole key of a flow

enum bit<8> flow_event_t {
    NONE  = 0,
    FLOW  = 1,  // a result that may be cached
    NEW   = 2,  // the first packet of a connection; `result` is what a later one would get
    CLOSE = 3   // FIN or RST within a session
}

enum bit<8> flow_result_t {
    NONE      = 0,
    FORWARD   = 1,
    TRANSLATE = 2,
    REFUSE    = 3
}

#endif
