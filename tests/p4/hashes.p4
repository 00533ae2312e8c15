// SPDX-License-Identifier: Apache-2.0
// Every hash of v1model over the same fields, bounded and unbounded; checksums of headers and payload, verified and
// updated, some of them only where the packet asks for it.
#include <core.p4>
#include <v1model.p4>

header fields_t {
    bit<8>  verb;
    bit<4>  odd;
    bit<12> rest;
    bit<48> address;
    bit<16> port;
}

header results_t {
    bit<32> crc32;
    bit<32> crc32_custom;
    bit<16> crc16;
    bit<16> crc16_custom;
    bit<16> csum16;
    bit<16> xor16;
    bit<64> identity;
    bit<16> bounded;
    bit<8>  errors;
}

header summed_t {
    bit<16> over_header;
    bit<16> over_payload;
    bit<32> crc_of_header;
    bit<16> xor_of_payload;
}

struct headers_t {
    fields_t  fields;
    summed_t  summed;
    results_t results;
}

struct metadata_t { }

const bit<8> UPDATE = 1;
const bit<8> VERIFY = 2;

parser Parse(packet_in packet, out headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    state start {
        packet.extract(hdr.fields);
        packet.extract(hdr.summed);
        transition accept;
    }
}

control Verify(inout headers_t hdr, inout metadata_t meta) {
    apply {
        verify_checksum(hdr.fields.verb != UPDATE, { hdr.fields.address, hdr.fields.port, hdr.fields.odd, 4w7 },
                        hdr.summed.over_header, HashAlgorithm.csum16);
        verify_checksum_with_payload(hdr.fields.verb == VERIFY, { hdr.fields.port }, hdr.summed.xor_of_payload,
                                     HashAlgorithm.xor16);
    }
}

control IngressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply {
        std.egress_spec = 1;
        if (!hdr.fields.isValid()) {
            return;
        }
        hdr.results.setValid();
        hash(hdr.results.crc32, HashAlgorithm.crc32, 32w0, { hdr.fields.address, hdr.fields.odd }, 64w0x100000000);
        hash(hdr.results.crc32_custom, HashAlgorithm.crc32_custom, 32w0, { hdr.fields.address, hdr.fields.odd },
             64w0x100000000);
        hash(hdr.results.crc16, HashAlgorithm.crc16, 16w0, { hdr.fields.address, hdr.fields.rest }, 32w0x10000);
        hash(hdr.results.crc16_custom, HashAlgorithm.crc16_custom, 16w0, { hdr.fields.address, hdr.fields.rest },
             32w0x10000);
        hash(hdr.results.csum16, HashAlgorithm.csum16, 16w0, { hdr.fields.address, hdr.fields.odd, hdr.fields.port },
             32w0x10000);
        hash(hdr.results.xor16, HashAlgorithm.xor16, 16w0, { hdr.fields.address, hdr.fields.odd }, 32w0x10000);
        hash(hdr.results.identity, HashAlgorithm.identity, 64w0, { hdr.fields.address, hdr.fields.odd, hdr.fields.rest },
             64w0xFFFFFFFFFFFFFFFF);
        hash(hdr.results.bounded, HashAlgorithm.crc32, (bit<16>) hdr.fields.verb, { hdr.fields.port, 8w0xA5 },
             (bit<16>) hdr.fields.odd);
        hdr.results.errors = (bit<8>) std.checksum_error;
        if (hdr.fields.verb == UPDATE) {
            hdr.fields.port = hdr.fields.port + 1;
            truncate((bit<32>) hdr.fields.rest);
        }
    }
}

control EgressPipe(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t std) {
    apply { }
}

control Update(inout headers_t hdr, inout metadata_t meta) {
    apply {
        update_checksum(hdr.fields.verb == UPDATE, { hdr.fields.address, hdr.fields.port, hdr.fields.odd, 4w7 },
                        hdr.summed.over_header, HashAlgorithm.csum16);
        update_checksum(hdr.fields.verb == UPDATE, { hdr.fields.address, hdr.fields.rest, hdr.summed.over_header, 4w0 },
                        hdr.summed.crc_of_header, HashAlgorithm.crc32);
        update_checksum_with_payload(true, { hdr.fields.port, hdr.summed.crc_of_header }, hdr.summed.over_payload,
                                     HashAlgorithm.csum16);
        update_checksum_with_payload(hdr.fields.verb == UPDATE, { hdr.fields.port }, hdr.summed.xor_of_payload,
                                     HashAlgorithm.xor16);
    }
}

control Deparse(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.fields);
        packet.emit(hdr.summed);
        packet.emit(hdr.results);
    }
}

V1Switch(Parse(), Verify(), IngressPipe(), EgressPipe(), Update(), Deparse()) main;
