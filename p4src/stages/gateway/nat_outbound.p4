// SPDX-License-Identifier: Apache-2.0
// To the outside: a mapping's address and port, a 1:1 address, or a pool, of which the controller allocates a mapping.
#ifndef STAGES_GATEWAY_NAT_OUTBOUND_P4
#define STAGES_GATEWAY_NAT_OUTBOUND_P4

control NatOutbound(inout headers_t hdr, inout meta_t meta) {
    bool from_pool = false;

    action translate_source(@format(IPV4_ADDRESS) ipv4_addr_t addr, bit<16> port) {
        meta.flow.translated = true;
        meta.flow.src_addr = addr;
        meta.flow.src_port = port;
    }

    action no_mapping() {}

    table nat_mapping_out {
        key = {
            meta.tenant.id       : exact @name("tenant_id");
            meta.lookup.protocol : exact @name("protocol");
            hdr.ipv4.src_addr    : exact @name("src_addr") @format(IPV4_ADDRESS);
            meta.lookup.src_port : exact @name("src_port");
        }
        actions = { translate_source; @defaultonly no_mapping; }
        const default_action = no_mapping;
        size = NAT_MAPPINGS;
        IDLE_TIMEOUT;
    }

    action translate_source_address(@format(IPV4_ADDRESS) ipv4_addr_t addr) {
        meta.flow.translated = true;
        meta.flow.src_addr = addr;
    }

    action no_static() {}

    table nat_static_out {
        key = {
            meta.tenant.id    : exact @name("tenant_id");
            hdr.ipv4.src_addr : exact @name("src_addr") @format(IPV4_ADDRESS);
        }
        actions = { translate_source_address; @defaultonly no_static; }
        const default_action = no_static;
        size = NAT_STATICS;
    }

    action allocate(pool_id_t pool_id) {
        from_pool = true;
        meta.punt.pool_id = pool_id;
    }

    action no_nat() {}

    table nat_pool {
        key = {
            meta.tenant.id    : exact @name("tenant_id");
            hdr.ipv4.src_addr : lpm   @name("src_addr") @format(IPV4_ADDRESS);
        }
        actions = { allocate; @defaultonly no_nat; }
        const default_action = no_nat;
        size = NAT_POOLS;
    }

    apply {
        if (meta.route.to_router && meta.tenant.nat && hdr.ipv4.isValid() && meta.source.kind != source_t.ROUTER) {
            // An echo reply without a mapping answers nobody: it is not its to allocate one.
            bool has_ports = !meta.lookup.is_fragment
                && (hdr.tcp.isValid() || hdr.udp.isValid() || meta.lookup.is_echo && meta.lookup.dst_port == 0);
            bool is_error = !meta.lookup.is_fragment && hdr.icmp.isValid()
                && (hdr.icmp.type == icmp_type_t.DESTINATION_UNREACHABLE || hdr.icmp.type == icmp_type_t.TIME_EXCEEDED
                    || hdr.icmp.type == icmp_type_t.PARAMETER_PROBLEM);
            consult(meta, consulted_t.SRC_ADDR | consulted_t.PROTOCOL | consulted_t.SRC_PORT);
            if (has_ports) {
                nat_mapping_out.apply();
            }
            if (!meta.flow.translated) {
                nat_static_out.apply();
            }
            if (!meta.flow.translated) {
                nat_pool.apply();
                if (from_pool) {
                    if (is_error) {
                        punt_packet(meta, punt_reason_t.ICMP_ERROR);
                    } else if (has_ports) {
                        punt_packet(meta, punt_reason_t.NAT_MAPPING_MISS);
                    } else {
                        drop_packet(meta, drop_reason_t.NAT_NOT_TRANSLATABLE);
                    }
                }
            } else if (is_error) {
                punt_packet(meta, punt_reason_t.ICMP_ERROR);
            }
        }
    }
}

#endif
