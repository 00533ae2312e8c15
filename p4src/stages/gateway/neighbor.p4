// SPDX-License-Identifier: Apache-2.0
// From a next hop's address in a segment to the way there; the controller resolves what has none.
#ifndef STAGES_GATEWAY_NEIGHBOR_P4
#define STAGES_GATEWAY_NEIGHBOR_P4

control Neighbor(inout headers_t hdr, inout meta_t meta) {
    action to_next_hop(next_hop_id_t next_hop_id) {
        meta.flow.next_hop_id = next_hop_id;
    }

    action neighbor_miss() {
        punt_packet(meta, punt_reason_t.NEIGHBOR_MISS);
        meta.punt.out_segment_id = meta.route.segment_id;
        meta.punt.next_hop = meta.route.next_hop;
    }

    table neighbor_ipv4 {
        key = {
            meta.tenant.id            : exact @name("tenant_id");
            meta.route.segment_id     : exact @name("segment_id");
            meta.route.next_hop[31:0] : exact @name("next_hop") @format(IPV4_ADDRESS);
        }
        actions = { to_next_hop; @defaultonly neighbor_miss; }
        const default_action = neighbor_miss;
        size = NEIGHBORS;
    }

    table neighbor_ipv6 {
        key = {
            meta.tenant.id        : exact @name("tenant_id");
            meta.route.segment_id : exact @name("segment_id");
            meta.route.next_hop   : exact @name("next_hop") @format(IPV6_ADDRESS);
        }
        actions = { to_next_hop; @defaultonly neighbor_miss; }
        const default_action = neighbor_miss;
        size = NEIGHBORS;
    }

    apply {
        if (meta.route.segment_id != 0) {
            if (hdr.ipv4.isValid()) {
                neighbor_ipv4.apply();
            } else {
                neighbor_ipv6.apply();
            }
        }
    }
}

#endif
