// SPDX-License-Identifier: Apache-2.0
// Tells the controller what the stages decided, for it to put into the cache: the key, the result, and which fields of
// the key were looked at. The rate is limited, for each tenant and for all of them: what is not told is decided again.
#ifndef STAGES_GATEWAY_LEARNING_P4
#define STAGES_GATEWAY_LEARNING_P4

// P4Runtime servers take no enums as members of a digest: PI wants plain bits.
struct flow_ipv4_t {
    tenant_id_t   tenant_id;
    segment_id_t  segment_id;
    ipv4_addr_t   src_addr;       // the key, as received
    ipv4_addr_t   dst_addr;
    bit<8>        protocol;
    bit<16>       src_port;
    bit<16>       dst_port;
    bit<8>        event;         // flow_event_t
    bit<8>        result;        // flow_result_t
    bit<8>        consulted;     // consulted_t bits
    bit<8>        tcp_flags;
    bit<8>        reason;        // drop_reason_t
    rule_id_t     rule_id;
    next_hop_id_t next_hop_id;
    epoch_t       epoch;
    epoch_t       router_epoch;
    ipv4_addr_t   new_src_addr;   // as sent
    bit<16>       new_src_port;
    ipv4_addr_t   new_dst_addr;
    bit<16>       new_dst_port;
}

struct flow_ipv6_t {
    tenant_id_t   tenant_id;
    segment_id_t  segment_id;
    ipv6_addr_t   src_addr;
    ipv6_addr_t   dst_addr;
    bit<8>        protocol;
    bit<16>       src_port;
    bit<16>       dst_port;
    bit<8>        event;         // flow_event_t
    bit<8>        result;        // flow_result_t
    bit<8>        consulted;     // consulted_t bits
    bit<8>        tcp_flags;
    bit<8>        reason;        // drop_reason_t
    rule_id_t     rule_id;
    next_hop_id_t next_hop_id;
    epoch_t       epoch;
    epoch_t       router_epoch;
}

control Learning(inout headers_t hdr, inout meta_t meta) {
    METER(learning_meter, tenant_id_t, TENANTS);
    METER(learning_meter_total, bit<16>, 1);
    COUNTER(learning_policed, tenant_id_t, TENANTS);
    flow_result_t result = flow_result_t.NONE;

    apply {
        // A refusal that hung on there being no session would outlive the session's beginning.
        bool refused = meta.verdict.kind == verdict_t.DROP
            && (meta.verdict.drop_reason == drop_reason_t.FIREWALL_DENY
                || meta.verdict.drop_reason == drop_reason_t.BLACKHOLE_ROUTE)
            && meta.flow.consulted & consulted_t.SESSIONS == 0;
        if (meta.verdict.kind == verdict_t.SEND) {
            result = meta.flow.translated ? flow_result_t.TRANSLATE : flow_result_t.FORWARD;
        } else if (refused) {
            result = flow_result_t.REFUSE;
        }

        if (result == flow_result_t.NONE) {
            meta.flow.event = flow_event_t.NONE;
        } else if (meta.flow.event == flow_event_t.NONE && !meta.flow.provisional
                && (meta.flow.cache_outcome == cache_outcome_t.MISS || meta.flow.cache_outcome == cache_outcome_t.STALE)) {
            meta.flow.event = flow_event_t.FLOW;
        }

        if (meta.flow.event != flow_event_t.NONE) {
            tenant_id_t row = 4w0 ++ meta.tenant.id[11:0];
            color_t color = color_t.GREEN;
            EXECUTE_METER(learning_meter, row, color);
            if (color != color_t.RED) {
                EXECUTE_METER(learning_meter_total, 0, color);
            }
            if (color == color_t.RED) {
                COUNT(learning_policed, row);
            } else if (hdr.ipv4.isValid()) {
                LEARN(flow_ipv4_t, meta.tenant.id, meta.tenant.segment_id, hdr.ipv4.src_addr, hdr.ipv4.dst_addr,
                    meta.lookup.protocol, meta.lookup.src_port, meta.lookup.dst_port, (bit<8>)meta.flow.event, (bit<8>)result,
                    meta.flow.consulted, meta.lookup.tcp_flags, (bit<8>)meta.verdict.drop_reason, meta.flow.rule_id,
                    meta.flow.next_hop_id, meta.tenant.epoch, meta.tenant.router_epoch, meta.flow.src_addr,
                    meta.flow.src_port, meta.flow.dst_addr, meta.flow.dst_port);
            } else {
                LEARN(flow_ipv6_t, meta.tenant.id, meta.tenant.segment_id, hdr.ipv6.src_addr, hdr.ipv6.dst_addr,
                    meta.lookup.protocol, meta.lookup.src_port, meta.lookup.dst_port, (bit<8>)meta.flow.event, (bit<8>)result,
                    meta.flow.consulted, meta.lookup.tcp_flags, (bit<8>)meta.verdict.drop_reason, meta.flow.rule_id,
                    meta.flow.next_hop_id, meta.tenant.epoch, meta.tenant.router_epoch);
            }
        }
    }
}

#endif
