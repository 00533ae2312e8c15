// SPDX-License-Identifier: Apache-2.0
// Action profiles and selectors: one shared by two tables, selectors with several algorithms and inputs, followed by
// tables that see what the chosen member left.
#include <core.p4>
#include <v1model.p4>

header flow_t {
    bit<8>  service;
    bit<8>  kind;
    bit<32> source;
    bit<32> destination;
    bit<16> answer;
    bit<8>  trail;
}

struct headers_t {
    flow_t flow;
}

struct metadata_t {
    bit<16> bucket;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.flow);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action_profile(8) shared_members;
    action_selector(HashAlgorithm.crc32, 16, 32) by_crc32;
    action_selector(HashAlgorithm.crc16, 16, 16) by_crc16;
    action_selector(HashAlgorithm.identity, 16, 16) by_identity;
    direct_counter(CounterType.packets_and_bytes) hits;

    action send(bit<9> port, bit<16> bucket) {
        std.egress_spec = port;
        meta.bucket = bucket;
    }

    action answer(bit<16> value) {
        hdr.flow.answer = hdr.flow.answer + value;
    }

    action deny() {
        mark_to_drop(std);
    }

    action leave() {
        exit;
    }

    table first_user {
        key = { hdr.flow.service : exact; }
        actions = { answer; deny; NoAction; }
        implementation = shared_members;
        size = 32;
    }

    table second_user {
        key = { hdr.flow.source : lpm; }
        actions = { answer; deny; NoAction; }
        implementation = shared_members;
        size = 32;
    }

    table spread {
        key = {
            hdr.flow.service     : exact;
            hdr.flow.kind        : ternary;
            hdr.flow.source      : selector;
            hdr.flow.destination : selector;
        }
        actions = { send; answer; leave; }
        implementation = by_crc32;
        counters = hits;
        size = 64;
    }

    table respread {
        key = {
            meta.bucket          : exact;
            hdr.flow.destination : selector;
            hdr.flow.kind        : selector;
        }
        actions = { send; NoAction; }
        implementation = by_crc16;
        size = 64;
    }

    table by_bits {
        key = {
            hdr.flow.kind   : range;
            hdr.flow.source : selector;
        }
        actions = { answer; NoAction; }
        implementation = by_identity;
        size = 64;
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.flow.isValid()) {
            return;
        }
        first_user.apply();
        if (second_user.apply().hit) {
            hdr.flow.trail = hdr.flow.trail | 1;
        }
        switch (spread.apply().action_run) {
            send:    { respread.apply(); }
            answer:  { hdr.flow.trail = hdr.flow.trail | 2; }
            default: { hdr.flow.trail = hdr.flow.trail | 4; }
        }
        if (by_bits.apply().miss) {
            hdr.flow.trail = hdr.flow.trail | 8;
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        if (hdr.flow.isValid()) {
            hdr.flow.trail = hdr.flow.trail ^ (bit<8>) meta.bucket;
        }
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.flow);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
