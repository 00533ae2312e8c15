// SPDX-License-Identifier: Apache-2.0
// The way out: a port, or a tunnel and the port that its underlay leaves by.
#ifndef STAGES_GATEWAY_NEXT_HOP_P4
#define STAGES_GATEWAY_NEXT_HOP_P4

control NextHop(inout headers_t hdr, inout meta_t meta) {
    action to_port(port_id_t port, vlan_id_t vlan_id, mac_addr_t src_mac, mac_addr_t dst_mac, bit<16> mtu) {
        send_packet(meta, port);
        meta.next_hop.vlan_id = vlan_id;
        meta.next_hop.src_mac = src_mac;
        meta.next_hop.dst_mac = dst_mac;
        meta.next_hop.mtu = mtu;
    }

    action to_tunnel(tunnel_id_t tunnel_id, network_id_t network_id, mac_addr_t src_mac, mac_addr_t dst_mac,
                     bit<16> mtu) {
        meta.next_hop.tunnel_id = tunnel_id;
        meta.next_hop.network_id = network_id;
        meta.next_hop.src_mac = src_mac;
        meta.next_hop.dst_mac = dst_mac;
        meta.next_hop.mtu = mtu;
    }

    action unresolved(@format(IPV6_ADDRESS) ipv6_addr_t next_hop) {
        punt_packet(meta, punt_reason_t.NEIGHBOR_MISS);
        meta.punt.next_hop = next_hop;
    }

    action unknown_next_hop() {
        drop_packet(meta, drop_reason_t.NEXT_HOP_UNKNOWN);
    }

    table next_hop {
        key = { meta.flow.next_hop_id : exact @name("next_hop_id"); }
        actions = { to_port; to_tunnel; unresolved; @defaultonly unknown_next_hop; }
        const default_action = unknown_next_hop;
        size = NEXT_HOPS;
    }

    action encap_ipv4(tunnel_type_t tunnel_type, @format(IPV4_ADDRESS) ipv4_addr_t src_addr,
                      @format(IPV4_ADDRESS) ipv4_addr_t dst_addr, bit<1> dscp_uniform, bit<6> dscp, bit<8> ttl,
                      bit<1> udp_checksum, underlay_id_t underlay_id) {
        meta.encapsulation.type = tunnel_type;
        meta.encapsulation.src_addr = (bit<128>)src_addr;
        meta.encapsulation.dst_addr = (bit<128>)dst_addr;
        meta.encapsulation.dscp_uniform = dscp_uniform == 1;
        meta.encapsulation.dscp = dscp;
        meta.encapsulation.ttl = ttl;
        meta.encapsulation.udp_checksum = udp_checksum == 1;
        meta.encapsulation.underlay_id = underlay_id;
    }

    action encap_ipv6(tunnel_type_t tunnel_type, @format(IPV6_ADDRESS) ipv6_addr_t src_addr,
                      @format(IPV6_ADDRESS) ipv6_addr_t dst_addr, bit<1> dscp_uniform, bit<6> dscp, bit<8> ttl,
                      bit<1> udp_checksum, underlay_id_t underlay_id) {
        meta.encapsulation.type = tunnel_type;
        meta.encapsulation.is_ipv6 = true;
        meta.encapsulation.src_addr = src_addr;
        meta.encapsulation.dst_addr = dst_addr;
        meta.encapsulation.dscp_uniform = dscp_uniform == 1;
        meta.encapsulation.dscp = dscp;
        meta.encapsulation.ttl = ttl;
        meta.encapsulation.udp_checksum = udp_checksum == 1;
        meta.encapsulation.underlay_id = underlay_id;
    }

    action unknown_tunnel() {
        drop_packet(meta, drop_reason_t.TUNNEL_UNKNOWN);
    }

    table tunnel {
        key = { meta.next_hop.tunnel_id : exact @name("tunnel_id"); }
        actions = { encap_ipv4; encap_ipv6; @defaultonly unknown_tunnel; }
        const default_action = unknown_tunnel;
        size = TUNNELS;
    }

    action leave(port_id_t port, vlan_id_t vlan_id, mac_addr_t src_mac, mac_addr_t dst_mac) {
        send_packet(meta, port);
        meta.encapsulation.vlan_id = vlan_id;
        meta.encapsulation.src_mac = src_mac;
        meta.encapsulation.dst_mac = dst_mac;
    }

    action unknown_underlay() {
        drop_packet(meta, drop_reason_t.UNDERLAY_UNKNOWN);
    }

    table underlay {
        key = { meta.encapsulation.underlay_id : exact @name("underlay_id"); }
        actions = { leave; @defaultonly unknown_underlay; }
        const default_action = unknown_underlay;
        size = UNDERLAYS;
    }

    apply {
        if (meta.source.kind != source_t.CONTROLLER) {
            next_hop.apply();
        }
        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            tunnel.apply();
            if (meta.verdict.kind == verdict_t.UNDECIDED) {
                underlay.apply();
            }
        }
    }
}

#endif
