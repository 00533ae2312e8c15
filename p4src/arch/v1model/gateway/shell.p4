// SPDX-License-Identifier: Apache-2.0
// `gateway` in v1model: the only place that knows standard_metadata. It gives the program what came with the packet,
// and turns the program's verdict into what simple_switch understands. Each packet's end is counted here, once.
#ifndef ARCH_V1MODEL_GATEWAY_SHELL_P4
#define ARCH_V1MODEL_GATEWAY_SHELL_P4

#include <arrival.p4>

control IngressPipe(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t standard_metadata) {
    COUNTER(drop_reason, drop_reason_t, DROP_REASONS);
    COUNTER(outcome, outcome_t, OUTCOMES);
    Pipeline() pipeline;

    apply {
        meta.frame.too_short = standard_metadata.parser_error != error.NoError;  // the parser can fail in no other way
        meta.frame.ipv4_checksum_bad = standard_metadata.checksum_error == 1;
        meta.clock.now_ms = (bit<32>)(standard_metadata.ingress_global_timestamp >> 10);  // from microseconds
        COUNT(outcome, outcome_t.RECEIVED);

        pipeline.apply(hdr, meta);

        if (meta.verdict.kind == verdict_t.SEND) {
            COUNT(outcome, outcome_t.SENT);
            standard_metadata.egress_spec = (bit<9>)meta.verdict.egress_port;
        } else if (meta.verdict.kind == verdict_t.PUNT) {
            COUNT(outcome, outcome_t.PUNTED);
            standard_metadata.egress_spec = (bit<9>)CPU_PORT;
        } else {
            COUNT(outcome, outcome_t.DROPPED);
            COUNT(drop_reason, meta.verdict.drop_reason);
            mark_to_drop(standard_metadata);
        }
    }
}

control EgressPipe(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t standard_metadata) {
    EgressPipeline() pipeline;

    apply {
        pipeline.apply(hdr, meta);
    }
}

// What follows underlay_udp in a frame; what the program does not know follows by itself, as payload.
#define UDP_CONTENT \
    hdr.underlay_vxlan, hdr.underlay_geneve, hdr.underlay_geneve_option, hdr.underlay_gtpu, hdr.ethernet, hdr.arp, \
    hdr.ipv4, hdr.ipv4_options.options, hdr.ipv6, hdr.ipv6_fragment, hdr.icmp, hdr.icmp_echo, hdr.tcp, hdr.udp, \
    hdr.vxlan, hdr.geneve, hdr.geneve_options.options, hdr.gtpu, hdr.gtpu_optional, hdr.gtpu_extension, hdr.gre, \
    hdr.gre_key, hdr.gre_sequence, hdr.inner_ethernet, hdr.inner_arp, hdr.inner_ipv4, \
    hdr.inner_ipv4_options.options, hdr.inner_ipv6, hdr.inner_ipv6_fragment, hdr.inner_icmp, hdr.inner_icmp_echo, \
    hdr.inner_tcp, hdr.inner_udp

control ShellComputeChecksum(inout headers_t hdr, inout meta_t meta) {
    apply {
        update_checksum(hdr.underlay_ipv4.isValid(),
            { hdr.underlay_ipv4.version, hdr.underlay_ipv4.ihl, hdr.underlay_ipv4.dscp, hdr.underlay_ipv4.ecn,
              hdr.underlay_ipv4.total_length, hdr.underlay_ipv4.identification, hdr.underlay_ipv4.reserved,
              hdr.underlay_ipv4.do_not_fragment, hdr.underlay_ipv4.more_fragments, hdr.underlay_ipv4.fragment_offset,
              hdr.underlay_ipv4.ttl, hdr.underlay_ipv4.protocol, hdr.underlay_ipv4.src_addr,
              hdr.underlay_ipv4.dst_addr },
            hdr.underlay_ipv4.header_checksum, HashAlgorithm.csum16);

        update_checksum_with_payload(
            hdr.underlay_udp.isValid() && meta.encapsulation.udp_checksum && !meta.encapsulation.is_ipv6,
            { hdr.underlay_ipv4.src_addr, hdr.underlay_ipv4.dst_addr, 8w0, hdr.underlay_ipv4.protocol,
              hdr.underlay_udp.length, hdr.underlay_udp.src_port, hdr.underlay_udp.dst_port, hdr.underlay_udp.length,
              UDP_CONTENT },
            hdr.underlay_udp.checksum, HashAlgorithm.csum16);
        update_checksum_with_payload(
            hdr.underlay_udp.isValid() && meta.encapsulation.udp_checksum && meta.encapsulation.is_ipv6,
            { hdr.underlay_ipv6.src_addr, hdr.underlay_ipv6.dst_addr, 16w0, hdr.underlay_udp.length, 24w0,
              hdr.underlay_ipv6.next_header, hdr.underlay_udp.src_port, hdr.underlay_udp.dst_port,
              hdr.underlay_udp.length, UDP_CONTENT },
            hdr.underlay_udp.checksum, HashAlgorithm.csum16);

        // RFC 768, RFC 8200 8.1: a sum of zero is sent as all ones, which is what the sum over a zero comes to.
        update_checksum(
            hdr.underlay_udp.isValid() && meta.encapsulation.udp_checksum && hdr.underlay_udp.checksum == 0,
            { 16w0 }, hdr.underlay_udp.checksum, HashAlgorithm.csum16);
    }
}

V1Switch(ShellParser(), ShellVerifyChecksum(), IngressPipe(), EgressPipe(), ShellComputeChecksum(), FrameDeparser()) main;

#endif
