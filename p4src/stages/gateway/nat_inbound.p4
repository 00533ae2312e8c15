// SPDX-License-Identifier: Apache-2.0
// From outside to an address of the tenant's translation: back to the inside's address and port. Stages behind this one
// see the flow as it is inside, in meta.flow.
#ifndef STAGES_GATEWAY_NAT_INBOUND_P4
#define STAGES_GATEWAY_NAT_INBOUND_P4

control NatInbound(inout headers_t hdr, inout meta_t meta) {
    action translate_destination(@format(IPV4_ADDRESS) ipv4_addr_t addr, bit<16> port) {
        meta.flow.translated = true;
        meta.flow.dst_addr = addr;
        meta.flow.dst_port = port;
    }

    action no_mapping() {}

    table nat_mapping_in {
        key = {
            meta.tenant.id       : exact @name("tenant_id");
            meta.lookup.protocol : exact @name("protocol");
            hdr.ipv4.dst_addr    : exact @name("dst_addr") @format(IPV4_ADDRESS);
            meta.lookup.dst_port : exact @name("dst_port");
        }
        actions = { translate_destination; @defaultonly no_mapping; }
        const default_action = no_mapping;
        size = NAT_MAPPINGS;
    }

    action translate_destination_address(@format(IPV4_ADDRESS) ipv4_addr_t addr) {
        meta.flow.translated = true;
        meta.flow.dst_addr = addr;
    }

    action no_static() {}

    table nat_static_in {
        key = {
            meta.tenant.id    : exact @name("tenant_id");
            hdr.ipv4.dst_addr : exact @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { translate_destination_address; @defaultonly no_static; }
        const default_action = no_static;
        size = NAT_STATICS;
    }

    apply {
        meta.flow.src_addr = hdr.ipv4.src_addr;
        meta.flow.src_port = meta.lookup.src_port;
        meta.flow.dst_addr = hdr.ipv4.dst_addr;
        meta.flow.dst_port = meta.lookup.dst_port;

        if (meta.tenant.destination_is_translated) {
            bool has_ports = !meta.lookup.is_fragment
                && (hdr.tcp.isValid() || hdr.udp.isValid() || meta.lookup.is_echo);
            bool is_error = !meta.lookup.is_fragment && hdr.icmp.isValid()
                && (hdr.icmp.type == icmp_type_t.DESTINATION_UNREACHABLE || hdr.icmp.type == icmp_type_t.TIME_EXCEEDED
                    || hdr.icmp.type == icmp_type_t.PARAMETER_PROBLEM);
            consult(meta, consulted_t.PROTOCOL | consulted_t.DST_ADDR | consulted_t.DST_PORT);
            if (is_error) {
                punt_packet(meta, punt_reason_t.ICMP_ERROR);
            } else {
                if (has_ports) {
                    nat_mapping_in.apply();
                }
                if (!meta.flow.translated) {
                    nat_static_in.apply();
                }
                if (!meta.flow.translated) {
                    if (has_ports) {
                        drop_packet(meta, drop_reason_t.NAT_NO_MAPPING);
                    } else {
                        drop_packet(meta, drop_reason_t.NAT_NOT_TRANSLATABLE);
                    }
                }
            }
        }
    }
}

#endif
