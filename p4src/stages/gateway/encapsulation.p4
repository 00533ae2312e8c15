// SPDX-License-Identifier: Apache-2.0
// Puts the underlay's headers around the frame, or around the packet in it where the tunnel carries no Ethernet.
// TTL: of the tunnel (pipe). DSCP: the tunnel's (pipe) or the packet's (uniform). ECN: the packet's (RFC 6040 4.1).
#ifndef STAGES_GATEWAY_ENCAPSULATION_P4
#define STAGES_GATEWAY_ENCAPSULATION_P4

control Encapsulation(inout headers_t hdr, inout meta_t meta) {
    bit<16> length = 0;        // of what follows the outer IP header
    bit<8>  protocol = 0;
    bit<16> udp_port = 0;      // 0: not over UDP
    bit<32> flow_hash = 0;

    action add(bit<16> option_class, bit<8> option_type, bit<32> data) {
        hdr.underlay_geneve_option.setValid();
        hdr.underlay_geneve_option.option_class = option_class;
        hdr.underlay_geneve_option.option_type = option_type;
        hdr.underlay_geneve_option.reserved = 0;
        hdr.underlay_geneve_option.length = 1;
        hdr.underlay_geneve_option.data = data;
        hdr.underlay_geneve.options_length = 2;
        hdr.underlay_geneve.critical_options = option_type[7:7];
        length = length + GENEVE_OPTION_BYTES;
    }

    action none() {}

    table geneve_option {
        key = { meta.next_hop.tunnel_id : exact @name("tunnel_id"); }
        actions = { add; @defaultonly none; }
        const default_action = none;
        size = TUNNELS;
    }

    action add_vxlan() {
        udp_port = udp_port_t.VXLAN;
        length = length + UDP_BYTES + VXLAN_BYTES;
        hdr.underlay_vxlan.setValid();
        hdr.underlay_vxlan.reserved = 0;
        hdr.underlay_vxlan.vni_valid = 1;
        hdr.underlay_vxlan.reserved2 = 0;
        hdr.underlay_vxlan.vni = meta.next_hop.network_id[23:0];
        hdr.underlay_vxlan.reserved3 = 0;
    }

    action add_geneve() {
        udp_port = udp_port_t.GENEVE;
        length = length + UDP_BYTES + GENEVE_BYTES;
        hdr.underlay_geneve.setValid();
        hdr.underlay_geneve.version = 0;
        hdr.underlay_geneve.options_length = 0;
        hdr.underlay_geneve.control_packet = 0;
        hdr.underlay_geneve.critical_options = 0;
        hdr.underlay_geneve.reserved = 0;
        hdr.underlay_geneve.protocol_type = ether_type_t.TEB;
        hdr.underlay_geneve.vni = meta.next_hop.network_id[23:0];
        hdr.underlay_geneve.reserved2 = 0;
    }

    action add_gtpu() {
        udp_port = udp_port_t.GTPU;
        hdr.underlay_gtpu.setValid();
        hdr.underlay_gtpu.version = 1;
        hdr.underlay_gtpu.protocol_type = 1;
        hdr.underlay_gtpu.reserved = 0;
        hdr.underlay_gtpu.extension_present = 0;
        hdr.underlay_gtpu.sequence_present = 0;
        hdr.underlay_gtpu.n_pdu_present = 0;
        hdr.underlay_gtpu.message_type = GTPU_G_PDU;
        hdr.underlay_gtpu.length = length;
        hdr.underlay_gtpu.teid = meta.next_hop.network_id;
        length = length + UDP_BYTES + GTPU_BYTES;
    }

    // A network id of 0 is sent without a key.
    action add_gre(bit<1> key_present) {
        protocol = ip_protocol_t.GRE;
        length = length + GRE_BYTES;
        hdr.underlay_gre.setValid();
        hdr.underlay_gre.checksum_present = 0;
        hdr.underlay_gre.routing_present = 0;
        hdr.underlay_gre.key_present = key_present;
        hdr.underlay_gre.sequence_present = 0;
        hdr.underlay_gre.reserved = 0;
        hdr.underlay_gre.version = 0;
        hdr.underlay_gre.protocol_type = hdr.ethernet.ether_type;
    }

    action add_gre_key() {
        length = length + GRE_KEY_BYTES;
        hdr.underlay_gre_key.setValid();
        hdr.underlay_gre_key.key = meta.next_hop.network_id;
    }

    // The source port tells flows apart for those who see no further (RFC 7348 5, RFC 8926 3.3).
    action add_udp() {
        protocol = ip_protocol_t.UDP;
        hdr.underlay_udp.setValid();
        hdr.underlay_udp.src_port = 2w3 ++ flow_hash[13:0];  // 49152 to 65535
        hdr.underlay_udp.dst_port = udp_port;
        hdr.underlay_udp.length = length;
        hdr.underlay_udp.checksum = 0;
    }

    action add_ipv4(bit<6> dscp, bit<2> ecn) {
        hdr.underlay_ipv4.setValid();
        hdr.underlay_ipv4.version = 4;
        hdr.underlay_ipv4.ihl = 5;
        hdr.underlay_ipv4.dscp = dscp;
        hdr.underlay_ipv4.ecn = ecn;
        hdr.underlay_ipv4.total_length = length + IPV4_MIN_BYTES;
        hdr.underlay_ipv4.identification = 0;  // RFC 6864 4.1: never a fragment
        hdr.underlay_ipv4.reserved = 0;
        hdr.underlay_ipv4.do_not_fragment = 1;
        hdr.underlay_ipv4.more_fragments = 0;
        hdr.underlay_ipv4.fragment_offset = 0;
        hdr.underlay_ipv4.ttl = meta.encapsulation.ttl;
        hdr.underlay_ipv4.protocol = protocol;
        hdr.underlay_ipv4.src_addr = meta.encapsulation.src_addr[31:0];
        hdr.underlay_ipv4.dst_addr = meta.encapsulation.dst_addr[31:0];
    }

    action add_ipv6(bit<6> dscp, bit<2> ecn) {
        hdr.underlay_ipv6.setValid();
        hdr.underlay_ipv6.version = 6;
        hdr.underlay_ipv6.dscp = dscp;
        hdr.underlay_ipv6.ecn = ecn;
        hdr.underlay_ipv6.flow_label = flow_hash[19:0];  // RFC 6438 4
        hdr.underlay_ipv6.payload_length = length;
        hdr.underlay_ipv6.next_header = protocol;
        hdr.underlay_ipv6.hop_limit = meta.encapsulation.ttl;
        hdr.underlay_ipv6.src_addr = meta.encapsulation.src_addr;
        hdr.underlay_ipv6.dst_addr = meta.encapsulation.dst_addr;
    }

    action add_ethernet(bit<16> ether_type) {
        hdr.underlay_ethernet.setValid();
        hdr.underlay_ethernet.dst_addr = meta.encapsulation.dst_mac;
        hdr.underlay_ethernet.src_addr = meta.encapsulation.src_mac;
        hdr.underlay_ethernet.ether_type = ether_type;
    }

    action add_tag() {
        hdr.underlay_tag.setValid();
        hdr.underlay_tag.pcp = 0;
        hdr.underlay_tag.dei = 0;
        hdr.underlay_tag.vlan_id = meta.encapsulation.vlan_id;
        hdr.underlay_tag.ether_type = hdr.underlay_ethernet.ether_type;
        hdr.underlay_ethernet.ether_type = ether_type_t.VLAN;
    }

    apply {
        if (meta.encapsulation.type != tunnel_type_t.NONE) {
            bit<6> inner_dscp = 0;
            bit<2> inner_ecn = 0;
            if (hdr.ipv4.isValid()) {
                protocol = ip_protocol_t.IPV4;
                inner_dscp = hdr.ipv4.dscp;
                inner_ecn = hdr.ipv4.ecn;
                CRC32(flow_hash, hdr.ipv4.src_addr, hdr.ipv4.dst_addr, meta.lookup.protocol, meta.lookup.src_port,
                    meta.lookup.dst_port);
            } else if (hdr.ipv6.isValid()) {
                protocol = ip_protocol_t.IPV6;
                inner_dscp = hdr.ipv6.dscp;
                inner_ecn = hdr.ipv6.ecn;
                CRC32(flow_hash, hdr.ipv6.src_addr, hdr.ipv6.dst_addr, meta.lookup.protocol, meta.lookup.src_port,
                    meta.lookup.dst_port);
            }
            bit<6> dscp = meta.encapsulation.dscp_uniform ? inner_dscp : meta.encapsulation.dscp;

            // Padding that came behind the packet goes along: it is in the frame, and every length has to say so.
            length = meta.frame.length + meta.tunnel.trailer_length - meta.frame.l2_length;
            if (meta.encapsulation.type == tunnel_type_t.VXLAN) {
                length = length + ETHERNET_BYTES;
                add_vxlan();
            } else if (meta.encapsulation.type == tunnel_type_t.GENEVE) {
                length = length + ETHERNET_BYTES;
                add_geneve();
                geneve_option.apply();
            } else {
                if (meta.encapsulation.type == tunnel_type_t.GTPU) {
                    add_gtpu();
                } else if (meta.encapsulation.type == tunnel_type_t.GRE) {
                    if (meta.next_hop.network_id == 0) {
                        add_gre(0);
                    } else {
                        add_gre(1);
                        add_gre_key();
                    }
                }
                hdr.ethernet.setInvalid();
            }

            if (udp_port != 0) {
                add_udp();
            }
            if (meta.encapsulation.is_ipv6) {
                add_ipv6(dscp, inner_ecn);
                add_ethernet(ether_type_t.IPV6);
            } else {
                add_ipv4(dscp, inner_ecn);
                add_ethernet(ether_type_t.IPV4);
            }
            if (meta.encapsulation.vlan_id != 0) {
                add_tag();
            }
        }
    }
}

#endif
