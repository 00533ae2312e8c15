// SPDX-License-Identifier: Apache-2.0
// Takes the frame out of a tunnel that ends here: what it carries gets the plain names, and nothing behind this stage
// sees that there was a tunnel. Where that carries no Ethernet, the header around the tunnel stands for it.
#ifndef STAGES_GATEWAY_DECAPSULATION_P4
#define STAGES_GATEWAY_DECAPSULATION_P4

control Decapsulation(inout headers_t hdr, inout meta_t meta) {
    action strip() {
        hdr.outer_tag.setInvalid();
        hdr.arp = hdr.inner_arp;
        hdr.ipv4 = hdr.inner_ipv4;
        hdr.ipv4_options = hdr.inner_ipv4_options;
        hdr.ipv6 = hdr.inner_ipv6;
        hdr.ipv6_fragment = hdr.inner_ipv6_fragment;
        hdr.icmp = hdr.inner_icmp;
        hdr.icmp_echo = hdr.inner_icmp_echo;
        hdr.tcp = hdr.inner_tcp;
        hdr.udp = hdr.inner_udp;
        hdr.vxlan.setInvalid();
        hdr.geneve.setInvalid();
        hdr.geneve_options.setInvalid();
        hdr.gtpu.setInvalid();
        hdr.gtpu_optional.setInvalid();
        hdr.gtpu_extension.setInvalid();
        hdr.gre.setInvalid();
        hdr.gre_key.setInvalid();
        hdr.gre_sequence.setInvalid();
        hdr.inner_ethernet.setInvalid();
        hdr.inner_arp.setInvalid();
        hdr.inner_ipv4.setInvalid();
        hdr.inner_ipv4_options.setInvalid();
        hdr.inner_ipv6.setInvalid();
        hdr.inner_ipv6_fragment.setInvalid();
        hdr.inner_icmp.setInvalid();
        hdr.inner_icmp_echo.setInvalid();
        hdr.inner_tcp.setInvalid();
        hdr.inner_udp.setInvalid();
    }

    apply {
        bit<2> outer_ecn = hdr.ipv4.isValid() ? hdr.ipv4.ecn : hdr.ipv6.ecn;

        if (hdr.inner_ethernet.isValid()) {
            hdr.ethernet = hdr.inner_ethernet;
        } else {
            meta.frame.any_mac = true;
            hdr.ethernet.ether_type =
                hdr.inner_ipv4.isValid() ? (bit<16>)ether_type_t.IPV4 : (bit<16>)ether_type_t.IPV6;
        }

        if (hdr.inner_ipv4.isValid()) {
            bit<32> sum = sum_of_header(hdr.inner_ipv4);
            if (hdr.inner_ipv4_options.isValid()) {
                bit<16> options_checksum = 0;
                CSUM16(options_checksum, hdr.inner_ipv4_options.options);
                sum = sum + (bit<32>)~options_checksum;
            }
            meta.frame.ipv4_checksum_bad = fold(sum) != 0xffff;
        }

        strip();

        // RFC 6040 4.2: what the underlay says of congestion is carried on, to who can be told.
        if (outer_ecn == ecn_t.CE || outer_ecn == ecn_t.ECT_1) {
            if (hdr.ipv4.isValid() && hdr.ipv4.ecn != ecn_t.NOT_ECT && hdr.ipv4.ecn != ecn_t.CE) {
                hdr.ipv4.header_checksum = changed(hdr.ipv4.header_checksum,
                    change_of_word((bit<16>)hdr.ipv4.ecn, (bit<16>)outer_ecn));
                hdr.ipv4.ecn = outer_ecn;
            } else if (hdr.ipv6.isValid() && hdr.ipv6.ecn != ecn_t.NOT_ECT && hdr.ipv6.ecn != ecn_t.CE) {
                hdr.ipv6.ecn = outer_ecn;
            }
        }
    }
}

#endif
