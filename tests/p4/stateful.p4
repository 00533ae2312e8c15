// SPDX-License-Identifier: Apache-2.0
// What packets leave behind for the next ones: registers of many widths, read and written in the same and in other
// actions and pipelines; meters of both kinds; counters at an index that the packet computes. Packets that arrive
// together have to see each other's traces in order.
#include <core.p4>
#include <v1model.p4>

header touch_t {
    bit<8>   verb;
    bit<8>   cell;
    bit<32>  value;
    bit<128> wide;
    bit<32>  before;
    bit<8>   color;
    bit<16>  sequence;
}

struct headers_t {
    touch_t touch;
}

struct metadata_t {
    bit<2>  color;
    bit<16> total;
}

const bit<8> MAXIMUM = 4;
const bit<8> WIDE = 5;
const bit<8> SIGNED = 6;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.touch);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    register<bit<32>>(8) sums;
    register<bit<1>>(8) bits;
    register<bit<128>>(2) wides;
    register<int<24>>(4) signs;
    register<bit<8>>(8) pointers;
    register<bit<16>>(1) sequence;
    meter(8, MeterType.packets) packet_meter;
    meter(8, MeterType.bytes) byte_meter;
    counter(16, CounterType.packets_and_bytes) touched;

    action number() {
        bit<16> last;
        sequence.read(last, 0);
        hdr.touch.sequence = last;
        sequence.write(0, last + 1);
    }

    action add(bit<32> extra) {
        bit<32> sum;
        sums.read(sum, (bit<32>) hdr.touch.cell);
        hdr.touch.before = sum;
        sums.write((bit<32>) hdr.touch.cell, sum + hdr.touch.value + extra);
        touched.count((bit<32>) hdr.touch.cell);
    }

    action swap() {
        bit<1> old;
        bits.read(old, (bit<32>) hdr.touch.cell);
        bits.write((bit<32>) hdr.touch.cell, hdr.touch.value[0:0]);
        hdr.touch.value[0:0] = old;
        touched.count((bit<32>) hdr.touch.cell + 8);
    }

    action chain() {
        bit<8> at;
        bit<32> sum;
        pointers.read(at, (bit<32>) hdr.touch.cell);
        sums.read(sum, (bit<32>) at);
        pointers.write((bit<32>) at, hdr.touch.cell);
        hdr.touch.before = sum;
        sums.write((bit<32>) hdr.touch.cell, sum ^ hdr.touch.value);
    }

    action refuse() {
        mark_to_drop(std);
        exit;
    }

    table what {
        key = {
            hdr.touch.verb : exact;
            hdr.touch.cell : ternary;
        }
        actions = { add; swap; chain; refuse; NoAction; }
        default_action = NoAction();
        size = 64;
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.touch.isValid()) {
            return;
        }
        number();
        packet_meter.execute_meter((bit<32>) hdr.touch.cell, meta.color);
        hdr.touch.color = (bit<8>) meta.color;
        byte_meter.execute_meter((bit<32>) hdr.touch.value[2:0], meta.color);
        hdr.touch.color = hdr.touch.color << 4 | (bit<8>) meta.color;
        what.apply();
        if (hdr.touch.verb == MAXIMUM) {
            bit<32> most;
            sums.read(most, 0);
            if (hdr.touch.value > most) {
                sums.write(0, hdr.touch.value);
            }
        } else if (hdr.touch.verb == WIDE) {
            bit<128> wide;
            wides.read(wide, (bit<32>) hdr.touch.cell);
            wides.write((bit<32>) hdr.touch.cell, wide + hdr.touch.wide);
            hdr.touch.wide = wide;
        } else if (hdr.touch.verb == SIGNED) {
            int<24> sign;
            signs.read(sign, (bit<32>) hdr.touch.cell);
            signs.write((bit<32>) hdr.touch.cell, sign - (int<24>) (int<32>) hdr.touch.value);
            hdr.touch.before = (bit<32>) (int<32>) sign;
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    register<bit<16>>(4) totals;

    apply {
        if (hdr.touch.isValid()) {
            totals.read(meta.total, (bit<32>) hdr.touch.cell[1:0]);
            meta.total = meta.total + hdr.touch.sequence;
            totals.write((bit<32>) hdr.touch.cell[1:0], meta.total);
            hdr.touch.sequence = meta.total;
        }
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.touch);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
