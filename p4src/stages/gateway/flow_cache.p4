// SPDX-License-Identifier: Apache-2.0
// What was decided for a flow's earlier packets holds for this one, as long as neither the tenant's configuration nor its
// central router's has changed: an entry is of an epoch, and an entry of another one is as good as none. Exact entries
// first, then those that hold for every packet alike in the fields that the stages looked at.
#ifndef STAGES_GATEWAY_FLOW_CACHE_P4
#define STAGES_GATEWAY_FLOW_CACHE_P4

control FlowCache(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(cache_ipv4_counter);
    DIRECT_COUNTER(cache_ipv6_counter);
    DIRECT_COUNTER(cache_aggregate_ipv4_counter);
    DIRECT_COUNTER(cache_aggregate_ipv6_counter);
    bool found = false;
    bool refused = false;
    epoch_t entry_epoch = 0;
    epoch_t entry_router_epoch = 0;
    drop_reason_t refusal = drop_reason_t.NONE;

    action forward(epoch_t epoch, epoch_t router_epoch, next_hop_id_t next_hop_id, rule_id_t rule_id) {
        found = true;
        refused = false;
        entry_epoch = epoch;
        entry_router_epoch = router_epoch;
        meta.flow.next_hop_id = next_hop_id;
        meta.flow.rule_id = rule_id;
    }

    action translate(epoch_t epoch, epoch_t router_epoch, next_hop_id_t next_hop_id, rule_id_t rule_id,
                     @format(IPV4_ADDRESS) ipv4_addr_t src_addr, bit<16> src_port,
                     @format(IPV4_ADDRESS) ipv4_addr_t dst_addr, bit<16> dst_port) {
        forward(epoch, router_epoch, next_hop_id, rule_id);
        meta.flow.translated = true;
        meta.flow.src_addr = src_addr;
        meta.flow.src_port = src_port;
        meta.flow.dst_addr = dst_addr;
        meta.flow.dst_port = dst_port;
    }

    action refuse(epoch_t epoch, epoch_t router_epoch, drop_reason_t reason, rule_id_t rule_id) {
        found = true;
        refused = true;
        entry_epoch = epoch;
        entry_router_epoch = router_epoch;
        refusal = reason;
        meta.flow.rule_id = rule_id;
    }

    action miss() {}

    table cache_ipv4 {
        key = {
            meta.tenant.id         : exact @name("tenant_id");
            meta.tenant.segment_id : exact @name("segment_id");
            hdr.ipv4.src_addr      : exact @name("src_addr") @format(IPV4_ADDRESS);
            hdr.ipv4.dst_addr      : exact @name("dst_addr") @format(IPV4_ADDRESS);
            meta.lookup.protocol   : exact @name("protocol");
            meta.lookup.src_port   : exact @name("src_port");
            meta.lookup.dst_port   : exact @name("dst_port");
        }
        actions = { forward; translate; refuse; @defaultonly miss; }
        const default_action = miss;
        size = CACHE_IPV4;
        COUNTED_BY(cache_ipv4_counter);
        IDLE_TIMEOUT;
    }

    table cache_ipv6 {
        key = {
            meta.tenant.id         : exact @name("tenant_id");
            meta.tenant.segment_id : exact @name("segment_id");
            hdr.ipv6.src_addr      : exact @name("src_addr") @format(IPV6_ADDRESS);
            hdr.ipv6.dst_addr      : exact @name("dst_addr") @format(IPV6_ADDRESS);
            meta.lookup.protocol   : exact @name("protocol");
            meta.lookup.src_port   : exact @name("src_port");
            meta.lookup.dst_port   : exact @name("dst_port");
        }
        actions = { forward; refuse; @defaultonly miss; }
        const default_action = miss;
        size = CACHE_IPV6;
        COUNTED_BY(cache_ipv6_counter);
        IDLE_TIMEOUT;
    }

    table cache_aggregate_ipv4 {
        key = {
            meta.tenant.id         : exact   @name("tenant_id");
            meta.tenant.segment_id : exact   @name("segment_id");
            hdr.ipv4.src_addr      : ternary @name("src_addr") @format(IPV4_ADDRESS);
            hdr.ipv4.dst_addr      : ternary @name("dst_addr") @format(IPV4_ADDRESS);
            meta.lookup.protocol   : ternary @name("protocol");
            meta.lookup.src_port   : ternary @name("src_port");
            meta.lookup.dst_port   : ternary @name("dst_port");
        }
        actions = { forward; refuse; @defaultonly miss; }
        const default_action = miss;
        size = CACHE_AGGREGATES;
        COUNTED_BY(cache_aggregate_ipv4_counter);
        IDLE_TIMEOUT;
    }

    table cache_aggregate_ipv6 {
        key = {
            meta.tenant.id         : exact   @name("tenant_id");
            meta.tenant.segment_id : exact   @name("segment_id");
            hdr.ipv6.src_addr      : ternary @name("src_addr") @format(IPV6_ADDRESS);
            hdr.ipv6.dst_addr      : ternary @name("dst_addr") @format(IPV6_ADDRESS);
            meta.lookup.protocol   : ternary @name("protocol");
            meta.lookup.src_port   : ternary @name("src_port");
            meta.lookup.dst_port   : ternary @name("dst_port");
        }
        actions = { forward; refuse; @defaultonly miss; }
        const default_action = miss;
        size = CACHE_AGGREGATES;
        COUNTED_BY(cache_aggregate_ipv6_counter);
        IDLE_TIMEOUT;
    }

    // As if nothing had been found.
    action forget() {
        found = false;
        meta.flow.next_hop_id = 0;
        meta.flow.rule_id = 0;
        meta.flow.translated = false;
    }

    apply {
        bool ipv4 = hdr.ipv4.isValid();
        // Sources that the stages treat in a way of their own, whatever the fields they look at (RFC 3927 7, RFC 4291
        // 2.5.6): no aggregate may hold for them.
        bool special_source = ipv4 ? hdr.ipv4.src_addr[31:16] == 0xa9fe
            : hdr.ipv6.src_addr[127:118] == 0x3fa || hdr.ipv6.src_addr == 0;
        bool expires = (ipv4 ? hdr.ipv4.ttl : hdr.ipv6.hop_limit) == 1;
        bool opens_or_closes = meta.lookup.tcp_flags & (tcp_flag_t.SYN | tcp_flag_t.FIN | tcp_flag_t.RST) != 0;

        if (meta.tenant.id == 0 || meta.source.kind == source_t.ROUTER) {
            // Not looked up: no tenant's, or the router's own.
        } else if (meta.lookup.is_fragment || meta.lookup.needs_stack || expires || opens_or_closes || special_source
                || (hdr.icmp.isValid() && !meta.lookup.is_echo)) {
            meta.flow.cache_outcome = cache_outcome_t.BYPASS;
        } else {
            bool stale = false;
            meta.flow.cache_outcome = cache_outcome_t.HIT;
            if (ipv4) {
                cache_ipv4.apply();
            } else {
                cache_ipv6.apply();
            }
            if (found && (entry_epoch != meta.tenant.epoch || entry_router_epoch != meta.tenant.router_epoch)) {
                forget();
                stale = true;
            }

            if (!found) {
                meta.flow.cache_outcome = cache_outcome_t.AGGREGATE_HIT;
                if (ipv4) {
                    cache_aggregate_ipv4.apply();
                } else {
                    cache_aggregate_ipv6.apply();
                }
                if (found && (entry_epoch != meta.tenant.epoch || entry_router_epoch != meta.tenant.router_epoch)) {
                    forget();
                    stale = true;
                }
            }

            if (!found) {
                meta.flow.cache_outcome = stale ? cache_outcome_t.STALE : cache_outcome_t.MISS;
            } else if (refused) {
                drop_packet(meta, refusal);
            }
        }
    }
}

#endif
