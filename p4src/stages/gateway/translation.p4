// SPDX-License-Identifier: Apache-2.0
// Carries out what NAT decided: addresses and ports or the ICMP identifier, and every checksum they are part of
// (RFC 3022 4.1). A checksum that was wrong stays wrong.
#ifndef STAGES_GATEWAY_TRANSLATION_P4
#define STAGES_GATEWAY_TRANSLATION_P4

control Translation(inout headers_t hdr, inout meta_t meta) {
    apply {
        if (meta.flow.translated) {
            bit<32> addr_change = change_of_addr(hdr.ipv4.src_addr, meta.flow.src_addr)
                + change_of_addr(hdr.ipv4.dst_addr, meta.flow.dst_addr);
            bit<32> port_change = change_of_word(meta.lookup.src_port, meta.flow.src_port)
                + change_of_word(meta.lookup.dst_port, meta.flow.dst_port);
            hdr.ipv4.src_addr = meta.flow.src_addr;
            hdr.ipv4.dst_addr = meta.flow.dst_addr;
            hdr.ipv4.header_checksum = changed(hdr.ipv4.header_checksum, addr_change);

            if (hdr.tcp.isValid()) {
                hdr.tcp.src_port = meta.flow.src_port;
                hdr.tcp.dst_port = meta.flow.dst_port;
                hdr.tcp.checksum = changed(hdr.tcp.checksum, addr_change + port_change);
            } else if (hdr.udp.isValid()) {
                hdr.udp.src_port = meta.flow.src_port;
                hdr.udp.dst_port = meta.flow.dst_port;
                if (hdr.udp.checksum != 0) {  // RFC 768: there is none
                    hdr.udp.checksum = changed(hdr.udp.checksum, addr_change + port_change);
                    if (hdr.udp.checksum == 0) {
                        hdr.udp.checksum = 0xffff;
                    }
                }
            } else if (hdr.icmp_echo.isValid()) {
                // No pseudo-header (RFC 792). One of the ports is the identifier, the other is zero before and after.
                hdr.icmp_echo.identifier = meta.flow.src_port | meta.flow.dst_port;
                hdr.icmp.checksum = changed(hdr.icmp.checksum, port_change);
            }
        }
    }
}

#endif
