// SPDX-License-Identifier: Apache-2.0
// What no NIC should pass on: truncated, mis-sized or corrupt headers, and addresses that cannot be on a wire.
#ifndef STAGES_VALIDATION_P4
#define STAGES_VALIDATION_P4

control Validation(inout headers_t hdr, inout meta_t meta) {
    apply {
        bit<16> l3_length = meta.frame.length - meta.frame.l2_length;  // any trailing padding included

        if (meta.frame.too_short) {
            drop_packet(meta, drop_reason_t.PARSE_TOO_SHORT);
        } else if (!meta.frame.any_mac && (hdr.ethernet.src_addr[40:40] == 1 || hdr.ethernet.src_addr == 0)) {
            drop_packet(meta, drop_reason_t.SRC_MAC_INVALID);
        } else if (hdr.ipv4.isValid()) {
            if (hdr.ipv4.version != 4) {
                drop_packet(meta, drop_reason_t.IPV4_VERSION);
            } else if (hdr.ipv4.ihl < 5) {
                drop_packet(meta, drop_reason_t.IPV4_HEADER_LENGTH);
            } else if (hdr.ipv4.total_length < (bit<16>)hdr.ipv4.ihl << 2 || hdr.ipv4.total_length > l3_length) {
                drop_packet(meta, drop_reason_t.IPV4_TOTAL_LENGTH);
            } else if (meta.frame.ipv4_checksum_bad) {
                drop_packet(meta, drop_reason_t.IPV4_CHECKSUM);
            } else if (hdr.ipv4.ttl == 0) {
                drop_packet(meta, drop_reason_t.IPV4_TTL_ZERO);
            } else {
                // RFC 1122 3.2.1.3, RFC 1812 5.3.7, RFC 6890. Nobody has an address yet who asks DHCP for one, or speaks
                // IGMP without (RFC 3376 4.2.13).
                bool from_nobody = hdr.ipv4.src_addr == 0
                    && (hdr.ipv4.dst_addr == IPV4_LIMITED_BROADCAST || hdr.ipv4.dst_addr[31:28] == 0xe);
                bool bad_source = hdr.ipv4.src_addr[31:24] == 0     // 0.0.0.0/8
                    || hdr.ipv4.src_addr[31:24] == 127              // 127.0.0.0/8
                    || hdr.ipv4.src_addr[31:29] == 7;               // 224.0.0.0/3
                bool bad_destination = hdr.ipv4.dst_addr[31:24] == 0
                    || hdr.ipv4.dst_addr[31:24] == 127
                    || (hdr.ipv4.dst_addr[31:28] == 0xf && hdr.ipv4.dst_addr != IPV4_LIMITED_BROADCAST);
                if (!from_nobody && (bad_source || bad_destination)) {
                    drop_packet(meta, drop_reason_t.IPV4_MARTIAN);
                }
            }
        } else if (hdr.ipv6.isValid()) {
            if (hdr.ipv6.version != 6) {
                drop_packet(meta, drop_reason_t.IPV6_VERSION);
            } else if (hdr.ipv6.payload_length > l3_length - IPV6_BYTES || meta.lookup.l4_length > hdr.ipv6.payload_length) {
                // The second: extension headers beyond the payload wrapped l4_length around.
                drop_packet(meta, drop_reason_t.IPV6_PAYLOAD_LENGTH);
            } else if (hdr.ipv6.hop_limit == 0) {
                drop_packet(meta, drop_reason_t.IPV6_HOP_LIMIT_ZERO);
            } else {
                // RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7. An unspecified source is what a node without an address uses
                // (RFC 4862 5.4.2).
                bool bad_source = hdr.ipv6.src_addr[127:120] == 0xff    // ff00::/8
                    || hdr.ipv6.src_addr == 1                           // ::1
                    || hdr.ipv6.src_addr[127:32] == 0xffff;             // ::ffff:0:0/96
                bool bad_destination = hdr.ipv6.dst_addr[127:1] == 0    // :: and ::1
                    || hdr.ipv6.dst_addr[127:32] == 0xffff
                    || (hdr.ipv6.dst_addr[127:120] == 0xff              // reserved scope, interface-local scope
                        && hdr.ipv6.dst_addr[115:113] == 0);            // ff00::/16 and ff01::/16, with any flags
                if (bad_source || bad_destination) {
                    drop_packet(meta, drop_reason_t.IPV6_MARTIAN);
                }
            }
        }

        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            if (hdr.tcp.isValid()) {
                if (hdr.tcp.data_offset < 5 || meta.lookup.l4_length < TCP_MIN_BYTES) {
                    drop_packet(meta, drop_reason_t.TCP_HEADER_LENGTH);
                } else if (!meta.lookup.is_fragment && (bit<16>)hdr.tcp.data_offset << 2 > meta.lookup.l4_length) {
                    drop_packet(meta, drop_reason_t.TCP_HEADER_LENGTH);
                }
            } else if (hdr.udp.isValid()) {
                if (hdr.udp.length < UDP_BYTES || meta.lookup.l4_length < UDP_BYTES) {
                    drop_packet(meta, drop_reason_t.UDP_LENGTH);
                } else if (!meta.lookup.is_fragment && hdr.udp.length > meta.lookup.l4_length) {
                    drop_packet(meta, drop_reason_t.UDP_LENGTH);
                }
            }
        }
    }
}

#endif
