/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker: what one thread needs to run packets, and the only thing of the runtime that packet code writes to
 * without sharing it.
 *
 * Ownership: an engine owns its workers; a worker is used by one thread at a time. Workers read the engine's tables
 * without locks (snic_epoch.h says when memory they may still see is freed). Counters are per worker and summed when
 * read; registers and meters are shared and carry their own spin lock.
 */
#ifndef SNIC_WORKER_H
#define SNIC_WORKER_H

#include <stdint.h>

#include "snic_program.h"

#define SNIC_DROP_PORT 511u
/* Writable bytes in front of a frame's data: room for headers that the program adds. */
#define SNIC_HEADROOM 512u
#define SNIC_MAX_FRAME_BYTES (65535u + 22u)
#define SNIC_MAX_WORKERS 16u

/* A received frame. `data` has SNIC_HEADROOM writable bytes in front of it; the program may overwrite all of it. */
struct snic_frame {
    uint8_t *data;
    uint32_t length;
    uint32_t port;
};

/* What happened to packets that P4 leaves undefined; the order is that of snic_anomaly_names. */
enum snic_anomaly {
    SNIC_ACTION_ENDLESS,
    SNIC_VARBIT_NOT_ASSIGNABLE,
    SNIC_RANDOM_RANGE_EMPTY,
    SNIC_COUNTER_INDEX_OUT_OF_RANGE,
    SNIC_METER_INDEX_OUT_OF_RANGE,
    SNIC_REGISTER_INDEX_OUT_OF_RANGE,
    SNIC_STACK_INDEX_OUT_OF_RANGE,
    SNIC_PARSER_ENDLESS,
    SNIC_ASSERT_FAILED,
    SNIC_ASSUME_FAILED,
    SNIC_INGRESS_PASSES_EXCEEDED,
    SNIC_EGRESS_PASSES_EXCEEDED,
    SNIC_DIVISION_UNDEFINED,
    SNIC_SHIFT_NEGATIVE,
    SNIC_SELECTOR_GROUP_EMPTY,
    SNIC_OUTPUT_LOST,   /* the sink had no room */
    SNIC_DIGEST_LOST,   /* likewise */
    SNIC_LOG_LOST,      /* likewise */
    SNIC_QUEUE_FULL,    /* one received packet became more copies at a time than snic_copies.h has room for */
    SNIC_ANOMALIES
};

/*
 * Where a worker's results go. Bytes are valid during the call only. Each returns false when the sink had no room: the
 * worker counts the loss.
 */
struct snic_sink {
    void *context;
    bool (*output)(void *context, uint32_t port, const uint8_t *data, uint32_t length);
    bool (*digest)(void *context, uint32_t digest, const uint8_t *values);
    bool (*log)(void *context, const char *text);
};

struct snic_engine; /* snic_engine.h */

struct snic_worker {
    struct snic_engine *engine;
    uint32_t number; /* 0 .. SNIC_MAX_WORKERS - 1 */
    uint64_t now_ns; /* monotonic; set by whoever calls `run`, once a burst */
    uint64_t now_us; /* since the engine was made: simple_switch's clock */
    uint64_t random[4];
    struct snic_sink sink;
    void *scratch; /* the program's: program->scratch_bytes */
    uint64_t anomalies[SNIC_ANOMALIES];
};

static inline void snic_anomaly(struct snic_worker *worker, enum snic_anomaly what)
{
    /* The worker alone counts, and anyone may read: no locked instruction. */
    __atomic_store_n(&worker->anomalies[what], worker->anomalies[what] + 1, __ATOMIC_RELAXED);
}

static inline void snic_output(struct snic_worker *worker, uint32_t port, const uint8_t *data, uint32_t length)
{
    if (!worker->sink.output(worker->sink.context, port, data, length))
        snic_anomaly(worker, SNIC_OUTPUT_LOST);
}

static inline void snic_digest(struct snic_worker *worker, uint32_t digest, const uint8_t *values)
{
    if (!worker->sink.digest(worker->sink.context, digest, values))
        snic_anomaly(worker, SNIC_DIGEST_LOST);
}

#endif
