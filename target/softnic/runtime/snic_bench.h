/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a program runs when memory feeds it: the same packets over and over, each time copied into a fresh buffer,
 * through a worker whose output is counted and forgotten.
 *
 * One call runs one worker on the calling thread; callers run several side by side. The worker's sink is back in place
 * when the call returns.
 */
#ifndef SNIC_BENCH_H
#define SNIC_BENCH_H

#include "snic_engine.h"

struct snic_bench_result {
    uint64_t packets;
    uint64_t outputs;
    uint64_t output_bytes;
    uint64_t digests;
    uint64_t duration_ns;
    uint64_t cycles; /* of the time stamp counter; 0 where there is none */
};

/* `packets`: records (snic_record.h), at least one. 0 or a negative enum snic_error. */
int snic_bench(struct snic_worker *worker, const uint8_t *packets, size_t bytes, uint64_t duration_ns,
               struct snic_bench_result *result);

#endif
