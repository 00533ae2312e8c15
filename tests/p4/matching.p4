// SPDX-License-Identifier: Apache-2.0
// How an entry is chosen: all match kinds side by side, constant entries of each kind, more of them than a scan should
// look at, keys that are expressions, and what follows: hit, miss, which action ran, exit.
#include <core.p4>
#include <v1model.p4>

header query_t {
    bit<8>  verb;
    bit<16> port;
    bit<32> address;
    bit<9>  odd;
    bit<7>  rest;
    bit<64> wide;
    bit<16> answer;
    bit<16> trail;
}

header extra_t {
    bit<128> address;
}

struct headers_t {
    query_t query;
    extra_t extra;
}

struct metadata_t {
    bit<2> color;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.query);
        transition select(hdr.query.verb[7:7]) {
            1: extra;
            default: accept;
        }
    }

    state extra {
        packet.extract(hdr.extra);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    direct_counter(CounterType.packets_and_bytes) mixed_counter;
    direct_meter<bit<2>>(MeterType.bytes) mixed_meter;

    action answer(bit<16> value) {
        hdr.query.answer = value;
    }

    action answer_metered(bit<16> value) {
        hdr.query.answer = value;
        mixed_meter.read(meta.color);
    }

    action leave(bit<16> value) {
        hdr.query.answer = value;
        exit;
    }

    action deny() {
        mark_to_drop(std);
    }

    // Counted, metered and aged at once.
    table mixed {
        key = {
            hdr.query.odd     : exact;
            hdr.query.address : ternary;
            hdr.query.port    : range;
            hdr.query.rest    : optional;
        }
        actions = { answer_metered; @defaultonly NoAction; }
        const default_action = NoAction();
        counters = mixed_counter;
        meters = mixed_meter;
        size = 256;
        support_timeout = true;
    }

    table prefixes {
        key = {
            hdr.query.odd     : exact;
            hdr.extra.address : lpm;
        }
        actions = { answer; leave; deny; NoAction; }
        default_action = NoAction();
        size = 256;
    }

    table prefix_among_ternaries {
        key = {
            hdr.query.address : lpm;
            hdr.query.odd     : ternary;
        }
        actions = { answer; leave; NoAction; }
        default_action = NoAction();
        size = 256;
    }

    table computed {
        key = {
            hdr.query.address & 0x00FFFF00       : exact @name("masked");
            hdr.query.port ++ hdr.query.rest     : ternary @name("joined");
            hdr.extra.isValid()                  : exact @name("extra");
            hdr.query.wide[40:20]                : ternary @name("slice");
        }
        actions = { answer; leave; NoAction; }
        default_action = NoAction();
        size = 64;
    }

    table wide {
        key = {
            hdr.query.wide    : exact;
            hdr.extra.address : exact;
        }
        actions = { answer; NoAction; }
        default_action = answer(7);
        size = 64;
    }

    table constant_prefixes {
        key = { hdr.query.address : lpm; }
        actions = { answer; deny; NoAction; }
        default_action = NoAction();
        const entries = {
            0x0A000000 &&& 0xFF000000 : answer(1);
            0x0A010000 &&& 0xFFFF0000 : answer(2);
            0x0A010100 &&& 0xFFFFFF00 : deny();
            0x0A010101                : answer(4);
        }
    }

    table constant_ranges {
        key = {
            hdr.query.port : range;
            hdr.query.rest : ternary;
        }
        actions = { answer; leave; NoAction; }
        default_action = NoAction();
        const entries = {
            (0 .. 99, _)                : answer(1);
            (50 .. 150, 0x10 &&& 0x70)  : answer(2);
            (100 .. 1023, _)            : leave(3);
            (1024, _)                   : answer(4);
        }
    }

    table constant_exacts {
        key = { hdr.query.verb : exact; }
        actions = { answer; deny; NoAction; }
        default_action = NoAction();
        const entries = {
            1 : answer(101);
            2 : answer(102);
            3 : deny();
            9 : answer(109);
        }
    }

    // A list this long is not to be searched from end to end.
    table many {
        key = {
            hdr.query.address : ternary;
            hdr.query.port    : ternary;
        }
        actions = { answer; NoAction; }
        default_action = NoAction();
        const entries = {
            (0x0A000000 &&& 0xFFFF0000, 0x0001 &&& 0x00FF) : answer(0);
            (0x0B000001 &&& 0xFF0000FF, 0x0001 &&& 0x0003) : answer(1);
            (0x0A000003 &&& 0xFF0000FF, _) : answer(2);
            (0x0B000003 &&& 0xFFFFFFFF, 0x0003 &&& 0x0003) : answer(3);
            (0x0B000004 &&& 0xFFFFFFFF, 0x0004 &&& 0x00FF) : answer(4);
            (0x0A000000 &&& 0xFFFF0000, 0x0001 &&& 0x00FF) : answer(5);
            (0x0A000001 &&& 0xFFFFFFFF, _) : answer(6);
            (0x0B000000 &&& 0xFFFF0000, _) : answer(7);
            (0x0B000000 &&& 0xFFFF0000, 0x0003 &&& 0x0003) : answer(8);
            (0xC0A80000 &&& 0xFFFF0000, 0x0009 &&& 0xFFFF) : answer(9);
            (0x0B000000 &&& 0xFFFF0000, 0x0001 &&& 0x00FF) : answer(10);
            (0x0A000001 &&& 0xFF0000FF, 0x000B &&& 0xFFFF) : answer(11);
            (0x00000000 &&& 0x0000FF00, 0x000C &&& 0x00FF) : answer(12);
            (0x0000000D &&& 0x0000000F, 0x0003 &&& 0xFFFF) : answer(13);
            (0x00000000 &&& 0x0000FF00, 0x0003 &&& 0x0003) : answer(14);
            (0x0B00000F &&& 0xFFFFFFFF, 0x000F &&& 0xFFFF) : answer(15);
            (0x0B000010 &&& 0xFF0000FF, 0x0003 &&& 0xFFFF) : answer(16);
            (0x00000001 &&& 0x0000000F, _) : answer(17);
            (0x00000001 &&& 0x0000000F, 0x01BB &&& 0xFFFF) : answer(18);
            (0xC0000001 &&& 0xFF0000FF, 0x0003 &&& 0x0003) : answer(19);
            (0x0B000014 &&& 0xFFFFFFFF, _) : answer(20);
            (0x00000005 &&& 0x0000000F, 0x0002 &&& 0xFFFF) : answer(21);
            (0x00000003 &&& 0x0000000F, _) : answer(22);
            (0x00000003 &&& 0x0000000F, 0x0003 &&& 0x0003) : answer(23);
            (0x00000000 &&& 0x0000FF00, 0x0003 &&& 0x0003) : answer(24);
            (0x00000001 &&& 0x0000000F, 0x0001 &&& 0x0003) : answer(25);
            (0x00000003 &&& 0x0000000F, 0x0050 &&& 0xFFFF) : answer(26);
            (0x0B00001B &&& 0xFFFFFFFF, 0x00BB &&& 0x00FF) : answer(27);
            (0x00000003 &&& 0x0000000F, 0x0000 &&& 0x0003) : answer(28);
            (0x00000000 &&& 0x0000FF00, 0x0001 &&& 0x00FF) : answer(29);
            (0x00000001 &&& 0x0000000F, 0x0003 &&& 0x0003) : answer(30);
            (0x0A010203 &&& 0xFFFFFFFF, 0x01BB &&& 0xFFFF) : answer(31);
            (0x00000003 &&& 0x0000000F, _) : answer(32);
            (0x00000000 &&& 0x0000FF00, _) : answer(33);
            (0x0B000022 &&& 0xFFFFFFFF, _) : answer(34);
            (0xC0A80000 &&& 0xFFFF0000, _) : answer(35);
            (0xC0A80000 &&& 0xFFFF0000, 0x0001 &&& 0x00FF) : answer(36);
            (0x0A010000 &&& 0xFFFF0000, 0x00BB &&& 0x00FF) : answer(37);
            (0xC0A80000 &&& 0xFFFF0000, 0x0050 &&& 0x00FF) : answer(38);
            (0x00000000 &&& 0x0000FF00, 0x0001 &&& 0x0003) : answer(39);
            (0xC0A80001 &&& 0xFFFFFFFF, 0x0003 &&& 0x0003) : answer(40);
            (0x0A000003 &&& 0xFF0000FF, 0x0001 &&& 0x00FF) : answer(41);
            (0x00000200 &&& 0x0000FF00, 0x0001 &&& 0x0003) : answer(42);
            (0x0A000000 &&& 0xFFFF0000, 0x0002 &&& 0x0003) : answer(43);
            (0x0A010203 &&& 0xFFFFFFFF, 0x0000 &&& 0x0003) : answer(44);
            (0x0000000D &&& 0x0000000F, 0x002D &&& 0xFFFF) : answer(45);
            (0x0000000E &&& 0x0000000F, 0x01BB &&& 0xFFFF) : answer(46);
            (0x0B00002F &&& 0xFFFFFFFF, 0x002F &&& 0x00FF) : answer(47);
            (0x0A000001 &&& 0xFF0000FF, 0x0002 &&& 0x00FF) : answer(48);
            (0x0A000000 &&& 0xFFFF0000, 0x0001 &&& 0x00FF) : answer(49);
            (0xC0A80001 &&& 0xFFFFFFFF, 0x0032 &&& 0x00FF) : answer(50);
            (0x0B000000 &&& 0xFFFF0000, 0x0002 &&& 0x00FF) : answer(51);
            (0x0A000001 &&& 0xFFFFFFFF, 0x01BB &&& 0xFFFF) : answer(52);
            (0x0A000003 &&& 0xFF0000FF, _) : answer(53);
            (0xC0A80000 &&& 0xFFFF0000, _) : answer(54);
            (0x00000007 &&& 0x0000000F, 0x0050 &&& 0xFFFF) : answer(55);
            (0x0B000038 &&& 0xFFFFFFFF, 0x00BB &&& 0x00FF) : answer(56);
            (0x0A000001 &&& 0xFF0000FF, 0x00BB &&& 0x00FF) : answer(57);
            (0xC0000001 &&& 0xFF0000FF, _) : answer(58);
            (0xC0A80000 &&& 0xFFFF0000, 0x0003 &&& 0xFFFF) : answer(59);
            (0x0A000003 &&& 0xFF0000FF, 0x003C &&& 0x00FF) : answer(60);
            (0x0B00003D &&& 0xFFFFFFFF, 0x003D &&& 0x00FF) : answer(61);
            (0x0000000E &&& 0x0000000F, 0x0001 &&& 0xFFFF) : answer(62);
            (0x0A000001 &&& 0xFFFFFFFF, 0x0002 &&& 0xFFFF) : answer(63);
            (0x0A010000 &&& 0xFFFF0000, 0x0003 &&& 0x00FF) : answer(64);
            (0x00000001 &&& 0x0000000F, 0x0003 &&& 0x00FF) : answer(65);
            (0x00000000 &&& 0x0000FF00, 0x0002 &&& 0x00FF) : answer(66);
            (0x00000003 &&& 0x0000000F, 0x01BB &&& 0xFFFF) : answer(67);
            (0x00000001 &&& 0x0000000F, 0x0001 &&& 0x00FF) : answer(68);
            (0x0A000001 &&& 0xFF0000FF, 0x0002 &&& 0x0003) : answer(69);
            (0xC0A80000 &&& 0xFFFF0000, _) : answer(70);
            (0x00000007 &&& 0x0000000F, _) : answer(71);
            (0x00000003 &&& 0x0000000F, _) : answer(72);
            (0x00000000 &&& 0x0000FF00, _) : answer(73);
            (0x00000000 &&& 0x0000FF00, _) : answer(74);
            (0x0A000001 &&& 0xFFFFFFFF, _) : answer(75);
            (0x0A000001 &&& 0xFFFFFFFF, 0x0002 &&& 0xFFFF) : answer(76);
            (0x0000000D &&& 0x0000000F, 0x0001 &&& 0xFFFF) : answer(77);
            (0x0A000003 &&& 0xFF0000FF, 0x0002 &&& 0xFFFF) : answer(78);
            (0x0B00004F &&& 0xFFFFFFFF, 0x0003 &&& 0x0003) : answer(79);
        }
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.query.isValid()) {
            return;
        }
        mixed.apply();
        if (prefixes.apply().hit) {
            hdr.query.trail = hdr.query.trail | 1;
        }
        if (prefix_among_ternaries.apply().miss) {
            hdr.query.trail = hdr.query.trail | 2;
        }
        switch (computed.apply().action_run) {
            answer:   { hdr.query.trail = hdr.query.trail | 4; }
            leave:    { hdr.query.trail = hdr.query.trail | 8; }
            NoAction: { wide.apply(); }
        }
        if (hdr.query.rest[0:0] == 1) {
            constant_prefixes.apply();
            constant_ranges.apply();
        } else if (hdr.query.rest[1:1] == 1) {
            constant_exacts.apply();
        } else if (!many.apply().hit) {
            hdr.query.trail = hdr.query.trail | 16;
        }
        hdr.query.trail = hdr.query.trail | 32;
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    direct_counter(CounterType.packets) by_port_counter;

    action stamp(bit<16> value) {
        hdr.query.answer = hdr.query.answer ^ value;
        by_port_counter.count();
    }

    action stamp_and_leave(bit<16> value) {
        hdr.query.answer = hdr.query.answer ^ value;
        by_port_counter.count();
        exit;
    }

    table by_port {
        key = { std.egress_port : exact; }
        actions = { stamp; stamp_and_leave; @defaultonly NoAction; }
        const default_action = NoAction();
        counters = by_port_counter;
        size = 8;
    }

    apply {
        by_port.apply();
        hdr.query.trail = hdr.query.trail | 64;
        hdr.query.trail = hdr.query.trail | (bit<16>) meta.color << 8;
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.query);
        packet.emit(hdr.extra);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
