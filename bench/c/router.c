/* SPDX-License-Identifier: Apache-2.0 */
/* What bench/p4/router.p4 does, as one would write it by hand: the same six lookups, the same bytes out.
 *
 * router TABLES TRACE.pcap WINDOWS SECONDS [OUT.pcap]
 */
#include "harness.h"
#include "table.h"
#include "wire.h"

#include <inttypes.h>

enum { IN_PORT = 0, MAX_NEXTHOPS = 4096 };

struct nexthop {
    uint8_t dst[6], src[6];
};

struct router {
    struct table port_mapping, bd, fib, nexthop, rewrite_mac;
    struct table prefixes[33]; /* one for each length */
    struct nexthop rewrites[MAX_NEXTHOPS];
};

static uint64_t route_key(uint32_t vrf, uint32_t address)
{
    return (uint64_t)vrf << 32 | address;
}

static uint32_t longest_prefix(const struct router *router, uint32_t vrf, uint32_t address)
{
    for (int length = 32; length > 0; length--) {
        if (!router->prefixes[length].count)
            continue;
        uint32_t prefix = address & (UINT32_MAX << (32 - length));
        uint32_t nexthop = table_find(&router->prefixes[length], route_key(vrf, prefix));
        if (nexthop != NOT_FOUND)
            return nexthop;
    }
    return NOT_FOUND;
}

int process(struct packet *packet, const void *tables)
{
    const struct router *router = tables;
    struct ethernet *ethernet = (struct ethernet *)packet->data;
    struct ipv4 *ip = (struct ipv4 *)(ethernet + 1);

    if (packet->length < sizeof *ethernet + sizeof *ip || ethernet->ether_type != ETHER_TYPE_IPV4 || ip->ttl <= 1)
        return 0;

    uint32_t bd = table_find(&router->port_mapping, IN_PORT);
    if (bd == NOT_FOUND)
        return 0;
    uint32_t vrf = table_find(&router->bd, bd);
    if (vrf == NOT_FOUND)
        return 0;
    uint32_t address = be32toh(ip->dst);
    uint32_t nexthop = table_find(&router->fib, route_key(vrf, address));
    if (nexthop == NOT_FOUND)
        nexthop = longest_prefix(router, vrf, address);
    if (nexthop == NOT_FOUND || table_find(&router->nexthop, nexthop) == NOT_FOUND)
        return 0;
    uint32_t rewrite = table_find(&router->rewrite_mac, nexthop);
    if (rewrite == NOT_FOUND)
        return 0;

    memcpy(ethernet, &router->rewrites[rewrite], sizeof(struct nexthop));
    ip->ttl--;
    ip->checksum = 0;
    ip->checksum = ipv4_checksum(ip);
    return 1;
}

static void read_line(struct router *router, const char *line)
{
    uint32_t a, b, c, nexthop;
    uint64_t src, dst;

    if (sscanf(line, "port %" SCNu32 " %" SCNu32, &a, &b) == 2)
        table_insert(&router->port_mapping, a, b);
    else if (sscanf(line, "bd %" SCNu32 " %" SCNu32, &a, &b) == 2)
        table_insert(&router->bd, a, b);
    else if (sscanf(line, "route %" SCNu32 " %" SCNu32 "/%" SCNu32 " %" SCNu32, &a, &b, &c, &nexthop) == 4)
        table_insert(c == 32 ? &router->fib : &router->prefixes[c], route_key(a, b), nexthop);
    else if (sscanf(line, "nexthop %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64, &a, &b, &src, &dst) == 4
             && a < MAX_NEXTHOPS) {
        table_insert(&router->nexthop, a, b);
        table_insert(&router->rewrite_mac, a, a);
        put_mac(router->rewrites[a].src, src);
        put_mac(router->rewrites[a].dst, dst);
    } else
        die(line);
}

int main(int argc, char **argv)
{
    static struct router router;
    char line[256];
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;

    if (!file)
        die("TABLES");
    router.port_mapping = table_new(4);
    router.bd = table_new(4);
    router.fib = table_new(4);
    router.nexthop = table_new(4);
    router.rewrite_mac = table_new(4);
    for (int length = 0; length <= 32; length++)
        router.prefixes[length] = table_new(4);
    while (next_line(file, line, sizeof line))
        read_line(&router, line);
    fclose(file);
    return harness(&router, argc - 2, argv + 2);
}
