// SPDX-License-Identifier: Apache-2.0
// The one place that changes headers: what the stages before it decided is carried out here, in egress.
#ifndef STAGES_NIC_REWRITE_P4
#define STAGES_NIC_REWRITE_P4

control Rewrite(inout headers_t hdr, inout meta_t meta) {
    action untag() {}

    action tag(bit<16> ether_type, vlan_id_t tag_vlan_id) {
        hdr.outer_tag.setValid();
        hdr.outer_tag.pcp = meta.vlan.pcp;
        hdr.outer_tag.dei = meta.vlan.dei;
        hdr.outer_tag.vlan_id = tag_vlan_id;
        hdr.outer_tag.ether_type = hdr.ethernet.ether_type;
        hdr.ethernet.ether_type = ether_type;
        meta.frame.length = meta.frame.length + VLAN_TAG_BYTES;
    }

    // Without an entry a frame shows which VLAN it is of: it never slips into the untagged one.
    action tag_by_default() {
        tag(ether_type_t.VLAN, meta.vlan.vlan_id);
    }

    table uplink_tag {
        key = {
            meta.verdict.egress_port : exact @name("port");
            meta.vlan.vlan_id        : exact @name("vlan_id");
        }
        actions = { untag; tag; @defaultonly tag_by_default; }
        const default_action = tag_by_default;
        size = UPLINK_VLANS;
    }

    table vnic_tag {
        key = {
            meta.vnic.vnic_id : exact @name("vnic_id");
            meta.vlan.vlan_id : exact @name("vlan_id");
        }
        actions = { untag; tag; @defaultonly tag_by_default; }
        const default_action = tag_by_default;
        size = VNIC_VLANS;
    }

    action remove_tag() {
        hdr.ethernet.ether_type = hdr.outer_tag.ether_type;
        hdr.outer_tag.setInvalid();
        meta.frame.length = meta.frame.length - VLAN_TAG_BYTES;
    }

    // RFC 1624 eqn. 3, HC' = ~(~HC + ~m + m'): lowering the TTL is m' = m - 0x0100, so ~m + m' = 0xfeff. A checksum that
    // was wrong stays wrong, which one computed afresh would hide.
    action lower_ipv4_ttl() {
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
        bit<17> sum = (bit<17>)~hdr.ipv4.header_checksum + 0xfeff;
        hdr.ipv4.header_checksum = ~(sum[15:0] + (bit<16>)sum[16:16]);
    }

    action route_frame() {
        hdr.ethernet.src_addr = meta.route.src_mac;
        hdr.ethernet.dst_addr = meta.route.dst_mac;
    }

    action add_packet_in() {
        hdr.packet_in.setValid();
        hdr.packet_in.ingress_port = meta.punt.ingress_port;
        hdr.packet_in.reason = meta.punt.reason;
        hdr.packet_in.vnic_id = meta.punt.vnic_id;
        hdr.packet_in.vlan_id = (bit<16>)meta.punt.vlan_id;
        hdr.packet_in.next_hop = meta.punt.next_hop;
    }

    action add_nic_rx_desc() {
        hdr.nic_rx_desc.setValid();
        hdr.nic_rx_desc.ring_id = meta.ring.ring_id;
        hdr.nic_rx_desc.vnic_id = meta.vnic.vnic_id;
        hdr.nic_rx_desc.ring_type = meta.ring.type;
        hdr.nic_rx_desc.reserved = 0;
        hdr.nic_rx_desc.frame_length = meta.frame.length;
        hdr.nic_rx_desc.flow_hash = meta.ring.flow_hash;
    }

    apply {
        hdr.packet_out.setInvalid();
        hdr.nic_tx_desc.setInvalid();

        if (meta.copy.is_clone || meta.verdict.kind == verdict_t.PUNT) {
            add_packet_in();
        } else if (meta.source.role != port_role_t.CPU) {
            if (hdr.outer_tag.isValid()) {
                remove_tag();
            }
            if (meta.route.routed) {
                route_frame();
                if (hdr.ipv4.isValid()) {
                    lower_ipv4_ttl();
                } else {
                    hdr.ipv6.hop_limit = hdr.ipv6.hop_limit - 1;
                }
            }
            if (meta.verdict.kind == verdict_t.SEND || (meta.copy.is_replica && meta.copy.vnic_id == UPLINK_COPY)) {
                uplink_tag.apply();
            } else {
                vnic_tag.apply();
            }
            if (meta.verdict.egress_port == HOST_PORT) {
                add_nic_rx_desc();
            }
        }
    }
}

#endif
