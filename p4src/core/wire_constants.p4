// SPDX-License-Identifier: Apache-2.0
// Numbers that standards bodies assign; those that one program alone needs stand in its folder.
// tests/p4src/test_wire_constants.py compares each with Scapy's.
#ifndef CORE_WIRE_CONSTANTS_P4
#define CORE_WIRE_CONSTANTS_P4

enum bit<16> ether_type_t {
    IPV4 = 0x0800,
    ARP  = 0x0806,
    VLAN = 0x8100,  // IEEE 802.1Q C-tag
    IPV6 = 0x86dd,
    QINQ = 0x88a8,  // IEEE 802.1ad S-tag
    TEB  = 0x6558   // transparent Ethernet bridging, RFC 7637
}

enum bit<8> ip_protocol_t {
    IPV6_HOP_BY_HOP  = 0,
    ICMP             = 1,
    IPV4             = 4,
    TCP              = 6,
    UDP              = 17,
    IPV6             = 41,
    IPV6_ROUTING     = 43,
    IPV6_FRAGMENT    = 44,
    GRE              = 47,
    ICMPV6           = 58,
    IPV6_DESTINATION = 60
}

enum bit<16> arp_operation_t {
    REQUEST = 1,
    REPLY   = 2
}

enum bit<2> ecn_t {
    NOT_ECT = 0,
    ECT_1   = 1,
    ECT_0   = 2,
    CE      = 3
}

enum bit<8> tcp_flag_t {
    FIN = 0x01,
    SYN = 0x02,
    RST = 0x04,
    ACK = 0x10
}

enum bit<16> udp_port_t {
    GTPU   = 2152,
    VXLAN  = 4789,
    GENEVE = 6081
}

const bit<48> ARP_ETHERNET_IPV4 = 0x0001_0800_06_04;  // HTYPE, PTYPE, HLEN, PLEN (RFC 826)

enum bit<8> icmp_type_t {
    ECHO_REPLY              = 0,
    DESTINATION_UNREACHABLE = 3,
    ECHO_REQUEST            = 8,
    TIME_EXCEEDED           = 11,
    PARAMETER_PROBLEM       = 12
}

enum bit<8> icmpv6_type_t {
    ECHO_REQUEST           = 128,
    ECHO_REPLY             = 129,
    NEIGHBOR_SOLICITATION  = 135,
    NEIGHBOR_ADVERTISEMENT = 136
}

const ipv4_addr_t IPV4_LIMITED_BROADCAST = 0xffff_ffff;
const bit<8>      ND_HOP_LIMIT           = 255;  // RFC 4861 7.1

const bit<16> ETHERNET_BYTES  = 14;
const bit<16> VLAN_TAG_BYTES  = 4;
const bit<16> IPV6_BYTES      = 40;
const bit<16> TCP_MIN_BYTES   = 20;
const bit<16> UDP_BYTES       = 8;

#endif
