// SPDX-License-Identifier: Apache-2.0
// The frame as it goes to its next hop, or to the controller.
#ifndef STAGES_GATEWAY_REWRITE_P4
#define STAGES_GATEWAY_REWRITE_P4

control Rewrite(inout headers_t hdr, inout meta_t meta) {
    action remove_tag() {
        hdr.ethernet.ether_type = hdr.outer_tag.ether_type;
        hdr.outer_tag.setInvalid();
    }

    action add_tag() {
        hdr.outer_tag.setValid();
        hdr.outer_tag.pcp = 0;
        hdr.outer_tag.dei = 0;
        hdr.outer_tag.vlan_id = meta.next_hop.vlan_id;
        hdr.outer_tag.ether_type = hdr.ethernet.ether_type;
        hdr.ethernet.ether_type = ether_type_t.VLAN;
    }

    action add_packet_in() {
        hdr.packet_in.setValid();
        hdr.packet_in.ingress_port = meta.frame.ingress_port;
        hdr.packet_in.reason = meta.punt.reason;
        hdr.packet_in.tenant_id = meta.tenant.id;
        hdr.packet_in.segment_id = meta.tenant.segment_id;
        hdr.packet_in.router_id = meta.source.kind == source_t.SEGMENT ? meta.tenant.router_id : meta.source.router_id;
        hdr.packet_in.tunnel_id = meta.tunnel.id;
        hdr.packet_in.network_id = meta.tunnel.network_id;
        hdr.packet_in.pool_id = meta.punt.pool_id;
        hdr.packet_in.out_segment_id = meta.punt.out_segment_id;
        hdr.packet_in.next_hop_id = meta.flow.next_hop_id;
        hdr.packet_in.next_hop = meta.punt.next_hop;
    }

    apply {
        if (meta.verdict.kind == verdict_t.PUNT) {
            add_packet_in();
            if (meta.tunnel.carries_ip) {
                hdr.ethernet.src_addr = 0;
                hdr.ethernet.dst_addr = 0;
            }
        } else if (meta.source.kind != source_t.NONE) {
            if (hdr.outer_tag.isValid()) {
                remove_tag();
            }
            hdr.ethernet.src_addr = meta.next_hop.src_mac;
            hdr.ethernet.dst_addr = meta.next_hop.dst_mac;
            if (meta.next_hop.vlan_id != 0) {
                add_tag();
            }
            if (meta.source.kind == source_t.UPLINK || meta.source.kind == source_t.SEGMENT) {
                if (hdr.ipv4.isValid()) {
                    hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
                    hdr.ipv4.header_checksum = changed(hdr.ipv4.header_checksum, 0xfeff);  // ~m + m' of m' = m - 0x0100
                } else {
                    hdr.ipv6.hop_limit = hdr.ipv6.hop_limit - 1;
                }
            }
        }
        hdr.packet_out.setInvalid();
    }
}

#endif
