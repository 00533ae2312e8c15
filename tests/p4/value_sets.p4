// SPDX-License-Identifier: Apache-2.0
// Selects of every form: parser value sets of one and of several fields, beside constants, masks and ranges, over
// fields, metadata and lookahead, in orders where the first that matches decides.
#include <core.p4>
#include <v1model.p4>

header outer_t {
    bit<16> type;
    bit<12> tag;
    bit<4>  flags;
}

header inner_t {
    bit<5>  kind;
    bit<11> number;
}

header trail_t {
    bit<8> path;
}

struct headers_t {
    trail_t trail;
    outer_t outer;
    inner_t inner;
}

struct metadata_t {
    bit<8> path;
    bit<9> port;
}

struct pair_t {
    bit<12> tag;
    bit<4>  flags;
}

struct triple_t {
    bit<5>  kind;
    bit<9>  port;
    bit<16> next;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    value_set<bit<16>>(4) types;
    value_set<pair_t>(3) pairs;
    value_set<triple_t>(2) triples;

    state start {
        packet.extract(hdr.outer);
        meta.port = std.ingress_port;
        transition select(hdr.outer.type) {
            0x0800:            by_pair;
            0x8000 &&& 0xF000: by_triple;
            types:             listed;
            0x0100 .. 0x01FF:  by_pair;
            default:           unlisted;
        }
    }

    state listed {
        meta.path = meta.path | 1;
        transition by_pair;
    }

    state unlisted {
        meta.path = meta.path | 2;
        transition accept;
    }

    state by_pair {
        transition select(hdr.outer.tag, hdr.outer.flags) {
            (0, 0):               accept;
            pairs:                paired;
            (0x100 .. 0x1FF, _):  by_triple;
            (_, 0x8 &&& 0x8):     unlisted;
            default:              by_triple;
        }
    }

    state paired {
        meta.path = meta.path | 4;
        transition by_triple;
    }

    state by_triple {
        packet.extract(hdr.inner);
        transition select(hdr.inner.kind, meta.port, packet.lookahead<bit<16>>()) {
            triples:     tripled;
            (1, _, _):   unlisted;
            (2, 3, _):   listed;
            default:     accept;
        }
    }

    state tripled {
        meta.path = meta.path | 8;
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
        hdr.trail.setValid();
        hdr.trail.path = meta.path;
        if (std.parser_error != error.NoError) {
            hdr.trail.path = hdr.trail.path | 0x80;
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.trail);
        packet.emit(hdr.outer);
        packet.emit(hdr.inner);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
