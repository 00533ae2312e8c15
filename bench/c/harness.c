/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PACKETS_PER_CLOCK = 4096 };

char *next_line(FILE *file, char *line, size_t size)
{
    if (!fgets(line, (int)size, file))
        return NULL;
    line[strcspn(line, "\n")] = 0;
    return line;
}

static inline struct packet fresh_copy(const struct packet *from, uint8_t *buffer)
{
    struct packet copy = {buffer + HEADROOM, from->length};

    memcpy(copy.data, from->data, from->length);
    return copy;
}

static void write_pass(const void *tables, struct trace trace, const char *path)
{
    static const uint32_t header[6] = {PCAP_NANOSECONDS, 4u << 16 | 2, 0, 0, 262144, 1};
    uint8_t buffer[BUFFER_BYTES];
    FILE *file = fopen(path, "wb");

    if (!file)
        die(path);
    fwrite(header, sizeof header, 1, file);
    for (size_t i = 0; i < trace.count; i++) {
        struct packet packet = fresh_copy(&trace.packets[i], buffer);
        if (!process(&packet, tables))
            continue;
        struct pcap_record record = {0, (uint32_t)i, packet.length, packet.length};
        fwrite(&record, sizeof record, 1, file);
        fwrite(packet.data, packet.length, 1, file);
    }
    fclose(file);
}

static void run_window(const void *tables, struct trace trace, uint8_t *buffers, uint64_t length_ns,
                       int is_counted)
{
    uint64_t packets = 0, sent = 0, end;
    uint64_t cpu_start = clock_ns(CLOCK_THREAD_CPUTIME_ID), start = clock_ns(CLOCK_MONOTONIC);
    size_t next = 0;

    do {
        for (int i = 0; i < PACKETS_PER_CLOCK; i++) {
            uint8_t *buffer = buffers + (size_t)(i % BUFFERS) * BUFFER_BYTES;
            struct packet packet = fresh_copy(&trace.packets[next], buffer);

            sent += (uint64_t)process(&packet, tables);
            if (++next == trace.count)
                next = 0;
        }
        packets += PACKETS_PER_CLOCK;
        end = clock_ns(CLOCK_MONOTONIC);
    } while (end - start < length_ns);
    if (sent != packets)
        die("packets were dropped");
    if (is_counted)
        printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", packets, end - start,
               clock_ns(CLOCK_THREAD_CPUTIME_ID) - cpu_start);
    fflush(stdout);
}

int harness(const void *tables, int argc, char **argv)
{
    if (argc < 3)
        die("arguments");
    struct trace trace = read_trace(argv[0], BUFFER_BYTES - HEADROOM);
    int windows = atoi(argv[1]);
    uint64_t length_ns = (uint64_t)(atof(argv[2]) * 1e9);

    if (argc > 3) {
        write_pass(tables, trace, argv[3]);
        return 0;
    }
    uint8_t *buffers = aligned_alloc(64, (size_t)BUFFERS * BUFFER_BYTES);
    if (!buffers)
        die("buffers");
    for (int window = 0; window <= windows; window++)
        run_window(tables, trace, buffers, length_ns, window > 0);
    return 0;
}
