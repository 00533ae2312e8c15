// SPDX-License-Identifier: Apache-2.0
// Parser and deparser, side by side in one order. A frame that looks like a tunnel's is parsed on to the transport header
// of what it carries; whether the tunnel is ours, and the frame more than payload, tunnel_termination finds out.
#ifndef CORE_GATEWAY_PARSER_P4
#define CORE_GATEWAY_PARSER_P4

#include "headers.p4"
#include "metadata.p4"

parser FrameParser(packet_in packet, out headers_t hdr, inout meta_t meta) {
    state start {
        transition select(meta.frame.ingress_port) {
            CPU_PORT: parse_packet_out;
            default:  parse_ethernet;
        }
    }

    state parse_packet_out {
        packet.extract(hdr.packet_out);
        meta.frame.length = meta.frame.length - PACKET_OUT_BYTES;
        transition parse_ethernet;
    }

    state parse_ethernet {
        packet.extract(hdr.ethernet);
        meta.frame.l2_length = ETHERNET_BYTES;
        transition select(hdr.ethernet.ether_type) {
            ether_type_t.VLAN: parse_tag;
            ether_type_t.ARP:  parse_arp;
            ether_type_t.IPV4: parse_ipv4;
            ether_type_t.IPV6: parse_ipv6;
            default:           accept;
        }
    }

    state parse_tag {
        packet.extract(hdr.outer_tag);
        meta.frame.l2_length = ETHERNET_BYTES + VLAN_TAG_BYTES;
        transition select(hdr.outer_tag.ether_type) {
            ether_type_t.ARP:  parse_arp;
            ether_type_t.IPV4: parse_ipv4;
            ether_type_t.IPV6: parse_ipv6;
            default:           accept;
        }
    }

    state parse_arp {
        transition select(packet.lookahead<bit<48>>()) {
            ARP_ETHERNET_IPV4: parse_arp_ethernet_ipv4;
            default:           accept;
        }
    }

    state parse_arp_ethernet_ipv4 {
        packet.extract(hdr.arp);
        transition accept;
    }

    // ---- IP. A first fragment has its transport header, whole or not at all (RFC 1858 3.2.1); a tunnel's fragments are
    // for nobody here to put together.

    state parse_ipv4 {
        packet.extract(hdr.ipv4);
        transition select(hdr.ipv4.ihl) {
            0 .. 4:  accept;  // validation drops it
            5:       parse_ipv4_payload;
            default: parse_ipv4_options;
        }
    }

    state parse_ipv4_options {
        packet.extract(hdr.ipv4_options, ((bit<32>)hdr.ipv4.ihl - 5) << 5);
        transition parse_ipv4_payload;
    }

    state parse_ipv4_payload {
        transition select(hdr.ipv4.more_fragments, hdr.ipv4.fragment_offset, hdr.ipv4.protocol) {
            (_, 0, ip_protocol_t.TCP):  parse_tcp;
            (0, 0, ip_protocol_t.UDP):  parse_udp;
            (1, 0, ip_protocol_t.UDP):  parse_udp_fragment;
            (_, 0, ip_protocol_t.ICMP): parse_icmp;
            (0, 0, ip_protocol_t.GRE):  parse_gre;
            (0, 0, ip_protocol_t.IPV4): parse_ipip_ipv4;
            (0, 0, ip_protocol_t.IPV6): parse_ipip_ipv6;
            default:                    accept;
        }
    }

    // Behind extension headers other than a fragment header the transport is unknown, and the packet is treated as one
    // without ports.
    state parse_ipv6 {
        packet.extract(hdr.ipv6);
        transition select(hdr.ipv6.next_header) {
            ip_protocol_t.IPV6_FRAGMENT: parse_ipv6_fragment;
            ip_protocol_t.TCP:           parse_tcp;
            ip_protocol_t.UDP:           parse_udp;
            ip_protocol_t.ICMPV6:        parse_icmpv6;
            ip_protocol_t.GRE:           parse_gre;
            ip_protocol_t.IPV4:          parse_ipip_ipv4;
            ip_protocol_t.IPV6:          parse_ipip_ipv6;
            default:                     accept;
        }
    }

    state parse_ipv6_fragment {
        packet.extract(hdr.ipv6_fragment);
        transition select(hdr.ipv6_fragment.fragment_offset, hdr.ipv6_fragment.next_header) {
            (0, ip_protocol_t.TCP):    parse_tcp;
            (0, ip_protocol_t.UDP):    parse_udp_fragment;
            (0, ip_protocol_t.ICMPV6): parse_icmpv6;
            default:                   accept;
        }
    }

    // ---- transport

    state parse_tcp {
        packet.extract(hdr.tcp);
        transition accept;
    }

    state parse_udp {
        packet.extract(hdr.udp);
        transition select(hdr.udp.dst_port) {
            udp_port_t.VXLAN:  parse_vxlan;
            udp_port_t.GENEVE: parse_geneve;
            udp_port_t.GTPU:   parse_gtpu;
            default:           accept;
        }
    }

    state parse_udp_fragment {
        packet.extract(hdr.udp);
        transition accept;
    }

    state parse_icmp {
        packet.extract(hdr.icmp);
        transition select(hdr.icmp.type) {
            icmp_type_t.ECHO_REQUEST: parse_icmp_echo;
            icmp_type_t.ECHO_REPLY:   parse_icmp_echo;
            default:                  accept;
        }
    }

    state parse_icmpv6 {
        packet.extract(hdr.icmp);
        transition select(hdr.icmp.type) {
            icmpv6_type_t.ECHO_REQUEST: parse_icmp_echo;
            icmpv6_type_t.ECHO_REPLY:   parse_icmp_echo;
            default:                    accept;
        }
    }

    state parse_icmp_echo {
        packet.extract(hdr.icmp_echo);
        transition accept;
    }

    // ---- tunnels. The type is set before anything of the tunnel is extracted: from there on, an end of the frame within
    // a header is no fault of the frame unless the tunnel is ours.

    state parse_vxlan {
        meta.tunnel.type = tunnel_type_t.VXLAN;
        meta.tunnel.header_length = UDP_BYTES + VXLAN_BYTES + ETHERNET_BYTES;
        packet.extract(hdr.vxlan);
        transition parse_inner_ethernet;
    }

    state parse_geneve {
        meta.tunnel.type = tunnel_type_t.GENEVE;
        packet.extract(hdr.geneve);
        packet.extract(hdr.geneve_options, (bit<32>)hdr.geneve.options_length << 5);
        meta.tunnel.header_length =
            UDP_BYTES + GENEVE_BYTES + ((bit<16>)hdr.geneve.options_length << 2) + ETHERNET_BYTES;
        transition select(hdr.geneve.version, hdr.geneve.protocol_type) {
            (0, ether_type_t.TEB): parse_inner_ethernet;
            default:               accept;
        }
    }

    state parse_gtpu {
        meta.tunnel.type = tunnel_type_t.GTPU;
        meta.tunnel.header_length = UDP_BYTES + GTPU_BYTES;
        packet.extract(hdr.gtpu);
        transition select(hdr.gtpu.extension_present, hdr.gtpu.sequence_present, hdr.gtpu.n_pdu_present) {
            (0, 0, 0): parse_inner_ip;
            default:   parse_gtpu_optional;
        }
    }

    state parse_gtpu_optional {
        packet.extract(hdr.gtpu_optional);
        meta.tunnel.header_length = UDP_BYTES + GTPU_BYTES + GTPU_OPTIONAL_BYTES;
        transition select(hdr.gtpu.extension_present, hdr.gtpu_optional.next_extension_type) {
            (0, _):                parse_inner_ip;
            (1, 0):                parse_inner_ip;
            (1, 1 .. 0x7f):        parse_gtpu_extension;  // nobody has to understand these (TS 29.281 5.2.1)
            (1, GTPU_PDU_SESSION): parse_gtpu_extension;
            default:               accept;
        }
    }

    state parse_gtpu_extension {
        packet.extract(hdr.gtpu_extension);
        meta.tunnel.header_length = UDP_BYTES + GTPU_BYTES + GTPU_OPTIONAL_BYTES + GTPU_EXTENSION_BYTES;
        transition select(hdr.gtpu_extension.length, hdr.gtpu_extension.next_extension_type) {
            (1, 0):  parse_inner_ip;
            default: accept;
        }
    }

    state parse_gre {
        meta.tunnel.type = tunnel_type_t.GRE;
        meta.tunnel.header_length = GRE_BYTES;
        packet.extract(hdr.gre);
        transition select(hdr.gre.checksum_present, hdr.gre.routing_present, hdr.gre.key_present,
                          hdr.gre.sequence_present, hdr.gre.version) {
            (0, 0, 0, 0, 0): parse_gre_payload;
            (0, 0, 1, _, 0): parse_gre_key;
            (0, 0, 0, 1, 0): parse_gre_sequence;
            default:         accept;
        }
    }

    state parse_gre_key {
        packet.extract(hdr.gre_key);
        meta.tunnel.header_length = GRE_BYTES + GRE_KEY_BYTES;
        transition select(hdr.gre.sequence_present) {
            1: parse_gre_sequence;
            0: parse_gre_payload;
        }
    }

    state parse_gre_sequence {
        packet.extract(hdr.gre_sequence);
        meta.tunnel.header_length = meta.tunnel.header_length + GRE_SEQUENCE_BYTES;
        transition parse_gre_payload;
    }

    state parse_gre_payload {
        transition select(hdr.gre.protocol_type) {
            ether_type_t.IPV4: parse_inner_ipv4;
            ether_type_t.IPV6: parse_inner_ipv6;
            default:           accept;
        }
    }

    state parse_ipip_ipv4 {
        meta.tunnel.type = tunnel_type_t.IPIP;
        transition parse_inner_ipv4;
    }

    state parse_ipip_ipv6 {
        meta.tunnel.type = tunnel_type_t.IPIP;
        transition parse_inner_ipv6;
    }

    // ---- what a tunnel carries: the same again, without tunnels

    state parse_inner_ethernet {
        packet.extract(hdr.inner_ethernet);
        transition select(hdr.inner_ethernet.ether_type) {
            ether_type_t.ARP:  parse_inner_arp;
            ether_type_t.IPV4: parse_inner_ipv4;
            ether_type_t.IPV6: parse_inner_ipv6;
            default:           accept;
        }
    }

    state parse_inner_ip {
        transition select(packet.lookahead<bit<4>>()) {
            4:       parse_inner_ipv4;
            6:       parse_inner_ipv6;
            default: accept;
        }
    }

    state parse_inner_arp {
        transition select(packet.lookahead<bit<48>>()) {
            ARP_ETHERNET_IPV4: parse_inner_arp_ethernet_ipv4;
            default:           accept;
        }
    }

    state parse_inner_arp_ethernet_ipv4 {
        packet.extract(hdr.inner_arp);
        transition accept;
    }

    state parse_inner_ipv4 {
        packet.extract(hdr.inner_ipv4);
        transition select(hdr.inner_ipv4.ihl) {
            0 .. 4:  accept;
            5:       parse_inner_ipv4_payload;
            default: parse_inner_ipv4_options;
        }
    }

    state parse_inner_ipv4_options {
        packet.extract(hdr.inner_ipv4_options, ((bit<32>)hdr.inner_ipv4.ihl - 5) << 5);
        transition parse_inner_ipv4_payload;
    }

    state parse_inner_ipv4_payload {
        transition select(hdr.inner_ipv4.fragment_offset, hdr.inner_ipv4.protocol) {
            (0, ip_protocol_t.TCP):  parse_inner_tcp;
            (0, ip_protocol_t.UDP):  parse_inner_udp;
            (0, ip_protocol_t.ICMP): parse_inner_icmp;
            default:                 accept;
        }
    }

    state parse_inner_ipv6 {
        packet.extract(hdr.inner_ipv6);
        transition select(hdr.inner_ipv6.next_header) {
            ip_protocol_t.IPV6_FRAGMENT: parse_inner_ipv6_fragment;
            ip_protocol_t.TCP:           parse_inner_tcp;
            ip_protocol_t.UDP:           parse_inner_udp;
            ip_protocol_t.ICMPV6:        parse_inner_icmpv6;
            default:                     accept;
        }
    }

    state parse_inner_ipv6_fragment {
        packet.extract(hdr.inner_ipv6_fragment);
        transition select(hdr.inner_ipv6_fragment.fragment_offset, hdr.inner_ipv6_fragment.next_header) {
            (0, ip_protocol_t.TCP):    parse_inner_tcp;
            (0, ip_protocol_t.UDP):    parse_inner_udp;
            (0, ip_protocol_t.ICMPV6): parse_inner_icmpv6;
            default:                   accept;
        }
    }

    state parse_inner_tcp {
        packet.extract(hdr.inner_tcp);
        transition accept;
    }

    state parse_inner_udp {
        packet.extract(hdr.inner_udp);
        transition accept;
    }

    state parse_inner_icmp {
        packet.extract(hdr.inner_icmp);
        transition select(hdr.inner_icmp.type) {
            icmp_type_t.ECHO_REQUEST: parse_inner_icmp_echo;
            icmp_type_t.ECHO_REPLY:   parse_inner_icmp_echo;
            default:                  accept;
        }
    }

    state parse_inner_icmpv6 {
        packet.extract(hdr.inner_icmp);
        transition select(hdr.inner_icmp.type) {
            icmpv6_type_t.ECHO_REQUEST: parse_inner_icmp_echo;
            icmpv6_type_t.ECHO_REPLY:   parse_inner_icmp_echo;
            default:                    accept;
        }
    }

    state parse_inner_icmp_echo {
        packet.extract(hdr.inner_icmp_echo);
        transition accept;
    }
}

control FrameDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.packet_in);
        packet.emit(hdr.underlay_ethernet);
        packet.emit(hdr.underlay_tag);
        packet.emit(hdr.underlay_ipv4);
        packet.emit(hdr.underlay_ipv6);
        packet.emit(hdr.underlay_udp);
        packet.emit(hdr.underlay_vxlan);
        packet.emit(hdr.underlay_geneve);
        packet.emit(hdr.underlay_geneve_option);
        packet.emit(hdr.underlay_gtpu);
        packet.emit(hdr.underlay_gre);
        packet.emit(hdr.underlay_gre_key);
        packet.emit(hdr.ethernet);
        packet.emit(hdr.outer_tag);
        packet.emit(hdr.arp);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.ipv4_options);
        packet.emit(hdr.ipv6);
        packet.emit(hdr.ipv6_fragment);
        packet.emit(hdr.icmp);
        packet.emit(hdr.icmp_echo);
        packet.emit(hdr.tcp);
        packet.emit(hdr.udp);
        packet.emit(hdr.vxlan);
        packet.emit(hdr.geneve);
        packet.emit(hdr.geneve_options);
        packet.emit(hdr.gtpu);
        packet.emit(hdr.gtpu_optional);
        packet.emit(hdr.gtpu_extension);
        packet.emit(hdr.gre);
        packet.emit(hdr.gre_key);
        packet.emit(hdr.gre_sequence);
        packet.emit(hdr.inner_ethernet);
        packet.emit(hdr.inner_arp);
        packet.emit(hdr.inner_ipv4);
        packet.emit(hdr.inner_ipv4_options);
        packet.emit(hdr.inner_ipv6);
        packet.emit(hdr.inner_ipv6_fragment);
        packet.emit(hdr.inner_icmp);
        packet.emit(hdr.inner_icmp_echo);
        packet.emit(hdr.inner_tcp);
        packet.emit(hdr.inner_udp);
    }
}

#endif
