// SPDX-License-Identifier: Apache-2.0
// Every way a packet becomes another one: multicast, clones in ingress and egress, resubmission, recirculation,
// truncation. What to do is written in the packet; verb 0 just forwards.
#include <core.p4>
#include <v1model.p4>

header command_t {
    bit<8>  verb;
    bit<8>  rounds;
    bit<16> operand;
}

header stamp_t {
    bit<3>  priority;
    bit<5>  instance_type;
    bit<8>  mark;
    bit<16> egress_rid;
    bit<16> packet_length;
}

struct headers_t {
    command_t command;
    stamp_t   stamp;
}

struct metadata_t {
    @field_list(1)
    bit<8> mark;
    bit<8> lost;
}

const bit<8> MULTICAST = 1;
const bit<8> CLONE_INGRESS = 2;
const bit<8> CLONE_EGRESS = 3;
const bit<8> RESUBMIT = 4;
const bit<8> RECIRCULATE = 5;
const bit<8> TRUNCATE = 6;
const bit<8> DROP = 7;
const bit<8> DROP_THEN_FORWARD = 8;
const bit<8> DROP_IN_EGRESS = 9;
const bit<8> CLONE_AND_DROP = 10;
const bit<8> RESUBMIT_FOREVER = 11;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.command);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 2;
        if (!hdr.command.isValid()) {
            return;
        }
        if (hdr.command.verb == MULTICAST) {
            std.mcast_grp = hdr.command.operand;
        } else if (hdr.command.verb == CLONE_INGRESS || hdr.command.verb == CLONE_AND_DROP) {
            meta.mark = 0xAB;
            meta.lost = 0xCD;
            clone_preserving_field_list(CloneType.I2E, (bit<32>) hdr.command.operand, 1);
            hdr.command.rounds = 99;
            if (hdr.command.verb == CLONE_AND_DROP) {
                mark_to_drop(std);
            }
        } else if (hdr.command.verb == RESUBMIT) {
            if (std.instance_type == 0) {
                meta.mark = 7;
                meta.lost = 8;
                resubmit_preserving_field_list(1);
            }
        } else if (hdr.command.verb == RESUBMIT_FOREVER) {
            resubmit_preserving_field_list(1);
        } else if (hdr.command.verb == TRUNCATE) {
            truncate((bit<32>) hdr.command.operand);
        } else if (hdr.command.verb == DROP) {
            mark_to_drop(std);
        } else if (hdr.command.verb == DROP_THEN_FORWARD) {
            mark_to_drop(std);
            std.egress_spec = 5;
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        if (!hdr.command.isValid()) {
            return;
        }
        if (hdr.command.verb == CLONE_EGRESS && std.instance_type == 0) {
            meta.mark = 0xEE;
            hdr.command.rounds = 55;
            clone_preserving_field_list(CloneType.E2E, (bit<32>) hdr.command.operand, 1);
        } else if (hdr.command.verb == RECIRCULATE && hdr.command.rounds > 0) {
            hdr.command.rounds = hdr.command.rounds - 1;
            meta.mark = 0x11;
            recirculate_preserving_field_list(1);
        } else if (hdr.command.verb == DROP_IN_EGRESS) {
            mark_to_drop(std);
        }
        if (hdr.command.verb != RECIRCULATE || hdr.command.rounds == 0) {
            hdr.stamp.setValid();
            hdr.stamp.priority = std.priority;
            hdr.stamp.instance_type = (bit<5>) std.instance_type;
            hdr.stamp.mark = meta.mark | meta.lost;
            hdr.stamp.egress_rid = std.egress_rid;
            hdr.stamp.packet_length = (bit<16>) std.packet_length;
        }
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.command);
        packet.emit(hdr.stamp);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
