// SPDX-License-Identifier: Apache-2.0
// Headers in rows: stacks that are filled, shifted, copied and indexed by the packet, a stack of unions, a union that
// changes its member, a varbit header that is copied and emptied, and a loop over TLVs that looks ahead.
#include <core.p4>
#include <v1model.p4>

header start_t {
    bit<8> verb;
    bit<8> index;
    bit<8> options_bytes;
    bit<8> layers;
}

header layer_t {
    bit<4>  kind;
    bit<3>  color;
    bit<1>  last;
    bit<16> label;
}

header one_t {
    bit<8> type;
    bit<8> value;
}

header two_t {
    bit<8>  type;
    bit<24> value;
}

header_union item_t {
    one_t one;
    two_t two;
}

header options_t {
    bit<4>       flags;
    bit<12>      id;
    varbit<256>  data;
    bit<16>      trailer;
}

header report_t {
    bit<8>  depth;
    bit<8>  last;
    bit<32> peeked;
    bit<8>  errors;
}

struct headers_t {
    start_t    start;
    options_t  options;
    options_t  saved_options;
    layer_t[4] layers;
    layer_t[4] spare;
    item_t[3]  items;
    item_t     item;
    report_t   report;
}

struct metadata_t {
    bit<8>  depth;
    bit<32> peeked;
    bit<8>  remaining;
    bit<8>  last;
}

error { TooManyLayers, StrangeLayer }

const bit<8> PUSH_ONE = 1;
const bit<8> PUSH_TWO = 2;
const bit<8> POP_ONE = 3;
const bit<8> POP_THREE = 4;
const bit<8> COPY_STACK = 5;
const bit<8> COPY_ELEMENT = 6;
const bit<8> WRITE_INDEXED = 7;
const bit<8> READ_INDEXED = 8;
const bit<8> INVALIDATE_INDEXED = 9;
const bit<8> CHANGE_UNION = 10;
const bit<8> COPY_UNION = 11;
const bit<8> SHIFT_ITEMS = 12;
const bit<8> SAVE_OPTIONS = 13;
const bit<8> EMPTY_OPTIONS = 14;
const bit<8> COMPARE = 15;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.start);
        meta.remaining = hdr.start.layers & 7;
        transition select(hdr.start.options_bytes) {
            0:       choose;
            default: options;
        }
    }

    state options {
        packet.extract(hdr.options, (bit<32>) hdr.start.options_bytes << 3);
        transition choose;
    }

    state choose {
        transition select(packet.lookahead<bit<4>>(), meta.remaining) {
            (_, 0):     items;
            (0x0, _):   layer;
            (0x1, _):   layer;
            (0x2, _):   strange;
            (0x3, _):   skip;
            default:    peek;
        }
    }

    state layer {
        packet.extract(hdr.layers.next);
        meta.depth = meta.depth + 1;
        meta.last = (bit<8>) hdr.layers.lastIndex;
        meta.remaining = meta.remaining - 1;
        verify(hdr.layers.last.label != 0xFFFF, error.TooManyLayers);
        transition select(hdr.layers.last.last) {
            1: items;
            0: choose;
        }
    }

    state strange {
        verify(false, error.StrangeLayer);
        transition accept;
    }

    state skip {
        packet.advance(24);
        meta.remaining = meta.remaining - 1;
        transition choose;
    }

    state peek {
        meta.peeked = packet.lookahead<bit<32>>();
        transition items;
    }

    state items {
        transition select(packet.lookahead<bit<8>>()) {
            1: item_one;
            2: item_two;
            3: single;
            default: accept;
        }
    }

    state item_one {
        packet.extract(hdr.items.next.one);
        transition items;
    }

    state item_two {
        packet.extract(hdr.items.next.two);
        transition items;
    }

    state single {
        packet.extract(hdr.item.one);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        hdr.report.setValid();
        hdr.report.depth = meta.depth;
        hdr.report.peeked = meta.peeked;
        hdr.report.last = meta.last;
        if (std.parser_error == error.NoError) {
            hdr.report.errors = 0;
        } else if (std.parser_error == error.PacketTooShort) {
            hdr.report.errors = 1;
        } else if (std.parser_error == error.StackOutOfBounds) {
            hdr.report.errors = 2;
        } else if (std.parser_error == error.TooManyLayers) {
            hdr.report.errors = 3;
        } else {
            hdr.report.errors = 4;
        }
        if (!hdr.start.isValid()) {
            return;
        }
        if (hdr.start.verb == PUSH_ONE) {
            hdr.layers.push_front(1);
        } else if (hdr.start.verb == PUSH_TWO) {
            hdr.layers.push_front(2);
            hdr.layers[1].setValid();
            hdr.layers[1].label = 0x1234;
        } else if (hdr.start.verb == POP_ONE) {
            hdr.layers.pop_front(1);
        } else if (hdr.start.verb == POP_THREE) {
            hdr.layers.pop_front(3);
        } else if (hdr.start.verb == COPY_STACK) {
            hdr.spare = hdr.layers;
            hdr.spare[0].label = 0x5555;
        } else if (hdr.start.verb == COPY_ELEMENT) {
            hdr.layers[2] = hdr.layers[0];
        } else if (hdr.start.verb == WRITE_INDEXED) {
            hdr.layers[hdr.start.index].label = 0x7777;
        } else if (hdr.start.verb == READ_INDEXED) {
            hdr.report.last = (bit<8>) hdr.layers[hdr.start.index].label;
        } else if (hdr.start.verb == INVALIDATE_INDEXED) {
            hdr.layers[hdr.start.index].setInvalid();
        } else if (hdr.start.verb == CHANGE_UNION) {
            hdr.item.two.setValid();
            hdr.item.two.value = 0x010203;
        } else if (hdr.start.verb == COPY_UNION) {
            hdr.item = hdr.items[0];
        } else if (hdr.start.verb == SHIFT_ITEMS) {
            hdr.items[0] = hdr.items[1];
            hdr.items[1].one.setInvalid();
        } else if (hdr.start.verb == SAVE_OPTIONS) {
            hdr.saved_options = hdr.options;
            hdr.options.id = 0xABC;
        } else if (hdr.start.verb == EMPTY_OPTIONS) {
            hdr.options.setInvalid();
            hdr.options.setValid();
            hdr.options.trailer = 0x4242;
        } else if (hdr.start.verb == COMPARE) {
            if (hdr.layers[0] == hdr.layers[1]) {
                hdr.report.last = 0xE0;
            }
            if (hdr.item.isValid()) {
                hdr.report.last = hdr.report.last | 1;
            }
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.options.isValid(), { hdr.options.flags, hdr.options.id, hdr.options.data },
                        hdr.options.trailer, HashAlgorithm.csum16);
    }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.report);
        packet.emit(hdr.start);
        packet.emit(hdr.options);
        packet.emit(hdr.saved_options);
        packet.emit(hdr.layers);
        packet.emit(hdr.spare);
        packet.emit(hdr.items);
        packet.emit(hdr.item);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
