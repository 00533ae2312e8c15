/* SPDX-License-Identifier: Apache-2.0 */
/* What bench/p4/vxlan_encap.p4 does, as one would write it by hand: the same lookup, the same bytes out.
 *
 * vxlan_encap TABLES TRACE.pcap WINDOWS SECONDS [OUT.pcap]
 */
#include "harness.h"
#include "table.h"
#include "wire.h"

#include <inttypes.h>

enum {
    MAX_TUNNELS = 65536,
    VXLAN_PORT = 4789,
    FIRST_DYNAMIC_PORT = 49152,
    DYNAMIC_PORTS = 16384,
    FLOW_BYTES = 13,
};
#define CRC32_POLYNOMIAL 0xedb88320u /* IEEE 802.3, bits reversed */

struct outer {
    struct ethernet ethernet;
    struct ipv4 ip;
    struct udp udp;
    struct vxlan vxlan;
} __attribute__((packed));

struct encapsulation {
    struct table tunnel;
    struct outer outers[MAX_TUNNELS];
    uint32_t crc_of_byte[256];
};

static uint16_t entropy(const struct encapsulation *tables, const struct ipv4 *ip, const struct udp *udp)
{
    uint8_t flow[FLOW_BYTES];
    uint32_t crc = UINT32_MAX;

    memcpy(flow, &ip->src, 8);
    flow[8] = ip->protocol;
    memcpy(flow + 9, &udp->src_port, 4);
    for (int i = 0; i < FLOW_BYTES; i++)
        crc = crc >> 8 ^ tables->crc_of_byte[(crc ^ flow[i]) & 0xff];
    return (uint16_t)(FIRST_DYNAMIC_PORT + ~crc % DYNAMIC_PORTS);
}

static uint64_t mac_key(const uint8_t *mac)
{
    uint64_t wire = 0;

    memcpy(&wire, mac, 6);
    return wire;
}

int process(struct packet *packet, const void *context)
{
    const struct encapsulation *tables = context;
    const struct ethernet *ethernet = (const struct ethernet *)packet->data;
    const struct ipv4 *ip = (const struct ipv4 *)(ethernet + 1);
    const struct udp *udp = (const struct udp *)(ip + 1);

    if (packet->length < sizeof *ethernet + sizeof *ip + sizeof *udp || ethernet->ether_type != ETHER_TYPE_IPV4
        || ip->protocol != PROTOCOL_UDP)
        return 0;
    uint32_t tunnel = table_find(&tables->tunnel, mac_key(ethernet->dst));
    if (tunnel == NOT_FOUND)
        return 0;

    struct outer *outer = (struct outer *)packet->data - 1;
    uint16_t inner_bytes = (uint16_t)packet->length;
    *outer = tables->outers[tunnel];
    outer->udp.src_port = htobe16(entropy(tables, ip, udp));
    outer->udp.length = htobe16((uint16_t)(sizeof outer->udp + sizeof outer->vxlan + inner_bytes));
    outer->ip.total_length = htobe16((uint16_t)(sizeof *outer - sizeof outer->ethernet + inner_bytes));
    outer->ip.checksum = ipv4_checksum(&outer->ip);
    packet->data = (uint8_t *)outer;
    packet->length += (uint32_t)sizeof *outer;
    return 1;
}

static void read_line(struct encapsulation *tables, const char *line)
{
    uint64_t station, next_hop, own;
    uint32_t local, remote, vni, index = tables->tunnel.count;
    uint8_t mac[6];

    if (index == MAX_TUNNELS
        || sscanf(line, "tunnel %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNu32 " %" SCNu32, &station,
                  &next_hop, &own, &local, &remote, &vni) != 6)
        die(line);
    struct outer *outer = &tables->outers[index];
    put_mac(outer->ethernet.dst, next_hop);
    put_mac(outer->ethernet.src, own);
    outer->ethernet.ether_type = ETHER_TYPE_IPV4;
    outer->ip = (struct ipv4){.version_ihl = 0x45, .flags_fragment = htobe16(0x4000), .ttl = 64,
                              .protocol = PROTOCOL_UDP, .src = htobe32(local), .dst = htobe32(remote)};
    outer->udp.dst_port = htobe16(VXLAN_PORT);
    outer->vxlan = (struct vxlan){htobe32(0x08000000), htobe32(vni << 8)};
    put_mac(mac, station);
    table_insert(&tables->tunnel, mac_key(mac), index);
}

static void fill_crc_table(uint32_t *crc_of_byte)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
        crc_of_byte[byte] = crc;
    }
}

int main(int argc, char **argv)
{
    static struct encapsulation tables;
    char line[256];
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;

    if (!file)
        die("TABLES");
    tables.tunnel = table_new(4);
    fill_crc_table(tables.crc_of_byte);
    while (next_line(file, line, sizeof line))
        read_line(&tables, line);
    fclose(file);
    return harness(&tables, argc - 2, argv + 2);
}
