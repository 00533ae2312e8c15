// SPDX-License-Identifier: Apache-2.0
// A switch that learns: digests, an entry written in the program, a selector, and a copy for who asked for it.
#include <core.p4>
#include <v1model.p4>

header ethernet_t {
    bit<48> destination;
    bit<48> source;
    bit<16> type;
}

struct headers_t {
    ethernet_t ethernet;
}

struct learned_t {
    bit<48> source;
    bit<9>  port;
}

struct metadata_t {
    @field_list(1)
    bit<9> port;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.ethernet);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action_selector(HashAlgorithm.crc32, 16, 16) ports;

    action learn() {
        digest<learned_t>(1, { hdr.ethernet.source, std.ingress_port });
    }

    action forward(bit<9> port) {
        std.egress_spec = port;
    }

    action flood(bit<16> group) {
        std.mcast_grp = group;
    }

    action drop() {
        mark_to_drop(std);
    }

    table known {
        key = { hdr.ethernet.source : exact; std.ingress_port : exact; }
        actions = { learn; NoAction; }
        default_action = learn;
    }

    table control_protocols {
        key = { hdr.ethernet.type : exact; }
        actions = { drop; NoAction; }
        const entries = {
            0x8809: drop();
            0x88cc: drop();
        }
        default_action = NoAction;
    }

    table destinations {
        key = {
            hdr.ethernet.destination : exact;
            hdr.ethernet.source : selector;
            hdr.ethernet.type : selector;
        }
        actions = { forward; flood; drop; }
        implementation = ports;
    }

    apply {
        meta.port = std.ingress_port;
        known.apply();
        destinations.apply();
        control_protocols.apply();
        if (hdr.ethernet.type == 0x1234) {
            clone_preserving_field_list(CloneType.I2E, 5, 1);
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        if (std.instance_type == 1) {
            hdr.ethernet.type = (bit<16>) meta.port;
        } else if (std.egress_port == meta.port) {
            mark_to_drop(std);
        }
    }
}

control Compute(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply { packet.emit(hdr); }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Compute(), Deparse()) main;
