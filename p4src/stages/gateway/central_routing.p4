// SPDX-License-Identifier: Apache-2.0
// The central router, which many tenants share: from here on a packet has nothing of its tenant's but its addresses.
#ifndef STAGES_GATEWAY_CENTRAL_ROUTING_P4
#define STAGES_GATEWAY_CENTRAL_ROUTING_P4

control CentralRouting(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(central_route_ipv4_counter);
    DIRECT_COUNTER(central_route_ipv6_counter);

    action to_next_hop(next_hop_id_t next_hop_id) {
        meta.flow.next_hop_id = next_hop_id;
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

    table central_route_ipv4 {
        key = {
            meta.tenant.router_id : exact @name("router_id");
            hdr.ipv4.dst_addr     : lpm   @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { to_next_hop; to_group; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = ROUTES;
        COUNTED_BY(central_route_ipv4_counter);
    }

    table central_route_ipv6 {
        key = {
            meta.tenant.router_id : exact @name("router_id");
            hdr.ipv6.dst_addr     : lpm   @name("dst_addr") @format(IPV6_ADDRESS);
        }
        actions = { to_next_hop; to_group; blackhole; @defaultonly no_route; }
        const default_action = no_route;
        size = ROUTES;
        COUNTED_BY(central_route_ipv6_counter);
    }

    apply {
        if (meta.route.to_router) {
            if (meta.tenant.router_id == 0) {
                drop_packet(meta, drop_reason_t.ROUTER_UNKNOWN);
            } else if (hdr.ipv4.isValid()) {
                central_route_ipv4.apply();
            } else {
                central_route_ipv6.apply();
            }
        }
    }
}

#endif
