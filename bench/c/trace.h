/* SPDX-License-Identifier: Apache-2.0 */
/* What the measuring programs share: a capture in memory, a clock, and how to give up.
 *
 * One thread; a trace is the caller's until the program ends. Errors end the program with a message on stderr: these
 * are measuring instruments, not libraries.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define PCAP_NANOSECONDS 0xa1b23c4du /* the magic number of a pcap with nanoseconds */

struct pcap_record {
    uint32_t seconds, fraction, length, original_length;
};

struct packet {
    uint8_t *data;
    uint32_t length;
};

struct trace {
    struct packet *packets;
    size_t count;
};

/* All packets of a pcap in this machine's byte order, none longer than `max_bytes`. */
struct trace read_trace(const char *path, uint32_t max_bytes);

uint64_t clock_ns(clockid_t clock);

/* End the program with `what` and the reason. */
_Noreturn void die(const char *what);

#endif
