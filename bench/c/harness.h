/* SPDX-License-Identifier: Apache-2.0 */
/* The loop around a hand-written pipeline: packets from a pcap, each copied to a fresh buffer, processed and counted.
 *
 * One thread. The trace and the tables belong to the program until it ends; a buffer belongs to `process` for the time
 * of the call and is used again BUFFERS packets later. Errors end the program with a message on stderr: this is a
 * measuring instrument, not a library.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include "trace.h"

#include <stdio.h>

enum {
    BUFFERS = 512,       /* as many as a NIC's ring would have in flight */
    BUFFER_BYTES = 2048, /* what DPDK and the kernel take for a frame of up to 1500 */
    HEADROOM = 128,      /* for headers put in front, as in an mbuf */
};

/*
 * The program's pipeline. 1: send the packet, 0: drop it. There are HEADROOM writable bytes before `packet->data`. Not
 * a pointer, so that the linker can inline it (-flto).
 */
int process(struct packet *packet, const void *tables);

/*
 * Arguments after the program's own: TRACE.pcap WINDOWS SECONDS [OUT.pcap]. Prints "packets wall_ns cpu_ns" for each
 * window after a first that is not counted; with OUT.pcap, writes one pass there and measures nothing.
 */
int harness(const void *tables, int argc, char **argv);

/* The next line of the tables file, without its newline; NULL at the end. */
char *next_line(FILE *file, char *line, size_t size);

#endif
