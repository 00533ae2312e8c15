// SPDX-License-Identifier: Apache-2.0
// An IPv4 router of six tables: where a packet came in, its VRF, a host route or else a prefix, the next hop, its MACs.
#include <core.p4>
#include <v1model.p4>

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;
typedef bit<16> bd_t;
typedef bit<12> vrf_t;
typedef bit<16> nexthop_t;

const bit<16> ETHER_TYPE_IPV4 = 0x0800;

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

struct headers_t {
    ethernet_t ethernet;
    ipv4_t     ipv4;
}

struct metadata_t {
    bd_t      bd;
    vrf_t     vrf;
    nexthop_t nexthop;
}

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
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Route(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action drop() {
        mark_to_drop(std);
        exit;
    }

    action set_bd(bd_t bd) {
        meta.bd = bd;
    }

    action set_vrf(vrf_t vrf) {
        meta.vrf = vrf;
    }

    action set_nexthop(nexthop_t nexthop) {
        meta.nexthop = nexthop;
    }

    action set_egress_port(bit<9> port) {
        std.egress_spec = port;
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
    }

    table port_mapping {
        key = { std.ingress_port : exact; }
        actions = { set_bd; @defaultonly drop; }
        const default_action = drop();
        size = 512;
    }

    table bd {
        key = { meta.bd : exact; }
        actions = { set_vrf; @defaultonly drop; }
        const default_action = drop();
        size = 4096;
    }

    table ipv4_fib {
        key = {
            meta.vrf     : exact;
            hdr.ipv4.dst : exact;
        }
        actions = { set_nexthop; @defaultonly NoAction; }
        const default_action = NoAction();
        size = 131072;
    }

    table ipv4_fib_lpm {
        key = {
            meta.vrf     : exact;
            hdr.ipv4.dst : lpm;
        }
        actions = { set_nexthop; @defaultonly drop; }
        const default_action = drop();
        size = 32768;
    }

    table nexthop {
        key = { meta.nexthop : exact; }
        actions = { set_egress_port; @defaultonly drop; }
        const default_action = drop();
        size = 4096;
    }

    apply {
        if (!hdr.ipv4.isValid() || hdr.ipv4.ttl <= 1) {
            drop();
        }
        port_mapping.apply();
        bd.apply();
        if (!ipv4_fib.apply().hit) {
            ipv4_fib_lpm.apply();
        }
        nexthop.apply();
    }
}

control Rewrite(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action drop() {
        mark_to_drop(std);
    }

    action set_macs(mac_addr_t src, mac_addr_t dst) {
        hdr.ethernet.src = src;
        hdr.ethernet.dst = dst;
    }

    table rewrite_mac {
        key = { meta.nexthop : exact; }
        actions = { set_macs; @defaultonly drop; }
        const default_action = drop();
        size = 4096;
    }

    apply {
        rewrite_mac.apply();
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(
            hdr.ipv4.isValid(),
            {
                hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.tos, hdr.ipv4.total_length, hdr.ipv4.identification,
                hdr.ipv4.flags, hdr.ipv4.fragment_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src, hdr.ipv4.dst
            },
            hdr.ipv4.checksum,
            HashAlgorithm.csum16
        );
    }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr);
    }
}

V1Switch(Parse(), Verify(), Route(), Rewrite(), Update(), Deparse()) main;
