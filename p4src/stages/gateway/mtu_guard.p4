// SPDX-License-Identifier: Apache-2.0
// What is too big for the way out: nobody here fragments, the controller tells the sender where that is due (RFC 1191,
// RFC 8201).
#ifndef STAGES_GATEWAY_MTU_GUARD_P4
#define STAGES_GATEWAY_MTU_GUARD_P4

control MtuGuard(inout headers_t hdr, inout meta_t meta) {
    apply {
        bit<16> length = hdr.ipv4.isValid() ? hdr.ipv4.total_length : hdr.ipv6.payload_length + IPV6_BYTES;
        bool is_ip = hdr.ipv4.isValid() || hdr.ipv6.isValid();
        bool may_be_fragmented = hdr.ipv4.isValid() && hdr.ipv4.do_not_fragment == 0;

        if (meta.verdict.kind == verdict_t.SEND && is_ip && length > meta.next_hop.mtu) {
            if (may_be_fragmented || meta.source.kind == source_t.ROUTER) {
                drop_packet(meta, drop_reason_t.FRAGMENTATION_NEEDED);
            } else {
                punt_packet(meta, punt_reason_t.PACKET_TOO_BIG);
            }
        }
    }
}

#endif
