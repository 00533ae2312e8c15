// SPDX-License-Identifier: Apache-2.0
// One of several next hops, the same for every packet of a flow (RFC 2992). Addresses and ports are those the packet
// leaves with, so that a switch further on sees what the choice was made by.
#ifndef STAGES_GATEWAY_ECMP_P4
#define STAGES_GATEWAY_ECMP_P4

control Ecmp(inout headers_t hdr, inout meta_t meta) {
    ipv6_addr_t src_addr = 0;   // an IPv4 address stands in the low 32 bits
    ipv6_addr_t dst_addr = 0;
    bit<16>     src_port = 0;
    bit<16>     dst_port = 0;
    bit<16>     router_id = 0;  // whose route it was: the tenant's, or the central router's
    bool        chosen = false;

    action to_next_hop(next_hop_id_t next_hop_id) {
        chosen = true;
        meta.flow.next_hop_id = next_hop_id;
    }

    // v1model gives a table with a selector no default action: what an empty group does not choose is dropped below.
    SELECTOR(ecmp_members, ECMP_MEMBERS, 16);

    @max_group_size(64)
    table ecmp {
        key = {
            meta.route.group_id  : exact @name("group_id");
            router_id            : selector;
            src_addr             : selector;
            dst_addr             : selector;
            meta.lookup.protocol : selector;
            src_port             : selector;
            dst_port             : selector;
        }
        actions = { to_next_hop; }
        size = ECMP_GROUPS;
        SELECTED_BY(ecmp_members);
    }

    apply {
        if (meta.route.group_id != 0) {
            consult(meta, CONSULTED_FLOW);
            router_id = meta.route.to_router ? meta.tenant.router_id : meta.tenant.id;
            if (hdr.ipv4.isValid()) {
                src_addr = (bit<128>)meta.flow.src_addr;
                dst_addr = (bit<128>)meta.flow.dst_addr;
                src_port = meta.flow.src_port;
                dst_port = meta.flow.dst_port;
            } else {
                src_addr = hdr.ipv6.src_addr;
                dst_addr = hdr.ipv6.dst_addr;
                src_port = meta.lookup.src_port;
                dst_port = meta.lookup.dst_port;
            }
            ecmp.apply();
            if (!chosen) {
                drop_packet(meta, drop_reason_t.ECMP_GROUP_EMPTY);
            }
        }
    }
}

#endif
