/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_offload.h"

#include <string.h>

enum { GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_UDP_L4 = 5, GSO_ECN = 0x80 };
enum { IPV4 = 0x0800, IPV6 = 0x86DD, TAG_C = 0x8100, TAG_S = 0x88A8, TCP = 6, UDP = 17 };
enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80, TCP_CHECKSUM = 16, UDP_CHECKSUM = 6 };
enum { ETHERNET_ADDRESSES_BYTES = 12, MIN_IP_HEADER_BYTES = 20, IPV6_HEADER_BYTES = 40 };
enum { MIN_TCP_HEADER_BYTES = 20, UDP_HEADER_BYTES = 8 };

static uint32_t load16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t load32(const uint8_t *at)
{
    return load16(at) << 16 | load16(at + 2);
}

static void store16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void store32(uint8_t *at, uint32_t value)
{
    store16(at, value >> 16);
    store16(at + 2, value);
}

/* The unfolded ones' complement sum (RFC 1071); an odd last byte is padded with zero. */
static uint64_t sum16(const uint8_t *data, uint32_t length, uint64_t sum)
{
    for (; length >= 4; data += 4, length -= 4)
        sum += load32(data);
    if (length >= 2) {
        sum += load16(data);
        data += 2;
        length -= 2;
    }
    return length ? sum + ((uint32_t)data[0] << 8) : sum;
}

static uint32_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return ~(uint32_t)sum & 0xFFFF;
}

/* A UDP checksum of 0 says that there is none (RFC 768); for the others 0 and 0xFFFF are the same. */
static void store_checksum(uint8_t *at, uint32_t checksum)
{
    store16(at, checksum ? checksum : 0xFFFF);
}

bool snic_needs_segmentation(const struct snic_vnet_header *header)
{
    return (header->gso_type & ~GSO_ECN) != GSO_NONE;
}

bool snic_complete_checksum(uint8_t *frame, uint32_t length, uint32_t start, uint32_t offset)
{
    if (start + offset + 2 > length)
        return false;
    store_checksum(frame + start + offset, fold(sum16(frame + start, length - start, 0)));
    return true;
}

/* Offset of the network header; 0 in a frame too short for one. */
static uint32_t network_header(const uint8_t *frame, uint32_t length, uint32_t *ether_type)
{
    uint32_t offset = ETHERNET_ADDRESSES_BYTES;

    for (; offset + 2 <= length; offset += 4) {
        *ether_type = load16(frame + offset);
        if (*ether_type != TAG_C && *ether_type != TAG_S)
            return offset + 2;
    }
    return 0;
}

/* Inside a tunnel the outer headers would need new lengths too: refused, and so counted, rather than sent wrong. */
static bool is_directly_within_ip(const uint8_t *frame, uint32_t network, uint32_t ether_type, uint32_t transport,
                                  uint32_t protocol)
{
    if (ether_type == IPV4)
        return frame[network + 9] == protocol && network + (frame[network] & 0xFu) * 4 == transport;
    return ether_type == IPV6 && frame[network + 6] == protocol && network + IPV6_HEADER_BYTES == transport;
}

static uint32_t transport_header_bytes(const uint8_t *frame, uint32_t length, uint32_t transport, bool udp)
{
    if (udp)
        return UDP_HEADER_BYTES;
    if (transport + MIN_TCP_HEADER_BYTES > length)
        return 0;
    uint32_t bytes = (frame[transport + 12] >> 4) * 4u;
    return bytes < MIN_TCP_HEADER_BYTES ? 0 : bytes;
}

bool snic_segments_begin(struct snic_segments *segments, const uint8_t *frame, uint32_t length,
                         const struct snic_vnet_header *header)
{
    uint32_t kind = header->gso_type & ~(uint32_t)GSO_ECN, transport = header->checksum_start, ether_type = 0;
    uint32_t network = network_header(frame, length, &ether_type);
    bool udp = kind == GSO_UDP_L4;

    if ((!udp && kind != GSO_TCPV4 && kind != GSO_TCPV6) || !(header->flags & SNIC_VNET_NEEDS_CHECKSUM) ||
        !header->gso_bytes)
        return false;
    if (!network || transport < network + MIN_IP_HEADER_BYTES || transport >= length)
        return false;
    uint32_t header_bytes = transport_header_bytes(frame, length, transport, udp);
    if (!header_bytes || transport + header_bytes >= length)
        return false;
    if (!is_directly_within_ip(frame, network, ether_type, transport, udp ? UDP : TCP))
        return false;
    *segments = (struct snic_segments){
        .frame = frame,
        .length = length,
        .network = network,
        .transport = transport,
        .payload = transport + header_bytes,
        .position = transport + header_bytes,
        .segment_bytes = header->gso_bytes,
        .ipv6 = ether_type == IPV6,
        .udp = udp,
    };
    return true;
}

static void set_ip_length(const struct snic_segments *s, uint8_t *out, uint32_t length)
{
    uint8_t *ip = out + s->network;

    if (s->ipv6) {
        store16(ip + 4, length - s->network - IPV6_HEADER_BYTES);
        return;
    }
    store16(ip + 2, length - s->network);
    store16(ip + 4, load16(ip + 4) + s->index);
    store16(ip + 10, 0);
    store16(ip + 10, fold(sum16(ip, (ip[0] & 0xFu) * 4, 0)));
}

static void set_tcp_part(const struct snic_segments *s, uint8_t *tcp, bool is_last)
{
    store32(tcp + 4, load32(tcp + 4) + s->position - s->payload);
    if (!is_last)
        tcp[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
    if (s->index)
        tcp[13] &= (uint8_t)~TCP_CWR;
}

static void set_transport_checksum(const struct snic_segments *s, uint8_t *out, uint32_t length)
{
    uint8_t *at = out + s->transport + (s->udp ? UDP_CHECKSUM : TCP_CHECKSUM);
    const uint8_t *addresses = out + s->network + (s->ipv6 ? 8 : 12);
    uint64_t sum = (uint64_t)(length - s->transport) + (s->udp ? UDP : TCP);

    store16(at, 0);
    sum = sum16(addresses, s->ipv6 ? 32 : 8, sum);
    store_checksum(at, fold(sum16(out + s->transport, length - s->transport, sum)));
}

uint32_t snic_segments_next(struct snic_segments *s, uint8_t *out)
{
    uint32_t left = s->length - s->position;

    if (!left)
        return 0;
    uint32_t bytes = left < s->segment_bytes ? left : s->segment_bytes, length = s->payload + bytes;
    memcpy(out, s->frame, s->payload);
    memcpy(out + s->payload, s->frame + s->position, bytes);
    if (s->udp)
        store16(out + s->transport + 4, UDP_HEADER_BYTES + bytes);
    else
        set_tcp_part(s, out + s->transport, bytes == left);
    set_ip_length(s, out, length);
    set_transport_checksum(s, out, length);
    s->position += bytes;
    s->index++;
    return length;
}

uint8_t *snic_insert_vlan_tag(uint8_t *frame, uint16_t tpid, uint16_t tci)
{
    uint8_t *start = frame - 4;

    memmove(start, frame, ETHERNET_ADDRESSES_BYTES);
    store16(start + ETHERNET_ADDRESSES_BYTES, tpid);
    store16(start + ETHERNET_ADDRESSES_BYTES + 2, tci);
    return start;
}
