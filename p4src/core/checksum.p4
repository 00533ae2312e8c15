// SPDX-License-Identifier: Apache-2.0
// Ones' complement sums, for checksums carried along with a change: HC' = ~(~HC + ~m + m'), RFC 1624 eqn. 3.
#ifndef CORE_CHECKSUM_P4
#define CORE_CHECKSUM_P4

#include "header_types.p4"

// Up to 65,536 words' sum to one word, with end-around carry.
bit<16> fold(in bit<32> sum) {
    bit<32> once = (sum & 0xffff) + (sum >> 16);
    return once[15:0] + once[31:16];
}

// Of a header without options, its checksum included, not folded: folds to all ones when the checksum is right.
bit<32> sum_of_header(in ipv4_t ipv4) {
    return (bit<32>)(ipv4.version ++ ipv4.ihl ++ ipv4.dscp ++ ipv4.ecn) + (bit<32>)ipv4.total_length
        + (bit<32>)ipv4.identification
        + (bit<32>)(ipv4.reserved ++ ipv4.do_not_fragment ++ ipv4.more_fragments ++ ipv4.fragment_offset)
        + (bit<32>)(ipv4.ttl ++ ipv4.protocol) + (bit<32>)ipv4.header_checksum
        + (bit<32>)ipv4.src_addr[31:16] + (bit<32>)ipv4.src_addr[15:0]
        + (bit<32>)ipv4.dst_addr[31:16] + (bit<32>)ipv4.dst_addr[15:0];
}

// ~m + m' of two words or of one, not folded: below 4 * 65,536.
bit<32> change_of_addr(in bit<32> was, in bit<32> is) {
    return (bit<32>)~was[31:16] + (bit<32>)~was[15:0] + (bit<32>)is[31:16] + (bit<32>)is[15:0];
}

bit<32> change_of_word(in bit<16> was, in bit<16> is) {
    return (bit<32>)~was + (bit<32>)is;
}

bit<16> changed(in bit<16> checksum, in bit<32> change) {
    return ~fold((bit<32>)~checksum + change);
}

#endif
