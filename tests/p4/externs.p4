// SPDX-License-Identifier: Apache-2.0
// Counters, meters, registers, digests, hashes, random numbers, assertions and log messages, chosen by the packet.
#include <core.p4>
#include <v1model.p4>

header request_t {
    bit<8>  verb;
    bit<8>  index;
    bit<16> operand;
    bit<32> result;
}

struct headers_t {
    request_t request;
}

struct learned_t {
    bit<9>  port;
    bit<16> operand;
}

struct noticed_t {
    bit<8> index;
}

struct metadata_t { }

const bit<8> COUNT = 0;
const bit<8> METER = 1;
const bit<8> READ = 2;
const bit<8> WRITE = 3;
const bit<8> DIGEST = 4;
const bit<8> TWO_DIGESTS = 5;
const bit<8> HASH = 6;
const bit<8> RANDOM = 7;
const bit<8> ASSERT = 8;
const bit<8> LOG = 9;
const bit<8> ARITHMETIC = 10;
const bit<8> LOOP = 11;
const bit<8> EXIT = 12;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.request);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    counter(4, CounterType.packets_and_bytes) received;
    meter(4, MeterType.bytes) policer;
    register<bit<12>>(4) cells;

    action leave() {
        hdr.request.result = 1;
        exit;
    }

    // In an action: p4c-bm2-ss 1.2.5.16 loses the loop of an apply block.
    action sum_up() {
        bit<32> total = 0;
        for (bit<8> i = 0; i < hdr.request.index; i = i + 1) {
            total = total + (bit<32>) i;
        }
        hdr.request.result = total;
    }

    apply {
        std.egress_spec = 1;
        if (!hdr.request.isValid()) {
            return;
        }
        if (hdr.request.verb == COUNT) {
            received.count((bit<32>) hdr.request.index);
        } else if (hdr.request.verb == METER) {
            policer.execute_meter((bit<32>) hdr.request.index, hdr.request.result);
        } else if (hdr.request.verb == READ) {
            bit<12> value;
            cells.read(value, (bit<32>) hdr.request.index);
            hdr.request.result = (bit<32>) value;
        } else if (hdr.request.verb == WRITE) {
            cells.write((bit<32>) hdr.request.index, hdr.request.operand[11:0]);
        } else if (hdr.request.verb == DIGEST) {
            digest<learned_t>(1, { std.ingress_port, hdr.request.operand });
            hdr.request.operand = 0xBEEF;
        } else if (hdr.request.verb == TWO_DIGESTS) {
            digest<learned_t>(1, { std.ingress_port, hdr.request.operand });
            digest<noticed_t>(1, { hdr.request.index });
        } else if (hdr.request.verb == HASH) {
            hash(hdr.request.result, HashAlgorithm.crc32, 32w0, { hdr.request.operand, hdr.request.index }, 64w0x100000000);
        } else if (hdr.request.verb == RANDOM) {
            random(hdr.request.result, 32w10, 32w12);
        } else if (hdr.request.verb == ASSERT) {
            assert(hdr.request.operand != 0);
        } else if (hdr.request.verb == LOG) {
            log_msg("operand {} at {}", { hdr.request.operand, hdr.request.index });
        } else if (hdr.request.verb == ARITHMETIC) {
            bit<16> sum = hdr.request.operand |+| 16w0xFF00;
            bit<16> wrapped = hdr.request.operand + 16w0xFF00;
            hdr.request.result = sum ++ wrapped;
        } else if (hdr.request.verb == LOOP) {
            sum_up();
        } else if (hdr.request.verb == EXIT) {
            leave();
            hdr.request.result = 2;
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        if (hdr.request.isValid() && hdr.request.verb == EXIT) {
            hdr.request.operand = 0xE6E6;
        }
    }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply { }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.request);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
