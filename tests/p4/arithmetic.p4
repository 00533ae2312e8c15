// SPDX-License-Identifier: Apache-2.0
// Numbers of every size: wrapping, saturating, signed, wider than a machine word, shifted by what the packet says.
// The verb chooses the kind of number; every result of that kind is written back at once.
#include <core.p4>
#include <v1model.p4>

header request_t {
    bit<8> verb;
    bit<8> amount;
}

header small_t {
    bit<5>  a;
    bit<5>  b;
    bit<6>  c;
    bit<5>  wrapped_sum;
    bit<5>  wrapped_difference;
    bit<6>  saturated_sum;
    bit<5>  saturated_difference;
    bit<5>  product;
    bit<6>  shifted;
    bit<10> joined;
    bit<6>  sliced;
}

header signed_t {
    int<16> a;
    int<16> b;
    int<8>  narrow;
    int<16> sum;
    int<16> saturated_sum;
    int<16> saturated_difference;
    int<16> negated;
    int<16> shifted_left;
    int<16> shifted_right;
    int<32> widened;
    int<8>  narrowed;
    bit<8>  order;
}

header machine_t {
    bit<64> a;
    bit<64> b;
    bit<64> sum;
    bit<64> difference;
    bit<64> product;
    bit<64> saturated;
    bit<64> shifted_left;
    bit<64> shifted_right;
    bit<8>  order;
}

header wide_t {
    bit<128> a;
    bit<128> b;
    bit<128> sum;
    bit<128> product;
    bit<128> saturated;
    bit<128> shifted_left;
    bit<128> shifted_right;
    bit<128> mixed;
    bit<8>   order;
}

header wider_t {
    bit<200> a;
    bit<200> b;
    bit<200> sum;
    bit<200> difference;
    bit<200> product;
    bit<200> shifted_left;
    bit<200> shifted_right;
    bit<200> mixed;
    int<200> signed_difference;
    bit<8>   order;
}

struct headers_t {
    request_t request;
    small_t   small;
    signed_t  signed;
    machine_t machine;
    wide_t    wide;
    wider_t   wider;
}

struct metadata_t { }

const bit<8> SMALL = 0;
const bit<8> SIGNED = 1;
const bit<8> MACHINE = 2;
const bit<8> WIDE = 3;
const bit<8> WIDER = 4;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.request);
        transition select(hdr.request.verb) {
            SMALL:   small;
            SIGNED:  signed;
            MACHINE: machine;
            WIDE:    wide;
            WIDER:   wider;
            default: accept;
        }
    }

    state small {
        packet.extract(hdr.small);
        transition accept;
    }

    state signed {
        packet.extract(hdr.signed);
        transition accept;
    }

    state machine {
        packet.extract(hdr.machine);
        transition accept;
    }

    state wide {
        packet.extract(hdr.wide);
        transition accept;
    }

    state wider {
        packet.extract(hdr.wider);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    action compute_small() {
        bit<5> a = hdr.small.a;
        bit<5> b = hdr.small.b;
        hdr.small.wrapped_sum = a + b;
        hdr.small.wrapped_difference = a - b;
        hdr.small.saturated_sum = hdr.small.c |+| (bit<6>) a;
        hdr.small.saturated_difference = a |-| b;
        hdr.small.product = a * b;
        hdr.small.shifted = hdr.small.c << hdr.request.amount;
        hdr.small.joined = a ++ b;
        hdr.small.sliced = (a ++ hdr.small.c ++ b)[9:4];
    }

    action compute_signed() {
        int<16> a = hdr.signed.a;
        int<16> b = hdr.signed.b;
        hdr.signed.sum = a + b;
        hdr.signed.saturated_sum = a |+| b;
        hdr.signed.saturated_difference = a |-| b;
        hdr.signed.negated = -a;
        hdr.signed.shifted_left = a << hdr.request.amount;
        hdr.signed.shifted_right = a >> hdr.request.amount;
        hdr.signed.widened = (int<32>) a * (int<32>) b;
        hdr.signed.narrowed = (int<8>) a;
        hdr.signed.order = (a < b ? 8w1 : 8w0) | (a <= 0 ? 8w2 : 8w0) | (hdr.signed.narrow > -3 ? 8w4 : 8w0);
    }

    action compute_machine() {
        bit<64> a = hdr.machine.a;
        bit<64> b = hdr.machine.b;
        hdr.machine.sum = a + b;
        hdr.machine.difference = a - b;
        hdr.machine.product = a * b;
        hdr.machine.saturated = a |+| b;
        hdr.machine.shifted_left = a << hdr.request.amount;
        hdr.machine.shifted_right = a >> hdr.request.amount;
        hdr.machine.order = (a < b ? 8w1 : 8w0) | (a - b < 64w100 ? 8w2 : 8w0) | (a == b ? 8w4 : 8w0);
    }

    action compute_wide() {
        bit<128> a = hdr.wide.a;
        bit<128> b = hdr.wide.b;
        hdr.wide.sum = a + b;
        hdr.wide.product = a * b;
        hdr.wide.saturated = a |-| b;
        hdr.wide.shifted_left = a << hdr.request.amount;
        hdr.wide.shifted_right = a >> hdr.request.amount;
        hdr.wide.mixed = (a & b) ^ ~(a | b);
        hdr.wide.order = (a < b ? 8w1 : 8w0) | (a + b >= a ? 8w2 : 8w0) | (a != b ? 8w4 : 8w0);
    }

    action compute_wider() {
        bit<200> a = hdr.wider.a;
        bit<200> b = hdr.wider.b;
        hdr.wider.sum = a + b;
        hdr.wider.difference = a - b;
        hdr.wider.product = a * b;
        hdr.wider.shifted_left = a << hdr.request.amount;
        hdr.wider.shifted_right = a >> hdr.request.amount;
        hdr.wider.mixed = (a & ~b) | (b ^ 0xFFFF);
        hdr.wider.signed_difference = (int<200>) a - (int<200>) b;
        hdr.wider.order = (a < b ? 8w1 : 8w0) | ((int<200>) a < (int<200>) b ? 8w2 : 8w0) | (a[199:100] == b[99:0] ? 8w4 : 8w0);
    }

    apply {
        std.egress_spec = 1;
        if (hdr.small.isValid()) {
            compute_small();
        } else if (hdr.signed.isValid()) {
            compute_signed();
        } else if (hdr.machine.isValid()) {
            compute_machine();
        } else if (hdr.wide.isValid()) {
            compute_wide();
        } else if (hdr.wider.isValid()) {
            compute_wider();
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
        packet.emit(hdr.request);
        packet.emit(hdr.small);
        packet.emit(hdr.signed);
        packet.emit(hdr.machine);
        packet.emit(hdr.wide);
        packet.emit(hdr.wider);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
