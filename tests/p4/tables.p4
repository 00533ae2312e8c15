// SPDX-License-Identifier: Apache-2.0
// One table of each kind, each with a direct counter, applied by the verb in the packet; the answer is written back.
#include <core.p4>
#include <v1model.p4>

header query_t {
    bit<8>  verb;
    bit<8>  small;
    bit<32> address;
    bit<16> port;
    bit<16> answer;
}

struct headers_t {
    query_t query;
}

struct metadata_t {
    bit<2> colour;
}

const bit<8> EXACT = 0;
const bit<8> PREFIX = 1;
const bit<8> TERNARY = 2;
const bit<8> RANGE = 3;
const bit<8> OPTIONAL = 4;
const bit<8> CONSTANT = 5;
const bit<8> PROFILE = 6;
const bit<8> SELECTOR = 7;
const bit<8> METERED = 8;
const bit<8> HIT_OR_MISS = 9;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.query);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    direct_counter(CounterType.packets_and_bytes) exact_hits;
    direct_meter<bit<2>>(MeterType.packets) entry_meter;
    action_profile(4) members;
    @max_group_size(4)
    action_selector(HashAlgorithm.crc16, 8, 16) groups;

    action answer(bit<16> value) {
        hdr.query.answer = value;
    }

    action answer_counted(bit<16> value) {
        hdr.query.answer = value;
        exact_hits.count();
    }

    action answer_metered() {
        entry_meter.read(meta.colour);
    }

    action deny() {
        mark_to_drop(std);
    }

    table exact_table {
        key = {
            hdr.query.address : exact;
            hdr.query.small   : exact;
        }
        actions = { answer_counted; @defaultonly NoAction; }
        const default_action = NoAction();
        counters = exact_hits;
        size = 4;
        support_timeout = true;
    }

    table prefix_table {
        key = {
            hdr.query.address : lpm;
            hdr.query.small   : exact;
        }
        actions = { answer; deny; }
        default_action = deny();
        size = 64;
    }

    table ternary_table {
        key = {
            hdr.query.address : ternary;
            hdr.query.small   : exact;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        size = 64;
    }

    table range_table {
        key = {
            hdr.query.port  : range;
            hdr.query.small : ternary;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        size = 64;
    }

    table optional_table {
        key = {
            hdr.query.port : optional;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        size = 64;
    }

    table constant_table {
        key = {
            hdr.query.port : ternary;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        const entries = {
            0x0010 &&& 0x00F0 : answer(1);
            0x0010 &&& 0x0010 : answer(2);
            _                 : answer(3);
        }
    }

    table profile_table {
        key = {
            hdr.query.port : exact;
        }
        actions = { answer; deny; }
        implementation = members;
        size = 16;
    }

    table selector_table {
        key = {
            hdr.query.port    : exact;
            hdr.query.address : selector;
        }
        actions = { answer; deny; }
        implementation = groups;
        size = 16;
    }

    table metered_table {
        key = {
            hdr.query.port : exact;
        }
        actions = { answer_metered; NoAction; }
        default_action = NoAction();
        meters = entry_meter;
        size = 16;
    }

    table branching_table {
        key = {
            hdr.query.small : exact;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        size = 16;
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.query.isValid()) {
            return;
        }
        if (hdr.query.verb == EXACT) {
            exact_table.apply();
        } else if (hdr.query.verb == PREFIX) {
            prefix_table.apply();
        } else if (hdr.query.verb == TERNARY) {
            ternary_table.apply();
        } else if (hdr.query.verb == RANGE) {
            range_table.apply();
        } else if (hdr.query.verb == OPTIONAL) {
            optional_table.apply();
        } else if (hdr.query.verb == CONSTANT) {
            constant_table.apply();
        } else if (hdr.query.verb == PROFILE) {
            profile_table.apply();
        } else if (hdr.query.verb == SELECTOR) {
            selector_table.apply();
        } else if (hdr.query.verb == METERED) {
            metered_table.apply();
            hdr.query.answer = (bit<16>) meta.colour;
        } else if (hdr.query.verb == HIT_OR_MISS) {
            if (branching_table.apply().hit) {
                std.egress_spec = 8;
            } else {
                std.egress_spec = 9;
            }
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
        packet.emit(hdr.query);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
