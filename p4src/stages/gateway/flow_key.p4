// SPDX-License-Identifier: Apache-2.0
// What identifies a flow besides its addresses, by the same names for either address family.
#ifndef STAGES_GATEWAY_FLOW_KEY_P4
#define STAGES_GATEWAY_FLOW_KEY_P4

control FlowKey(inout headers_t hdr, inout meta_t meta) {
    apply {
        if (hdr.ipv4.isValid()) {
            meta.lookup.protocol = hdr.ipv4.protocol;
            meta.lookup.l4_length = hdr.ipv4.total_length - ((bit<16>)hdr.ipv4.ihl << 2);
            meta.lookup.is_fragment = hdr.ipv4.more_fragments == 1 || hdr.ipv4.fragment_offset != 0;
            meta.lookup.needs_stack = hdr.ipv4_options.isValid();
        } else if (hdr.ipv6_fragment.isValid()) {
            meta.lookup.protocol = hdr.ipv6_fragment.next_header;
            meta.lookup.l4_length = hdr.ipv6.payload_length - IPV6_FRAGMENT_BYTES;
            meta.lookup.is_fragment = true;
        } else if (hdr.ipv6.isValid()) {
            meta.lookup.protocol = hdr.ipv6.next_header;
            meta.lookup.l4_length = hdr.ipv6.payload_length;
            meta.lookup.needs_stack = hdr.ipv6.next_header == ip_protocol_t.IPV6_HOP_BY_HOP
                || hdr.ipv6.next_header == ip_protocol_t.IPV6_ROUTING
                || hdr.ipv6.next_header == ip_protocol_t.IPV6_DESTINATION;
        }

        if (hdr.tcp.isValid()) {
            meta.lookup.src_port = hdr.tcp.src_port;
            meta.lookup.dst_port = hdr.tcp.dst_port;
            meta.lookup.tcp_flags = hdr.tcp.flags;
        } else if (hdr.udp.isValid()) {
            meta.lookup.src_port = hdr.udp.src_port;
            meta.lookup.dst_port = hdr.udp.dst_port;
        } else if (hdr.icmp_echo.isValid()) {
            meta.lookup.is_echo = true;
            if (hdr.icmp.type == icmp_type_t.ECHO_REQUEST || hdr.icmp.type == icmpv6_type_t.ECHO_REQUEST) {
                meta.lookup.src_port = hdr.icmp_echo.identifier;
            } else {
                meta.lookup.dst_port = hdr.icmp_echo.identifier;
            }
        }
    }
}

#endif
