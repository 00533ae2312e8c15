/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "snic_record.h"

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#define VECTOR 64u
/* As many as a receive ring would have in flight: not so few that all are in the first-level cache. */
#define BUFFERS 512u
#define VECTORS_BETWEEN_CLOCKS 16u
#define CACHE_LINE 64u

struct trace {
    struct snic_frame *frames; /* in the caller's memory */
    uint32_t count;
    uint32_t longest;
};

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t cycle_count(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    return 0;
#endif
}

static bool count_output(void *context, uint32_t port, const uint8_t *data, uint32_t length)
{
    struct snic_bench_result *result = context;
    (void)port, (void)data;
    result->outputs++;
    result->output_bytes += length;
    return true;
}

static bool count_digest(void *context, uint32_t digest, const uint8_t *values)
{
    struct snic_bench_result *result = context;
    (void)digest, (void)values;
    result->digests++;
    return true;
}

static bool forget_log(void *context, const char *text)
{
    (void)context, (void)text;
    return true;
}

static uint32_t count_records(const uint8_t *packets, size_t bytes)
{
    uint32_t count = 0;
    struct snic_record record;
    for (size_t at = 0; at < bytes; at += sizeof record + record.length, count++)
        memcpy(&record, packets + at, sizeof record);
    return count;
}

static bool read_trace(const uint8_t *packets, size_t bytes, struct trace *trace)
{
    *trace = (struct trace){.count = count_records(packets, bytes)};
    trace->frames = calloc(trace->count, sizeof *trace->frames);
    if (!trace->frames)
        return false;
    for (uint32_t i = 0; i < trace->count; i++) {
        struct snic_record record;
        memcpy(&record, packets, sizeof record);
        packets += sizeof record;
        trace->frames[i] = (struct snic_frame){(uint8_t *)packets, record.length, record.number};
        trace->longest = record.length > trace->longest ? record.length : trace->longest;
        packets += record.length;
    }
    return true;
}

static void feed(struct snic_worker *worker, const struct trace *trace, uint8_t *pool, size_t stride,
                 uint64_t duration_ns, struct snic_bench_result *result)
{
    const uint64_t start_ns = monotonic_ns(), start_cycles = cycle_count();
    uint32_t next = 0, buffer = 0;
    do {
        for (uint32_t vector = 0; vector < VECTORS_BETWEEN_CLOCKS; vector++) {
            struct snic_frame frames[VECTOR];
            for (uint32_t i = 0; i < VECTOR; i++) {
                frames[i] = trace->frames[next];
                frames[i].data = memcpy(pool + buffer * stride + SNIC_HEADROOM, frames[i].data, frames[i].length);
                next = next + 1 == trace->count ? 0 : next + 1;
                buffer = (buffer + 1) % BUFFERS;
            }
            snic_run(worker, frames, VECTOR);
        }
        result->packets += VECTORS_BETWEEN_CLOCKS * VECTOR;
        result->duration_ns = monotonic_ns() - start_ns;
    } while (result->duration_ns < duration_ns);
    result->cycles = cycle_count() - start_cycles;
}

int snic_bench(struct snic_worker *worker, const uint8_t *packets, size_t bytes, uint64_t duration_ns,
               struct snic_bench_result *result)
{
    struct trace trace;
    *result = (struct snic_bench_result){0};
    if (!read_trace(packets, bytes, &trace))
        return SNIC_NO_MEMORY;
    /* An odd number of cache lines apart, so that the buffers' beginnings are not all in the same sets. */
    const size_t stride = (SNIC_HEADROOM + trace.longest + CACHE_LINE) / CACHE_LINE * CACHE_LINE | CACHE_LINE;
    uint8_t *pool = aligned_alloc(CACHE_LINE, stride * BUFFERS);
    if (pool) {
        const struct snic_sink sink = worker->sink;
        worker->sink = (struct snic_sink){result, count_output, count_digest, forget_log};
        feed(worker, &trace, pool, stride, duration_ns, result);
        worker->sink = sink;
        free(pool);
    }
    free(trace.frames);
    return pool ? 0 : SNIC_NO_MEMORY;
}
