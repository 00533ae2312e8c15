// SPDX-License-Identifier: Apache-2.0
// Copies of copies: each flag in the packet asks for one thing, and all may be asked for at once, in every round. Two
// field lists; the round that a copy is in comes with it, so that there is an end.
#include <core.p4>
#include <v1model.p4>

header orders_t {
    bit<1>  clone_in;
    bit<1>  clone_out;
    bit<1>  multicast;
    bit<1>  resubmit;
    bit<1>  recirculate;
    bit<1>  truncate_in;
    bit<1>  truncate_out;
    bit<1>  drop;
    bit<8>  rounds;
    bit<8>  session;
    bit<8>  group;
    bit<8>  length;
    bit<16> order;
}

header mark_t {
    bit<8>  instance_type;
    bit<8>  round;
    bit<16> kept;
    bit<16> rid;
    bit<16> length;
}

struct headers_t {
    orders_t  orders;
    mark_t[6] marks;
}

struct metadata_t {
    @field_list(1, 2)
    bit<8>  round;
    @field_list(1)
    bit<16> kept;
    bit<16> lost;
}

struct seen_t {
    bit<16> order;
    bit<8>  round;
    bit<3>  instance_type;
}

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.orders);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    counter(8, CounterType.packets_and_bytes) rounds;
    register<bit<32>>(1) passes;

    action clone_first_list() {
        clone_preserving_field_list(CloneType.I2E, (bit<32>) hdr.orders.session, 1);
    }

    action clone_second_list() {
        clone_preserving_field_list(CloneType.I2E, (bit<32>) hdr.orders.session, 2);
    }

    action clone_nothing() {
        clone(CloneType.I2E, (bit<32>) hdr.orders.session);
    }

    table how_to_clone {
        key = { hdr.orders.session : exact; }
        actions = { clone_first_list; clone_second_list; clone_nothing; }
        default_action = clone_first_list();
        size = 8;
    }

    apply {
        std.egress_spec = 3;
        if (!hdr.orders.isValid()) {
            return;
        }
        bit<32> passed;
        passes.read(passed, 0);
        passes.write(0, passed + 1);
        rounds.count((bit<32>) meta.round);
        meta.round = meta.round + 1;
        meta.kept = meta.kept + hdr.orders.order;
        meta.lost = meta.lost + hdr.orders.order;
        digest<seen_t>(1, { hdr.orders.order, meta.round, std.instance_type[2:0] });
        if (hdr.orders.truncate_in == 1) {
            truncate((bit<32>) hdr.orders.length);
        }
        if (hdr.orders.clone_in == 1) {
            how_to_clone.apply();
        }
        if (hdr.orders.resubmit == 1 && meta.round <= (bit<8>) hdr.orders.rounds[1:0]) {
            resubmit_preserving_field_list(1);
        }
        if (hdr.orders.multicast == 1) {
            std.mcast_grp = (bit<16>) hdr.orders.group;
        }
        if (hdr.orders.drop == 1 && meta.round > 1) {
            mark_to_drop(std);
        }
        hdr.orders.order = hdr.orders.order + 0x0100;
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    counter(8, CounterType.packets) instances;

    apply {
        if (!hdr.orders.isValid()) {
            return;
        }
        instances.count((bit<32>) std.instance_type);
        if (std.instance_type == 0 && hdr.orders.clone_out == 1) {
            meta.kept = meta.kept + 0x4000;
            clone_preserving_field_list(CloneType.E2E, (bit<32>) hdr.orders.session, 1);
        }
        if (hdr.orders.truncate_out == 1) {
            truncate((bit<32>) hdr.orders.length + 7);
        }
        if (hdr.orders.recirculate == 1 && hdr.orders.rounds & 3 != 0) {
            hdr.orders.rounds = (hdr.orders.rounds & 3) - 1;
            recirculate_preserving_field_list(2);
        }
        hdr.marks.push_front(1);
        hdr.marks[0].setValid();
        hdr.marks[0].instance_type = (bit<8>) std.instance_type;
        hdr.marks[0].round = meta.round;
        hdr.marks[0].kept = meta.kept + meta.lost;
        hdr.marks[0].rid = std.egress_rid;
        hdr.marks[0].length = (bit<16>) std.packet_length;
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.orders);
        packet.emit(hdr.marks);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
