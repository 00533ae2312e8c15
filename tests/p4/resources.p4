// SPDX-License-Identifier: Apache-2.0
// What entries, default entries and meters keep: direct counters and direct meters, in a table and in one without a key
// whose default is constant; meters of every type that P4Runtime has.
#include <core.p4>
#include <v1model.p4>

header probe_t {
    bit<8> kind;
    bit<8> cell;
    bit<8> entry_color;
    bit<8> cell_color;
    bit<8> total_color;
}

struct headers_t {
    probe_t probe;
}

struct metadata_t {
    bit<2> entry_color;
    bit<2> cell_color;
    bit<2> total_color;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.probe);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    direct_counter(CounterType.packets_and_bytes) entry_counter;
    @single_rate_three_color direct_meter<bit<2>>(MeterType.bytes) entry_meter;
    direct_counter(CounterType.packets_and_bytes) total_counter;
    direct_meter<bit<2>>(MeterType.packets) total_meter;
    @single_rate_three_color meter(4, MeterType.bytes) three_colors;
    @single_rate_two_color meter(4, MeterType.packets) two_colors;

    action forward(bit<9> port) {
        entry_meter.read(meta.entry_color);
        std.egress_spec = port;
    }

    action pass() {
        total_meter.read(meta.total_color);
    }

    table entries {
        key = { hdr.probe.kind : exact; }
        actions = { forward; NoAction; }
        default_action = NoAction();
        counters = entry_counter;
        meters = entry_meter;
        size = 16;
    }

    table all_packets {
        actions = { pass; }
        const default_action = pass();
        counters = total_counter;
        meters = total_meter;
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.probe.isValid()) {
            return;
        }
        // Who sees 3 behind the table knows that nothing was metered.
        meta.entry_color = 3;
        entries.apply();
        all_packets.apply();
        if (hdr.probe.cell < 4) {
            three_colors.execute_meter((bit<32>) hdr.probe.cell, meta.cell_color);
        } else {
            two_colors.execute_meter((bit<32>) (hdr.probe.cell - 4), meta.cell_color);
        }
        hdr.probe.entry_color = (bit<8>) meta.entry_color;
        hdr.probe.total_color = (bit<8>) meta.total_color;
        hdr.probe.cell_color = (bit<8>) meta.cell_color;
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
        packet.emit(hdr.probe);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
