// SPDX-License-Identifier: Apache-2.0
// To the controller: what a stage could not do alone, and copies of what a neighbor says of itself. Each reason has a
// rate of its own, so that a flood of one leaves room for the others (RFC 6192).
#ifndef STAGES_NIC_PUNT_P4
#define STAGES_NIC_PUNT_P4

control Punt(inout headers_t hdr, inout meta_t meta) {
    METER(punt_meter, punt_reason_t, PUNT_REASONS);

    apply {
        if (meta.verdict.kind == verdict_t.DELIVER && meta.ring.learn_neighbors && !meta.route.routed) {
            bool arp_reply = hdr.arp.isValid() && hdr.arp.operation == arp_operation_t.REPLY;
            bool advertisement = hdr.ipv6.isValid() && hdr.ipv6.hop_limit == ND_HOP_LIMIT && hdr.icmp.isValid()
                && meta.lookup.protocol == ip_protocol_t.ICMPV6
                && hdr.icmp.type == icmpv6_type_t.NEIGHBOR_ADVERTISEMENT;
            if (arp_reply || advertisement) {
                meta.punt.reason = punt_reason_t.NEIGHBOR_HEARD;
                meta.punt.copy = true;
            }
        }

        if (meta.verdict.kind == verdict_t.PUNT || meta.punt.copy) {
            meta.punt.ingress_port = meta.frame.ingress_port;
            meta.punt.vnic_id = meta.vnic.vnic_id;
            meta.punt.vlan_id = meta.vlan.vlan_id;

            color_t color = color_t.GREEN;
            EXECUTE_METER(punt_meter, meta.punt.reason, color);
            if (color == color_t.RED) {
                if (meta.punt.copy) {
                    meta.punt.copy = false;
                    meta.punt.copy_policed = true;
                } else {
                    drop_packet(meta, drop_reason_t.PUNT_RATE_EXCEEDED);
                }
            }
        }
    }
}

#endif
