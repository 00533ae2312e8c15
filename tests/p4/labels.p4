// SPDX-License-Identifier: Apache-2.0
// A stack of labels, parsed in a loop and popped; what follows is chosen by a select under masks.
#include <core.p4>
#include <v1model.p4>

header label_t {
    bit<20> label;
    bit<3>  traffic_class;
    bit<1>  bottom;
    bit<8>  ttl;
}

header options_t {
    bit<8>         length;
    varbit<248>    data;
}

struct headers_t {
    label_t[3] labels;
    options_t  options;
}

struct metadata_t { }

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.labels.next);
        transition select(hdr.labels.last.bottom) {
            0: start;
            1: parse_payload;
        }
    }
    state parse_payload {
        transition select(packet.lookahead<bit<8>>(), hdr.labels.last.traffic_class) {
            (0 &&& 0xe0, 7): parse_options;
            (0x20 .. 0x2f, _): skip;
            default: accept;
        }
    }
    state parse_options {
        packet.extract(hdr.options, (bit<32>) packet.lookahead<bit<8>>() << 3);
        transition accept;
    }
    state skip {
        packet.advance(16);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        if (std.parser_error != error.NoError) {
            std.egress_spec = 2;
        } else if (hdr.labels[1].isValid()) {
            hdr.labels.pop_front(1);
        }
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
