/* SPDX-License-Identifier: Apache-2.0 */
/* Sends a trace over and over into an interface, evenly, and prints "packets duration_ns".
 *
 * generate INTERFACE TRACE.pcap PACKETS_PER_SECOND SECONDS
 */
#define _GNU_SOURCE
#include "link.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FRAME_BYTES = 1514, SMALL_BATCH = 8 };

static struct mmsghdr messages[BATCH];
static struct iovec vectors[BATCH];

static void point_at(struct trace trace, size_t *next, int count)
{
    for (int i = 0; i < count; i++) {
        vectors[i] = (struct iovec){trace.packets[*next].data, trace.packets[*next].length};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
        *next = *next + 1 == trace.count ? 0 : *next + 1;
    }
}

int main(int argc, char **argv)
{
    if (argc != 5)
        die("arguments");
    int fd = open_sender(argv[1]);
    struct trace trace = read_trace(argv[2], MAX_FRAME_BYTES);
    double rate = atof(argv[3]);
    uint64_t length_ns = (uint64_t)(atof(argv[4]) * 1e9);
    /* Slow receivers should see single packets, not bursts that only their queues are measured by. */
    int batch = rate < 200e3 ? SMALL_BATCH : BATCH;
    uint64_t sent = 0, start = clock_ns(CLOCK_MONOTONIC), elapsed = 0;
    size_t next = 0;

    while (elapsed < length_ns) {
        if ((double)sent * 1e9 <= (double)elapsed * rate) {
            point_at(trace, &next, batch);
            int done = sendmmsg(fd, messages, (unsigned)batch, 0);
            if (done < 0)
                die(argv[1]);
            sent += (uint64_t)done;
        }
        elapsed = clock_ns(CLOCK_MONOTONIC) - start;
    }
    printf("%" PRIu64 " %" PRIu64 "\n", sent, elapsed);
    return 0;
}
