// SPDX-License-Identifier: Apache-2.0
// Tables for the control path to fill: a large exact one with a 16-byte key, an access list, and a digest to learn by.
#include <core.p4>
#include <v1model.p4>

const bit<16> ETHER_TYPE_IPV6 = 0x86dd;

header ethernet_t {
    bit<48> dst;
    bit<48> src;
    bit<16> ether_type;
}

header ipv6_t {
    bit<4>   version;
    bit<8>   traffic_class;
    bit<20>  flow_label;
    bit<16>  payload_length;
    bit<8>   next_header;
    bit<8>   hop_limit;
    bit<128> src;
    bit<128> dst;
}

struct headers_t {
    ethernet_t ethernet;
    ipv6_t     ipv6;
}

struct metadata_t {}

struct learned_t {
    bit<48> src;
    bit<9>  port;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.ethernet);
        transition select(hdr.ethernet.ether_type) {
            ETHER_TYPE_IPV6: ipv6;
            default: accept;
        }
    }

    state ipv6 {
        packet.extract(hdr.ipv6);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action drop() {
        mark_to_drop(std);
    }

    action forward(bit<9> port, bit<48> dst) {
        std.egress_spec = port;
        hdr.ethernet.dst = dst;
    }

    table hosts {
        key = { hdr.ipv6.dst: exact @name("dst"); }
        actions = { forward; @defaultonly NoAction; }
        const default_action = NoAction;
        size = 1 << 20;
    }

    table acl {
        key = {
            hdr.ipv6.src: ternary @name("src");
            hdr.ipv6.dst: ternary @name("dst");
            hdr.ipv6.next_header: ternary @name("proto");
        }
        actions = { drop; @defaultonly NoAction; }
        const default_action = NoAction;
        size = 1 << 17;
    }

    apply {
        digest<learned_t>(1, { hdr.ethernet.src, std.ingress_port });
        if (hdr.ipv6.isValid()) {
            hosts.apply();
            acl.apply();
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {}
}

control Compute(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.ethernet);
        packet.emit(hdr.ipv6);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Compute(), Deparse()) main;
