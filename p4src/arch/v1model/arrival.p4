// SPDX-License-Identifier: Apache-2.0
// What the shells of all programs begin with: the frame's arrival, and the checksum it arrives with.
#ifndef ARCH_V1MODEL_ARRIVAL_P4
#define ARCH_V1MODEL_ARRIVAL_P4

parser ShellParser(packet_in packet, out headers_t hdr, inout meta_t meta, inout standard_metadata_t standard_metadata) {
    state start {
        meta.frame.ingress_port = (port_id_t)standard_metadata.ingress_port;
        meta.frame.length = (bit<16>)standard_metadata.packet_length;
        FrameParser.apply(packet, hdr, meta);
        transition accept;
    }
}

control ShellVerifyChecksum(inout headers_t hdr, inout meta_t meta) {
    apply {
        verify_checksum(hdr.ipv4.isValid() && hdr.ipv4.ihl >= 5,
            { hdr.ipv4.version, hdr.ipv4.ihl, hdr.ipv4.dscp, hdr.ipv4.ecn, hdr.ipv4.total_length,
              hdr.ipv4.identification, hdr.ipv4.reserved, hdr.ipv4.do_not_fragment, hdr.ipv4.more_fragments,
              hdr.ipv4.fragment_offset, hdr.ipv4.ttl, hdr.ipv4.protocol, hdr.ipv4.src_addr, hdr.ipv4.dst_addr,
              hdr.ipv4_options.options },
            hdr.ipv4.header_checksum, HashAlgorithm.csum16);
    }
}

#endif
