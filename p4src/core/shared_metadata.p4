// SPDX-License-Identifier: Apache-2.0
// What the shell and the stages of any program tell one another; everything is zero when a packet begins.
#ifndef CORE_SHARED_METADATA_P4
#define CORE_SHARED_METADATA_P4

#include "types.p4"
#include "drop_reason.p4"

// By the shell and the parser.
struct frame_meta_t {
    port_id_t ingress_port;
    bit<16>   length;            // bytes, from the Ethernet header on
    bit<16>   l2_length;         // bytes of Ethernet header and tags
    bool      too_short;         // the frame ended within a header
    bool      ipv4_checksum_bad;
    bool      any_mac;           // its MAC addresses mean nothing: made up, or of the frame around a tunnel
}

// By the stage that settles the packet's fate.
struct verdict_meta_t {
    verdict_t     kind;
    drop_reason_t drop_reason;
    port_id_t     egress_port;   // SEND, DELIVER, PUNT
    group_id_t    group_id;      // REPLICATE
}

#endif
