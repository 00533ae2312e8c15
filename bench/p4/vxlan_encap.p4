// SPDX-License-Identifier: Apache-2.0
// VXLAN encapsulation (RFC 7348): the inner destination MAC names the tunnel, the inner flow the outer source port.
#include <core.p4>
#include <v1model.p4>

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;

const bit<16> ETHER_TYPE_IPV4 = 0x0800;
const bit<8>  PROTOCOL_UDP = 17;
const bit<16> VXLAN_PORT = 4789;

const bit<16> IPV4_BYTES = 20;
const bit<16> UDP_BYTES = 8;
const bit<16> VXLAN_BYTES = 8;

// The source ports of RFC 7348, 5: the dynamic range of RFC 6335.
const bit<16> FIRST_DYNAMIC_PORT = 49152;
const bit<32> DYNAMIC_PORTS = 16384;

header ethernet_t {
    mac_addr_t dst;
    mac_addr_t src;
    bit<16>    ether_type;
}

header ipv4_t {
    bit<4>      version;
    bit<4>      ihl;
    bit<8>      tos;
    bit<16>     total_length;
    bit<16>     identification;
    bit<3>      flags;
    bit<13>     fragment_offset;
    bit<8>      ttl;
    bit<8>      protocol;
    bit<16>     checksum;
    ipv4_addr_t src;
    ipv4_addr_t dst;
}

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

header vxlan_t {
    bit<8>  flags;
    bit<24> reserved;
    bit<24> vni;
    bit<8>  reserved2;
}

struct headers_t {
    ethernet_t outer_ethernet;
    ipv4_t     outer_ipv4;
    udp_t      outer_udp;
    vxlan_t    vxlan;
    ethernet_t ethernet;
    ipv4_t     ipv4;
    udp_t      udp;
}

struct metadata_t { }

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            ETHER_TYPE_IPV4: ipv4;
            default: accept;
        }
    }

    state ipv4 {
        packet.extract(hdr.ipv4);
        transition select(hdr.ipv4.protocol) {
            PROTOCOL_UDP: udp;
            default: accept;
        }
    }

    state udp {
        packet.extract(hdr.udp);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Encapsulate(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action drop() {
        mark_to_drop(std);
    }

    action encapsulate(
        mac_addr_t next_hop_mac, mac_addr_t own_mac, ipv4_addr_t local, ipv4_addr_t remote, bit<24> vni, bit<9> port
    ) {
        bit<16> frame_bytes = (bit<16>)std.packet_length;

        hdr.vxlan = { 0x08, 0, vni, 0 };
        hdr.outer_udp = { 0, VXLAN_PORT, UDP_BYTES + VXLAN_BYTES + frame_bytes, 0 };
        hash(
            hdr.outer_udp.src_port,
            HashAlgorithm.crc32,
            FIRST_DYNAMIC_PORT,
            { hdr.ipv4.src, hdr.ipv4.dst, hdr.ipv4.protocol, hdr.udp.src_port, hdr.udp.dst_port },
            DYNAMIC_PORTS
        );
        hdr.outer_ipv4 = {
            4, 5, 0, IPV4_BYTES + UDP_BYTES + VXLAN_BYTES + frame_bytes, 0, 0b010, 0, 64, PROTOCOL_UDP, 0, local, remote
        };
        hdr.outer_ethernet = { next_hop_mac, own_mac, ETHER_TYPE_IPV4 };
        std.egress_spec = port;
    }

    table tunnel {
        key = { hdr.ethernet.dst : exact; }
        actions = { encapsulate; @defaultonly drop; }
        const default_action = drop();
        size = 65536;
    }

    apply {
        tunnel.apply();
    }
}

control Unchanged(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(
            hdr.outer_ipv4.isValid(),
            {
                hdr.outer_ipv4.version, hdr.outer_ipv4.ihl, hdr.outer_ipv4.tos, hdr.outer_ipv4.total_length,
                hdr.outer_ipv4.identification, hdr.outer_ipv4.flags, hdr.outer_ipv4.fragment_offset,
                hdr.outer_ipv4.ttl, hdr.outer_ipv4.protocol, hdr.outer_ipv4.src, hdr.outer_ipv4.dst
            },
            hdr.outer_ipv4.checksum,
            HashAlgorithm.csum16
        );
    }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr);
    }
}

V1Switch(Parse(), Verify(), Encapsulate(), Unchanged(), Update(), Deparse()) main;
