// SPDX-License-Identifier: Apache-2.0
// What no NIC should pass on: truncated, mis-sized or corrupt headers, and addresses that cannot be on a wire.
#ifndef STAGES_VALIDATION_P4
#define STAGES_VALIDATION_P4

control Validation(inout headers_t hdr, inout meta_t meta) {
    action allow() {}

    action refuse_ipv4_martian() {
        drop_packet(meta, drop_reason_t.IPV4_MARTIAN);
    }

    action refuse_ipv6_martian() {
        drop_packet(meta, drop_reason_t.IPV6_MARTIAN);
    }

    // RFC 1122 3.2.1.3, RFC 1812 5.3.7, RFC 6890
    table ipv4_martian {
        key = {
            hdr.ipv4.src_addr : ternary @name("ipv4_src");
            hdr.ipv4.dst_addr : ternary @name("ipv4_dst");
        }
        actions = { allow; refuse_ipv4_martian; }
        const default_action = allow;
        const entries = {
            (0x00000000,                IPV4_LIMITED_BROADCAST)    : allow();  // a DHCP client has no address yet
            (0x00000000,                0xe0000000 &&& 0xf0000000) : allow();  // nor has an IGMP host: RFC 3376 4.2.13
            (0x00000000 &&& 0xff000000, _)                         : refuse_ipv4_martian();  // 0.0.0.0/8
            (0x7f000000 &&& 0xff000000, _)                         : refuse_ipv4_martian();  // 127.0.0.0/8
            (0xe0000000 &&& 0xe0000000, _)                         : refuse_ipv4_martian();  // 224.0.0.0/3
            (_,                         IPV4_LIMITED_BROADCAST)    : allow();
            (_,                         0x00000000 &&& 0xff000000) : refuse_ipv4_martian();  // 0.0.0.0/8
            (_,                         0x7f000000 &&& 0xff000000) : refuse_ipv4_martian();  // 127.0.0.0/8
            (_,                         0xf0000000 &&& 0xf0000000) : refuse_ipv4_martian();  // 240.0.0.0/4
        }
    }

    // RFC 4291 2.5.2, 2.5.3, 2.5.5.2, 2.7; an unspecified source is what a node without an address uses (RFC 4862 5.4.2)
    table ipv6_martian {
        key = {
            hdr.ipv6.src_addr : ternary @name("ipv6_src");
            hdr.ipv6.dst_addr : ternary @name("ipv6_dst");
        }
        actions = { allow; refuse_ipv6_martian; }
        const default_action = allow;
        const entries = {
            (0xff << 120 &&& 0xff << 120,                       _) : refuse_ipv6_martian();  // ff00::/8
            (128w1,                                             _) : refuse_ipv6_martian();  // ::1
            (128w0xffff << 32 &&& 0xffffffffffffffffffffffff << 32, _) : refuse_ipv6_martian();  // ::ffff:0:0/96
            (_, 128w0)                                             : refuse_ipv6_martian();  // ::
            (_, 128w1)                                             : refuse_ipv6_martian();  // ::1
            (_, 128w0xffff << 32 &&& 0xffffffffffffffffffffffff << 32) : refuse_ipv6_martian();  // ::ffff:0:0/96
            (_, 0xff00 << 112 &&& 0xff0f << 112)                   : refuse_ipv6_martian();  // ff00::/16, reserved scope
            (_, 0xff01 << 112 &&& 0xff0f << 112)                   : refuse_ipv6_martian();  // ff01::/16, interface-local
        }
    }

    apply {
        bit<16> l3_length = meta.frame.length - meta.frame.l2_length;  // any trailing padding included

        if (meta.frame.too_short) {
            drop_packet(meta, drop_reason_t.PARSE_TOO_SHORT);
        } else if (hdr.ethernet.src_addr[40:40] == 1 || hdr.ethernet.src_addr == 0) {
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
                ipv4_martian.apply();
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
                ipv6_martian.apply();
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
