// SPDX-License-Identifier: Apache-2.0
// Which tunnels end here: from a known peer, of a known type, with a network of ours. Elsewhere inner headers are payload.
#ifndef STAGES_GATEWAY_TUNNEL_TERMINATION_P4
#define STAGES_GATEWAY_TUNNEL_TERMINATION_P4

control TunnelTermination(inout headers_t hdr, inout meta_t meta) {
    bit<16> outer_length = 0;   // bytes from the outer IP header on, by its own word; then to the end of the UDP datagram
    bit<16> header_length = 0;  // of the outer IP header

    action accept(tunnel_scope_t scope, tunnel_id_t tunnel_id) {
        meta.tunnel.scope = scope;
        meta.tunnel.id = tunnel_id;
    }

    action unknown_peer() {
        drop_packet(meta, drop_reason_t.TUNNEL_PEER_UNKNOWN);
    }

    table tunnel_peer_ipv4 {
        key = {
            meta.tunnel.type  : exact @name("tunnel_type");
            hdr.ipv4.src_addr : exact @name("src_addr") @format(IPV4_ADDRESS);
            hdr.ipv4.dst_addr : exact @name("dst_addr") @format(IPV4_ADDRESS);
        }
        actions = { accept; @defaultonly unknown_peer; }
        const default_action = unknown_peer;
        size = TUNNEL_PEERS;
    }

    table tunnel_peer_ipv6 {
        key = {
            meta.tunnel.type  : exact @name("tunnel_type");
            hdr.ipv6.src_addr : exact @name("src_addr") @format(IPV6_ADDRESS);
            hdr.ipv6.dst_addr : exact @name("dst_addr") @format(IPV6_ADDRESS);
        }
        actions = { accept; @defaultonly unknown_peer; }
        const default_action = unknown_peer;
        size = TUNNEL_PEERS;
    }

    action enter(tenant_id_t tenant_id, segment_id_t segment_id, mac_addr_t mac) {
        meta.source.kind = source_t.SEGMENT;
        meta.source.mac = mac;
        meta.tenant.id = tenant_id;
        meta.tenant.segment_id = segment_id;
    }

    action unknown_network() {
        drop_packet(meta, drop_reason_t.TUNNEL_NETWORK_UNKNOWN);
    }

    table tunnel_network {
        key = {
            meta.tunnel.scope      : exact @name("scope");
            meta.tunnel.network_id : exact @name("network_id");
        }
        actions = { enter; @defaultonly unknown_network; }
        const default_action = unknown_network;
        size = TUNNEL_NETWORKS;
    }

    // From here on the frame's lengths are those of what is in the tunnel.
    action end_tunnel() {
        bit<16> datagram_end = meta.frame.l2_length + outer_length;
        meta.tunnel.ends_here = true;
        meta.tunnel.trailer_length = meta.frame.length - datagram_end;
        meta.frame.length = datagram_end;
        meta.frame.l2_length = meta.frame.l2_length + header_length + meta.tunnel.header_length;
    }

    apply {
        bit<16> available = meta.frame.length - meta.frame.l2_length;
        bool well_formed = false;

        if (meta.source.kind != source_t.UNDERLAY) {
            if (meta.tunnel.type != tunnel_type_t.NONE) {
                meta.frame.too_short = false;  // nobody here asked what is in its payload
            }
            return;
        }

        // ---- the outer headers

        if (meta.frame.too_short) {
            drop_packet(meta, drop_reason_t.PARSE_TOO_SHORT);
        } else if (hdr.arp.isValid() || hdr.icmp.isValid()) {
            return;  // of our neighbors there: for tenant_selection
        } else if (hdr.ethernet.dst_addr != meta.source.mac) {
            drop_packet(meta, drop_reason_t.DST_MAC_NOT_OURS);
        } else if (meta.tunnel.type == tunnel_type_t.NONE) {
            drop_packet(meta, drop_reason_t.UNDERLAY_NOT_TUNNEL);
        } else if (hdr.ipv4.isValid()) {
            header_length = (bit<16>)hdr.ipv4.ihl << 2;
            outer_length = hdr.ipv4.total_length;
            if (hdr.ipv4.version != 4) {
                drop_packet(meta, drop_reason_t.IPV4_VERSION);
            } else if (outer_length < header_length + meta.tunnel.header_length || outer_length > available) {
                drop_packet(meta, drop_reason_t.IPV4_TOTAL_LENGTH);
            } else if (meta.frame.ipv4_checksum_bad) {
                drop_packet(meta, drop_reason_t.IPV4_CHECKSUM);
            } else {
                tunnel_peer_ipv4.apply();
            }
        } else {
            header_length = IPV6_BYTES;
            outer_length = hdr.ipv6.payload_length + IPV6_BYTES;
            if (hdr.ipv6.version != 6) {
                drop_packet(meta, drop_reason_t.IPV6_VERSION);
            } else if (hdr.ipv6.payload_length < meta.tunnel.header_length
                    || hdr.ipv6.payload_length > available - IPV6_BYTES) {
                drop_packet(meta, drop_reason_t.IPV6_PAYLOAD_LENGTH);
            } else {
                tunnel_peer_ipv6.apply();
            }
        }

        if (meta.verdict.kind == verdict_t.UNDECIDED && hdr.udp.isValid()) {
            if (hdr.udp.length < meta.tunnel.header_length || hdr.udp.length > outer_length - header_length) {
                drop_packet(meta, drop_reason_t.UDP_LENGTH);
            } else {
                outer_length = header_length + hdr.udp.length;
            }
        }

        // ---- the tunnel's own header

        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            if (hdr.vxlan.isValid()) {
                well_formed = hdr.vxlan.vni_valid == 1;
                meta.tunnel.network_id = (bit<32>)hdr.vxlan.vni;
            } else if (hdr.geneve.isValid()) {
                well_formed = hdr.geneve.control_packet == 0 && hdr.inner_ethernet.isValid();
                meta.tunnel.network_id = (bit<32>)hdr.geneve.vni;
            } else {
                meta.tunnel.carries_ip = true;
                well_formed = hdr.inner_ipv4.isValid() || hdr.inner_ipv6.isValid();
                if (hdr.gre_key.isValid()) {
                    meta.tunnel.network_id = hdr.gre_key.key;
                } else if (hdr.gtpu.isValid()) {
                    meta.tunnel.network_id = hdr.gtpu.teid;
                    well_formed = well_formed && hdr.gtpu.version == 1 && hdr.gtpu.protocol_type == 1
                        && hdr.gtpu.message_type == GTPU_G_PDU
                        && hdr.gtpu.length == hdr.udp.length - UDP_BYTES - GTPU_BYTES;
                }
            }

            if (!well_formed) {
                drop_packet(meta, drop_reason_t.TUNNEL_HEADER_INVALID);
            } else if (hdr.geneve.isValid() && hdr.geneve.critical_options == 1) {
                drop_packet(meta, drop_reason_t.GENEVE_CRITICAL_OPTION);
            } else {
                tunnel_network.apply();
            }
        }

        // ---- what it carries

        if (meta.verdict.kind == verdict_t.UNDECIDED) {
            bit<2> outer_ecn = hdr.ipv4.isValid() ? hdr.ipv4.ecn : hdr.ipv6.ecn;
            bool cannot_echo_congestion = hdr.inner_ipv4.isValid() && hdr.inner_ipv4.ecn == ecn_t.NOT_ECT
                || hdr.inner_ipv6.isValid() && hdr.inner_ipv6.ecn == ecn_t.NOT_ECT;
            bool tagged = hdr.inner_ethernet.isValid()
                && (hdr.inner_ethernet.ether_type == ether_type_t.VLAN
                    || hdr.inner_ethernet.ether_type == ether_type_t.QINQ);
            if (tagged) {
                drop_packet(meta, drop_reason_t.INNER_TAGGED);
            } else if (outer_ecn == ecn_t.CE && cannot_echo_congestion) {
                drop_packet(meta, drop_reason_t.ECN_INVALID);  // RFC 6040 4.2
            } else {
                end_tunnel();
            }
        }
    }
}

#endif
