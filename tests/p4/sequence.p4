// SPDX-License-Identifier: Apache-2.0
// State that packets share, behind a table: packets that run together must meet it in order of arrival.
#include <core.p4>
#include <v1model.p4>

header stamp_t {
    bit<8>  flow;
    bit<8>  skip;
    bit<16> sequence;
}

struct headers_t {
    stamp_t stamp;
}

struct metadata_t { }

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.stamp);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    register<bit<16>>(16) sequences;
    meter(16, MeterType.packets) policer;

    action set_flow(bit<8> flow) {
        hdr.stamp.flow = flow;
    }

    action police() {
        policer.execute_meter((bit<32>) hdr.stamp.flow, hdr.stamp.skip);
    }

    action next_sequence() {
        sequences.read(hdr.stamp.sequence, (bit<32>) hdr.stamp.flow);
        hdr.stamp.sequence = hdr.stamp.sequence + 1;
        sequences.write((bit<32>) hdr.stamp.flow, hdr.stamp.sequence);
    }

    table flows {
        key = { hdr.stamp.flow : exact; }
        actions = { set_flow; NoAction; }
    }

    table policed {
        key = { hdr.stamp.flow : exact; }
        actions = { police; NoAction; }
    }

    table reset {
        key = { hdr.stamp.sequence : exact; }
        actions = { next_sequence; NoAction; }
    }

    apply {
        std.egress_spec = 1;
        if (hdr.stamp.skip == 0) {
            flows.apply();
            policed.apply();
        }
        next_sequence();
        reset.apply();
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Compute(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply { packet.emit(hdr); }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Compute(), Deparse()) main;
