/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PCAP_HEADER_BYTES = 24 };

_Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, errno ? strerror(errno) : "malformed");
    exit(1);
}

struct trace read_trace(const char *path, uint32_t max_bytes)
{
    struct trace trace = {0};
    size_t room = 0;
    uint8_t header[PCAP_HEADER_BYTES];
    struct pcap_record record;
    FILE *file = fopen(path, "rb");

    if (!file || fread(header, sizeof header, 1, file) != 1)
        die(path);
    while (fread(&record, sizeof record, 1, file) == 1) {
        if (trace.count == room) {
            room = room ? 2 * room : 1024;
            trace.packets = realloc(trace.packets, room * sizeof *trace.packets);
        }
        struct packet *packet = &trace.packets[trace.count++];
        packet->length = record.length;
        packet->data = malloc(record.length);
        if (record.length > max_bytes || fread(packet->data, record.length, 1, file) != 1)
            die(path);
    }
    fclose(file);
    if (!trace.count)
        die(path);
    return trace;
}

uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
