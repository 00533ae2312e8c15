// SPDX-License-Identifier: Apache-2.0
// Local or forwarding: a packet for one of the VNIC's own addresses goes to its local rings, one it is only to pass on
// to its forwarding rings, or is routed here and now.
#ifndef STAGES_NIC_RECEIVE_RINGS_P4
#define STAGES_NIC_RECEIVE_RINGS_P4

control ReceiveRings(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(local_ipv4_counter);
    DIRECT_COUNTER(local_ipv6_counter);
    bool by_address = false;

    // An ordinary VNIC passes nothing on.
    action all_local() {}

    action by_ring(bit<1> learn_neighbors) {
        by_address = true;
        meta.ring.learn_neighbors = learn_neighbors == 1;
    }

    action by_route() {
        by_address = true;
        meta.ring.learn_neighbors = true;
        meta.ring.route = true;
    }

    table steering {
        key = { meta.vnic.vnic_id : exact @name("vnic_id"); }
        actions = { by_ring; by_route; @defaultonly all_local; }
        const default_action = all_local;
        size = VNICS;
    }

    action local() {
        meta.ring.type = ring_type_t.LOCAL;
    }

    action forward() {
        meta.ring.type = ring_type_t.FORWARD;
    }

    table local_ipv4 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv4.dst_addr : exact @name("ipv4_dst") @format(IPV4_ADDRESS);
        }
        actions = { local; @defaultonly forward; }
        const default_action = forward;
        size = LOCAL_IPV4;
        COUNTED_BY(local_ipv4_counter);
    }

    table local_ipv6 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv6.dst_addr : exact @name("ipv6_dst") @format(IPV6_ADDRESS);
        }
        actions = { local; @defaultonly forward; }
        const default_action = forward;
        size = LOCAL_IPV6;
        COUNTED_BY(local_ipv6_counter);
    }

    // Nobody else may send to a VNIC from the VNIC's own address (RFC 2827, RFC 3704).
    action allow() {}

    action refuse_source() {
        drop_packet(meta, drop_reason_t.SRC_ADDR_IS_LOCAL);
    }

    table own_source_ipv4 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv4.src_addr : exact @name("ipv4_src") @format(IPV4_ADDRESS);
        }
        actions = { refuse_source; @defaultonly allow; }
        const default_action = allow;
        size = LOCAL_IPV4;
    }

    table own_source_ipv6 {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            hdr.ipv6.src_addr : exact @name("ipv6_src") @format(IPV6_ADDRESS);
        }
        actions = { refuse_source; @defaultonly allow; }
        const default_action = allow;
        size = LOCAL_IPV6;
    }

    apply {
        if (meta.source.transmit == transmit_t.ROUTED) {
            forward();
            meta.ring.route = true;
        } else if (meta.vnic.destination == destination_t.VNIC) {
            local();
            steering.apply();
            if (by_address && hdr.ipv4.isValid()) {
                bool stays = meta.lookup.needs_stack
                    || hdr.ipv4.dst_addr[31:28] == 0xe               // 224.0.0.0/4
                    || hdr.ipv4.dst_addr == IPV4_LIMITED_BROADCAST
                    || hdr.ipv4.dst_addr[31:16] == 0xa9fe;           // 169.254.0.0/16, RFC 3927 7
                if (!stays) {
                    local_ipv4.apply();
                    if (hdr.ipv4.ttl == 1 && !meta.ring.route) {
                        local();  // for the VNIC's own stack to answer with time exceeded
                    }
                }
                own_source_ipv4.apply();
            } else if (by_address && hdr.ipv6.isValid()) {
                bool stays = meta.lookup.needs_stack
                    || hdr.ipv6.dst_addr[127:120] == 0xff            // ff00::/8
                    || hdr.ipv6.dst_addr[127:118] == 0x3fa;          // fe80::/10, RFC 4291 2.5.6
                if (!stays) {
                    local_ipv6.apply();
                    if (hdr.ipv6.hop_limit == 1 && !meta.ring.route) {
                        local();
                    }
                }
                own_source_ipv6.apply();
            }
        }
    }
}

#endif
