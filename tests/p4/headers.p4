// SPDX-License-Identifier: Apache-2.0
// All that a parser can meet: stacks, a union, a varbit field, lookahead, verify, advance, a value set, checksums.
#include <core.p4>
#include <v1model.p4>

header kind_t {
    bit<8> kind;
    bit<8> next;
}

header label_t {
    bit<20> label;
    bit<3>  traffic_class;
    bit<1>  bottom;
    bit<8>  ttl;
}

header short_t {
    bit<16> value;
}

header long_t {
    bit<32> value;
}

header_union number_t {
    short_t small;
    long_t  large;
}

header options_t {
    bit<8>      length;
    varbit<64>  data;
    bit<8>      trailer;
}

header summed_t {
    bit<16> checksum;
    int<8>  signed;
    bit<8>  flag;
}

header verdict_t {
    bit<8>  parser_error;
    bit<8>  checksum_error;
    bit<8>  sign;
    bit<8>  depth;
}

struct headers_t {
    kind_t      kind;
    label_t[3]  labels;
    number_t    number;
    options_t   options;
    summed_t    summed;
    verdict_t   verdict;
}

struct metadata_t {
    bit<8> depth;
    bit<16> seen;
}

error { LabelTooGreat }

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    value_set<bit<8>>(4) strangers;

    state start {
        meta.depth = 0;
        packet.extract(hdr.kind);
        transition select(hdr.kind.kind) {
            1: labels;
            2: short_number;
            3: long_number;
            4: options;
            5: summed;
            6: skip;
            7: peek;
            8 .. 9: short_number;
            0x20 &&& 0xF0: long_number;
            strangers: summed;
            255: endless;
            default: accept;
        }
    }

    state labels {
        packet.extract(hdr.labels.next);
        verify(hdr.labels.last.label < 0xF0000, error.LabelTooGreat);
        meta.depth = meta.depth + 1;
        transition select(hdr.labels.last.bottom) {
            1: accept;
            0: labels;
        }
    }

    state short_number {
        packet.extract(hdr.number.small);
        transition accept;
    }

    state long_number {
        packet.extract(hdr.number.large);
        transition accept;
    }

    state options {
        bit<8> length = packet.lookahead<bit<8>>();
        packet.extract(hdr.options, (bit<32>) length * 8);
        transition accept;
    }

    state summed {
        packet.extract(hdr.summed);
        transition accept;
    }

    state skip {
        packet.advance((bit<32>) hdr.kind.next);
        transition accept;
    }

    state peek {
        meta.seen = packet.lookahead<bit<16>>();
        transition accept;
    }

    state endless {
        transition endless;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum_with_payload(hdr.summed.isValid(), { hdr.summed.signed, hdr.summed.flag }, hdr.summed.checksum,
                                     HashAlgorithm.csum16);
    }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        hdr.verdict.setValid();
        hdr.verdict.checksum_error = (bit<8>) std.checksum_error;
        if (std.parser_error == error.PacketTooShort) {
            hdr.verdict.parser_error = 1;
        } else if (std.parser_error == error.StackOutOfBounds) {
            hdr.verdict.parser_error = 2;
        } else if (std.parser_error == error.HeaderTooShort) {
            hdr.verdict.parser_error = 3;
        } else if (std.parser_error == error.ParserInvalidArgument) {
            hdr.verdict.parser_error = 4;
        } else if (std.parser_error == error.ParserTimeout) {
            hdr.verdict.parser_error = 5;
        } else if (std.parser_error == error.LabelTooGreat) {
            hdr.verdict.parser_error = 6;
        } else if (std.parser_error != error.NoError) {
            hdr.verdict.parser_error = 99;
        }
        if (hdr.summed.isValid() && hdr.summed.signed < 0) {
            hdr.verdict.sign = 1;
        }
        hdr.verdict.depth = meta.depth;
        if (!hdr.kind.isValid()) {
            return;
        }
        if (hdr.kind.next == 1) {
            hdr.labels.push_front(1);
            hdr.labels[0].setValid();
            hdr.labels[0].label = 0xAAAAA;
        } else if (hdr.kind.next == 2) {
            hdr.labels.pop_front(1);
        } else if (hdr.kind.next == 3) {
            hdr.number.large.setValid();
            hdr.number.large.value = 0x01020304;
        } else if (hdr.kind.next == 4 && meta.depth > 0) {
            hdr.labels[hdr.labels[0].ttl].label = 0xBBBBB;
        }
        if (hdr.kind.kind == 7) {
            hdr.verdict.depth = meta.seen[7:0];
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum_with_payload(hdr.summed.isValid(), { hdr.summed.signed, hdr.summed.flag }, hdr.summed.checksum,
                                     HashAlgorithm.csum16);
    }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.verdict);
        packet.emit(hdr.kind);
        packet.emit(hdr.labels);
        packet.emit(hdr.number);
        packet.emit(hdr.options);
        packet.emit(hdr.summed);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
