// SPDX-License-Identifier: Apache-2.0
// Parser and deparser, side by side in one order. Addresses and ports are copied to meta.lookup on the way, so that
// stages match either address family by one name.
#ifndef CORE_NIC_PARSER_P4
#define CORE_NIC_PARSER_P4

#include "headers.p4"
#include "metadata.p4"

const bit<8> MAX_EXTENSION_UNITS = 31;  // of 8 octets beyond the first: 256 bytes

parser FrameParser(packet_in packet, out headers_t hdr, inout meta_t meta) {
    state start {
        transition select(meta.frame.ingress_port) {
            CPU_PORT:  parse_packet_out;
            HOST_PORT: parse_nic_tx_desc;
            default:   parse_ethernet;
        }
    }

    state parse_packet_out {
        packet.extract(hdr.packet_out);
        meta.frame.length = meta.frame.length - 7;
        transition parse_ethernet;
    }

    state parse_nic_tx_desc {
        packet.extract(hdr.nic_tx_desc);
        meta.frame.length = meta.frame.length - 6;
        transition parse_ethernet;
    }

    state parse_ethernet {
        packet.extract(hdr.ethernet);
        meta.frame.l2_length = ETHERNET_BYTES;
        transition select(hdr.ethernet.ether_type) {
            ether_type_t.VLAN: parse_outer_tag;
            ether_type_t.QINQ: parse_outer_tag;
            ether_type_t.ARP:  parse_arp;
            ether_type_t.IPV4: parse_ipv4;
            ether_type_t.IPV6: parse_ipv6;
            default:           accept;
        }
    }

    state parse_outer_tag {
        packet.extract(hdr.outer_tag);
        meta.frame.l2_length = ETHERNET_BYTES + VLAN_TAG_BYTES;
        transition select(hdr.outer_tag.ether_type) {
            ether_type_t.VLAN: parse_inner_tag;
            ether_type_t.ARP:  parse_arp;
            ether_type_t.IPV4: parse_ipv4;
            ether_type_t.IPV6: parse_ipv6;
            default:           accept;
        }
    }

    // A tag under the one that names our VLAN is the tenant's own and stays where it is: what follows is looked at for
    // hashing and validation all the same.
    state parse_inner_tag {
        packet.extract(hdr.inner_tag);
        meta.frame.l2_length = ETHERNET_BYTES + VLAN_TAG_BYTES + VLAN_TAG_BYTES;
        transition select(hdr.inner_tag.ether_type) {
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

    // ---- IPv4

    state parse_ipv4 {
        packet.extract(hdr.ipv4);
        meta.lookup.is_ip = true;
        meta.lookup.src_addr = (bit<128>)hdr.ipv4.src_addr;
        meta.lookup.dst_addr = (bit<128>)hdr.ipv4.dst_addr;
        meta.lookup.protocol = hdr.ipv4.protocol;
        meta.lookup.l4_length = hdr.ipv4.total_length - ((bit<16>)hdr.ipv4.ihl << 2);
        transition select(hdr.ipv4.ihl) {
            0 .. 4:  accept;  // validation drops it
            5:       parse_ipv4_payload;
            default: parse_ipv4_options;
        }
    }

    state parse_ipv4_options {
        packet.extract(hdr.ipv4_options, ((bit<32>)hdr.ipv4.ihl - 5) << 5);
        meta.lookup.needs_stack = true;  // RFC 1812 5.2.4, 5.3.13: options are the router's to process
        transition parse_ipv4_payload;
    }

    state parse_ipv4_payload {
        transition select(hdr.ipv4.more_fragments, hdr.ipv4.fragment_offset) {
            (0, 0):  parse_transport;
            (1, 0):  parse_first_fragment;
            default: parse_later_fragment;
        }
    }

    state parse_first_fragment {
        meta.lookup.is_fragment = true;
        transition parse_transport;
    }

    state parse_later_fragment {
        meta.lookup.is_fragment = true;
        transition accept;
    }

    // ---- IPv6: extension headers in the order RFC 8200 4.1 recommends, each at most once and at most 256 bytes long.
    // Behind anything else the transport header is unknown, and the packet is treated as one without ports.

    state parse_ipv6 {
        packet.extract(hdr.ipv6);
        meta.lookup.is_ip = true;
        meta.lookup.src_addr = hdr.ipv6.src_addr;
        meta.lookup.dst_addr = hdr.ipv6.dst_addr;
        meta.lookup.protocol = hdr.ipv6.next_header;
        meta.lookup.l4_length = hdr.ipv6.payload_length;
        transition select(hdr.ipv6.next_header) {
            ip_protocol_t.IPV6_HOP_BY_HOP: parse_hop_by_hop;
            default:                       parse_before_destination;
        }
    }

    state parse_hop_by_hop {
        meta.lookup.needs_stack = true;  // RFC 8200 4.3, RFC 2711
        transition select(packet.lookahead<bit<16>>()[7:0]) {
            0 .. MAX_EXTENSION_UNITS: extract_hop_by_hop;
            default:                  accept;
        }
    }

    state extract_hop_by_hop {
        packet.extract(hdr.ipv6_hop_by_hop, ((bit<32>)packet.lookahead<bit<16>>()[7:0] << 6) + 48);
        meta.lookup.protocol = hdr.ipv6_hop_by_hop.next_header;
        meta.lookup.l4_length = meta.lookup.l4_length - 8 - ((bit<16>)hdr.ipv6_hop_by_hop.header_ext_length << 3);
        transition parse_before_destination;
    }

    state parse_before_destination {
        transition select(meta.lookup.protocol) {
            ip_protocol_t.IPV6_DESTINATION: parse_destination;
            default:                        parse_before_routing;
        }
    }

    state parse_destination {
        transition select(packet.lookahead<bit<16>>()[7:0]) {
            0 .. MAX_EXTENSION_UNITS: extract_destination;
            default:                  accept;
        }
    }

    state extract_destination {
        packet.extract(hdr.ipv6_destination, ((bit<32>)packet.lookahead<bit<16>>()[7:0] << 6) + 48);
        meta.lookup.protocol = hdr.ipv6_destination.next_header;
        meta.lookup.l4_length = meta.lookup.l4_length - 8 - ((bit<16>)hdr.ipv6_destination.header_ext_length << 3);
        transition parse_before_routing;
    }

    state parse_before_routing {
        transition select(meta.lookup.protocol) {
            ip_protocol_t.IPV6_ROUTING: parse_routing;
            default:                    parse_before_fragment;
        }
    }

    state parse_routing {
        transition select(packet.lookahead<bit<16>>()[7:0]) {
            0 .. MAX_EXTENSION_UNITS: extract_routing;
            default:                  accept;
        }
    }

    state extract_routing {
        packet.extract(hdr.ipv6_routing, ((bit<32>)packet.lookahead<bit<16>>()[7:0] << 6) + 48);
        meta.lookup.protocol = hdr.ipv6_routing.next_header;
        meta.lookup.l4_length = meta.lookup.l4_length - 8 - ((bit<16>)hdr.ipv6_routing.header_ext_length << 3);
        transition parse_before_fragment;
    }

    state parse_before_fragment {
        transition select(meta.lookup.protocol) {
            ip_protocol_t.IPV6_FRAGMENT: parse_fragment;
            default:                     parse_before_last_destination;
        }
    }

    state parse_fragment {
        packet.extract(hdr.ipv6_fragment);
        meta.lookup.is_fragment = true;
        meta.lookup.protocol = hdr.ipv6_fragment.next_header;
        meta.lookup.l4_length = meta.lookup.l4_length - 8;
        transition select(hdr.ipv6_fragment.fragment_offset) {
            0:       parse_before_last_destination;
            default: accept;
        }
    }

    state parse_before_last_destination {
        transition select(meta.lookup.protocol) {
            ip_protocol_t.IPV6_DESTINATION: parse_last_destination;
            default:                        parse_transport;
        }
    }

    state parse_last_destination {
        transition select(packet.lookahead<bit<16>>()[7:0]) {
            0 .. MAX_EXTENSION_UNITS: extract_last_destination;
            default:                  accept;
        }
    }

    state extract_last_destination {
        packet.extract(hdr.ipv6_last_destination, ((bit<32>)packet.lookahead<bit<16>>()[7:0] << 6) + 48);
        meta.lookup.protocol = hdr.ipv6_last_destination.next_header;
        meta.lookup.l4_length =
            meta.lookup.l4_length - 8 - ((bit<16>)hdr.ipv6_last_destination.header_ext_length << 3);
        transition parse_transport;
    }

    // ---- transport

    state parse_transport {
        transition select(meta.lookup.protocol) {
            ip_protocol_t.TCP:    parse_tcp;
            ip_protocol_t.UDP:    parse_udp;
            ip_protocol_t.ICMP:   parse_icmp;
            ip_protocol_t.ICMPV6: parse_icmp;
            default:              accept;
        }
    }

    state parse_tcp {
        packet.extract(hdr.tcp);
        meta.lookup.src_port = hdr.tcp.src_port;
        meta.lookup.dst_port = hdr.tcp.dst_port;
        transition accept;
    }

    state parse_udp {
        packet.extract(hdr.udp);
        meta.lookup.src_port = hdr.udp.src_port;
        meta.lookup.dst_port = hdr.udp.dst_port;
        transition accept;
    }

    state parse_icmp {
        packet.extract(hdr.icmp);
        transition accept;
    }
}

control FrameDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.packet_in);
        packet.emit(hdr.packet_out);
        packet.emit(hdr.nic_rx_desc);
        packet.emit(hdr.nic_tx_desc);
        packet.emit(hdr.ethernet);
        packet.emit(hdr.outer_tag);
        packet.emit(hdr.inner_tag);
        packet.emit(hdr.arp);
        packet.emit(hdr.ipv4);
        packet.emit(hdr.ipv4_options);
        packet.emit(hdr.ipv6);
        packet.emit(hdr.ipv6_hop_by_hop);
        packet.emit(hdr.ipv6_destination);
        packet.emit(hdr.ipv6_routing);
        packet.emit(hdr.ipv6_fragment);
        packet.emit(hdr.ipv6_last_destination);
        packet.emit(hdr.icmp);
        packet.emit(hdr.tcp);
        packet.emit(hdr.udp);
    }
}

#endif
