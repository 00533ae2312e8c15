// SPDX-License-Identifier: Apache-2.0
// The tenant's own router, by the destination as it is inside: to a segment of the tenant's, or on to its central router.
#ifndef STAGES_GATEWAY_DISTRIBUTED_ROUTING_P4
#define STAGES_GATEWAY_DISTRIBUTED_ROUTING_P4

control DistributedRouting(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(tenant_route_ipv4_counter);
    DIRECT_COUNTER(tenant_route_ipv6_counter);
    bool is_connected = false;

    action connected(segment_id_t segment_id) {
        is_connected = true;
        meta.route.segment_id = segment_id;
    }

    action via_ipv4(segment_id_t segment_id, @format(IPV4_ADDRESS) ipv4_addr_t next_hop) {
        meta.route.segment_id = segment_id;
        meta.route.next_hop = (bit<128>)next_hop;
    }

    action via_ipv6(segment_id_t segment_id, @format(IPV6_ADDRESS) ipv6_addr_t next_hop) {
        meta.route.segment_id = segment_id;
        meta.route.next_hop = next_hop;
    }

    action to_router() {
        meta.route.to_router = true;
    }

    action to_group(group_id_t group_id) {
        meta.route.group_id = group_id;
    }

    action blackhole() {
        drop_packet(meta, drop_reason_t.BLACKHOLE_ROUTE);
    }

    action no_route() {
        punt_packet(meta, punt_reason_t.NO_ROUTE);
    }

    table tenant_route_ipv4 {
        key = {
            meta.tenant.id     : exact @name("tenant_id");
            meta.flow.dst_addr : lpm   @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { connected; via_ipv4; to_router; to_group; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = ROUTES;
        COUNTED_BY(tenant_route_ipv4_counter);
    }

    table tenant_route_ipv6 {
        key = {
            meta.tenant.id    : exact @name("tenant_id");
            hdr.ipv6.dst_addr : lpm   @name("dst_addr") @format(IPV6_ADDRESS);
        }
        actions = { connected; via_ipv6; to_router; to_group; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = ROUTES;
        COUNTED_BY(tenant_route_ipv6_counter);
    }

    apply {
        bool by_router = meta.source.kind == source_t.ROUTER;

        if (hdr.ipv4.isValid()) {
            if (hdr.ipv4.src_addr == 0
                    || hdr.ipv4.src_addr[31:16] == 0xa9fe     // RFC 3927 7
                    || hdr.ipv4.dst_addr[31:16] == 0xa9fe
                    || hdr.ipv4.dst_addr[31:28] == 0xe
                    || hdr.ipv4.dst_addr == IPV4_LIMITED_BROADCAST) {
                drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
            } else if (hdr.ipv4.ttl == 1 && !by_router) {
                punt_packet(meta, punt_reason_t.TTL_EXPIRED);
            } else if (meta.tenant.id != 0) {
                tenant_route_ipv4.apply();
                if (is_connected) {
                    meta.route.next_hop = (bit<128>)meta.flow.dst_addr;
                }
            }
        } else {
            if (hdr.ipv6.src_addr == 0
                    || hdr.ipv6.src_addr[127:118] == 0x3fa    // RFC 4291 2.5.6
                    || hdr.ipv6.dst_addr[127:118] == 0x3fa
                    || hdr.ipv6.dst_addr[127:120] == 0xff) {
                drop_packet(meta, drop_reason_t.NOT_ROUTABLE);
            } else if (hdr.ipv6.hop_limit == 1 && !by_router) {
                punt_packet(meta, punt_reason_t.TTL_EXPIRED);
            } else if (meta.tenant.id != 0) {
                tenant_route_ipv6.apply();
                if (is_connected) {
                    meta.route.next_hop = hdr.ipv6.dst_addr;
                }
            }
        }
        consult(meta, consulted_t.DST_ADDR);

        // The central router itself speaks. And what came in through it does not go out through it again: the tenant
        // has no such address.
        if (meta.tenant.id == 0) {
            meta.route.to_router = true;
        } else if (meta.route.to_router && meta.source.kind == source_t.UPLINK) {
            no_route();
        }
    }
}

#endif
