// SPDX-License-Identifier: Apache-2.0
// The tenant's rules, which look at connections as they are inside. What a rule lets through statefully may be answered:
// the controller installs a session for either direction, and the answer is judged by the rules for the packet it
// answers. So a connection ends with the rule that let it begin. Answers may be faster than the controller: until the
// session is there, the connection's opening is remembered here.
#ifndef STAGES_GATEWAY_FIREWALL_P4
#define STAGES_GATEWAY_FIREWALL_P4

const bit<32> OPENING_MS = 1000;  // after the originator's last packet

control Firewall(inout headers_t hdr, inout meta_t meta) {
    DIRECT_COUNTER(firewall_rule_ipv4_counter);
    DIRECT_COUNTER(firewall_rule_ipv6_counter);
    bool in_session = false;
    bool answers = false;
    bool is_stateful = false;
    bool allowed = false;

    // The flow as the rules are asked about it: from the originator's side. An IPv4 address stands in the low 32 bits.
    segment_id_t segment_id = 0;
    ipv6_addr_t  src_addr = 0;
    ipv6_addr_t  dst_addr = 0;
    bit<16>      src_port = 0;
    bit<16>      dst_port = 0;

    // Of connections without a session yet: the originator's tuple, whole, for by a hash alone others could pass for the
    // answer; its segment; and when it last spoke.
    REGISTER(openings, bit<360>, bit<32>, OPENINGS);

    action originator() {
        in_session = true;
    }

    action responder(segment_id_t originator_segment_id) {
        in_session = true;
        answers = true;
        segment_id = originator_segment_id;
    }

    action no_session() {}

    table firewall_session_ipv4 {
        key = {
            meta.tenant.id       : exact @name("tenant_id");
            meta.flow.src_addr   : exact @name("src_addr") @format(IPV4_ADDRESS);
            meta.flow.dst_addr   : exact @name("dst_addr") @format(IPV4_ADDRESS);
            meta.lookup.protocol : exact @name("protocol");
            meta.flow.src_port   : exact @name("src_port");
            meta.flow.dst_port   : exact @name("dst_port");
        }
        actions = { originator; responder; @defaultonly no_session; }
        const default_action = no_session;
        size = SESSIONS_IPV4;
        IDLE_TIMEOUT;
    }

    table firewall_session_ipv6 {
        key = {
            meta.tenant.id       : exact @name("tenant_id");
            hdr.ipv6.src_addr    : exact @name("src_addr") @format(IPV6_ADDRESS);
            hdr.ipv6.dst_addr    : exact @name("dst_addr") @format(IPV6_ADDRESS);
            meta.lookup.protocol : exact @name("protocol");
            meta.lookup.src_port : exact @name("src_port");
            meta.lookup.dst_port : exact @name("dst_port");
        }
        actions = { originator; responder; @defaultonly no_session; }
        const default_action = no_session;
        size = SESSIONS_IPV6;
        IDLE_TIMEOUT;
    }

    action allow(rule_id_t rule_id) {
        meta.flow.rule_id = rule_id;
        allowed = true;
    }

    action allow_stateful(rule_id_t rule_id) {
        meta.flow.rule_id = rule_id;
        allowed = true;
        is_stateful = true;
    }

    action deny(rule_id_t rule_id) {
        meta.flow.rule_id = rule_id;
    }

    action deny_by_default() {}

    table firewall_rule_ipv4 {
        key = {
            meta.tenant.id       : exact   @name("tenant_id");
            segment_id           : ternary @name("segment_id");
            src_addr[31:0]       : ternary @name("src_addr") @format(IPV4_ADDRESS);
            dst_addr[31:0]       : ternary @name("dst_addr") @format(IPV4_ADDRESS);
            meta.lookup.protocol : ternary @name("protocol");
            src_port             : range   @name("src_port");
            dst_port             : range   @name("dst_port");
        }
        actions = { allow; allow_stateful; deny; @defaultonly deny_by_default; }
        const default_action = deny_by_default;
        size = FIREWALL_RULES;
        COUNTED_BY(firewall_rule_ipv4_counter);
    }

    table firewall_rule_ipv6 {
        key = {
            meta.tenant.id       : exact   @name("tenant_id");
            segment_id           : ternary @name("segment_id");
            src_addr             : ternary @name("src_addr") @format(IPV6_ADDRESS);
            dst_addr             : ternary @name("dst_addr") @format(IPV6_ADDRESS);
            meta.lookup.protocol : ternary @name("protocol");
            src_port             : range   @name("src_port");
            dst_port             : range   @name("dst_port");
        }
        actions = { allow; allow_stateful; deny; @defaultonly deny_by_default; }
        const default_action = deny_by_default;
        size = FIREWALL_RULES;
        COUNTED_BY(firewall_rule_ipv6_counter);
    }

    // Either direction finds the same row.
    action hash_connection(out bit<32> row) {
        CRC32(row, meta.tenant.id, meta.lookup.protocol, src_addr ^ dst_addr, src_port ^ dst_port);
        row = row & 0xffff;
    }

    action turn_around() {
        ipv6_addr_t addr = src_addr;
        bit<16>     port = src_port;
        src_addr = dst_addr;
        dst_addr = addr;
        src_port = dst_port;
        dst_port = port;
    }

    apply {
        if (meta.tenant.firewall && meta.source.kind != source_t.ROUTER) {
            bool opening = false;
            bit<32> row = 0;

            consult(meta, meta.tenant.firewall_fields);
            segment_id = meta.tenant.segment_id;
            if (hdr.ipv4.isValid()) {
                // As IPv4-mapped addresses, which no IPv6 packet has (see validation).
                src_addr = 96w0xffff ++ meta.flow.src_addr;
                dst_addr = 96w0xffff ++ meta.flow.dst_addr;
                src_port = meta.flow.src_port;
                dst_port = meta.flow.dst_port;
            } else {
                src_addr = hdr.ipv6.src_addr;
                dst_addr = hdr.ipv6.dst_addr;
                src_port = meta.lookup.src_port;
                dst_port = meta.lookup.dst_port;
            }

            if (meta.tenant.firewall_fields & consulted_t.SESSIONS != 0) {
                consult(meta, CONSULTED_FLOW);
                if (hdr.ipv4.isValid()) {
                    firewall_session_ipv4.apply();
                } else {
                    firewall_session_ipv6.apply();
                }
                if (!in_session) {
                    bit<360> opened = 0;
                    hash_connection(row);
                    READ(openings, opened, row);
                    bit<24> instance = meta.tenant.id ++ meta.lookup.protocol;
                    if (meta.clock.now_ms - opened[31:0] < OPENING_MS) {
                        opening = opened[359:48] == instance ++ src_addr ++ dst_addr ++ src_port ++ dst_port;
                        answers = !opening
                            && opened[359:48] == instance ++ dst_addr ++ src_addr ++ dst_port ++ src_port;
                        if (answers) {
                            segment_id = opened[47:32];
                            meta.flow.provisional = true;
                        }
                    }
                }
                if (answers) {
                    turn_around();
                }
            }

            if (hdr.ipv4.isValid()) {
                firewall_rule_ipv4.apply();
            } else {
                firewall_rule_ipv6.apply();
            }

            bit<8> flags = meta.lookup.tcp_flags & (tcp_flag_t.SYN | tcp_flag_t.ACK | tcp_flag_t.FIN | tcp_flag_t.RST);
            bool closes = flags & (tcp_flag_t.FIN | tcp_flag_t.RST) != 0;
            if (!allowed) {
                drop_packet(meta, drop_reason_t.FIREWALL_DENY);
            } else if (hdr.ipv4.isValid() && hdr.ipv4.fragment_offset == 1
                    && meta.lookup.protocol == ip_protocol_t.TCP) {
                drop_packet(meta, drop_reason_t.TCP_FRAGMENT_OVERLAP);  // RFC 1858 3.2.2: it would rewrite the flags
            } else if (in_session || answers) {
                if (closes) {
                    meta.flow.event = flow_event_t.CLOSE;
                }
            } else if (is_stateful) {
                if (!opening && meta.lookup.protocol == ip_protocol_t.TCP && flags != (bit<8>)tcp_flag_t.SYN) {
                    drop_packet(meta, drop_reason_t.NOT_A_NEW_CONNECTION);
                } else {
                    meta.flow.event = closes ? flow_event_t.CLOSE : flow_event_t.NEW;
                    WRITE(openings, row, meta.tenant.id ++ meta.lookup.protocol ++ src_addr ++ dst_addr ++ src_port
                        ++ dst_port ++ segment_id ++ meta.clock.now_ms);
                }
            }
        }
    }
}

#endif
