/* SPDX-License-Identifier: Apache-2.0 */
/* Linux interfaces by AF_PACKET, sending in batches past the queueing discipline. */
#ifndef LINK_H
#define LINK_H

#include "trace.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <sys/socket.h>

enum { BATCH = 64 };

static inline void bind_to(int fd, const char *interface, uint16_t protocol)
{
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(protocol),
                                  .sll_ifindex = (int)if_nametoindex(interface)};

    if (!address.sll_ifindex || bind(fd, (struct sockaddr *)&address, sizeof address))
        die(interface);
}

/* A socket that only sends (protocol 0: nothing is delivered to it). */
static inline int open_sender(const char *interface)
{
    int fd = socket(AF_PACKET, SOCK_RAW, 0), one = 1;

    if (fd < 0)
        die("socket");
    bind_to(fd, interface, 0);
    if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one))
        die("PACKET_QDISC_BYPASS");
    return fd;
}

#endif
