/* SPDX-License-Identifier: Apache-2.0 */
/* Headers as they are on the wire, in network byte order, and the Internet checksum (RFC 1071). */
#ifndef WIRE_H
#define WIRE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define ETHER_TYPE_IPV4 htobe16(0x0800)
enum { PROTOCOL_UDP = 17 };

struct ethernet {
    uint8_t dst[6], src[6];
    uint16_t ether_type;
} __attribute__((packed));

struct ipv4 {
    uint8_t version_ihl, tos;
    uint16_t total_length, identification, flags_fragment;
    uint8_t ttl, protocol;
    uint16_t checksum;
    uint32_t src, dst;
} __attribute__((packed));

struct udp {
    uint16_t src_port, dst_port, length, checksum;
} __attribute__((packed));

struct vxlan {
    uint32_t flags, vni; /* VNI in the upper 24 bits */
} __attribute__((packed));

/* Of a header without options whose checksum field is 0. */
static inline uint16_t ipv4_checksum(const struct ipv4 *ip)
{
    uint16_t words[10];
    uint32_t sum = 0;

    memcpy(words, ip, sizeof words);
    for (int i = 0; i < 10; i++)
        sum += words[i];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~(sum + (sum >> 16));
}

/* The low 48 bits of `mac`, as they go on the wire. */
static inline void put_mac(uint8_t *at, uint64_t mac)
{
    uint64_t wire = htobe64(mac << 16);

    memcpy(at, &wire, 6);
}

#endif
