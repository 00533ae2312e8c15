/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sink that keeps what a worker sends, and what it is fed with: packets in and results out as one string of records
 * each way (snic_record.h), so that a caller in another language crosses over once for any number of packets.
 *
 * A collector belongs to the thread that runs its worker; it must go before its worker's engine does.
 */
#ifndef SNIC_COLLECT_H
#define SNIC_COLLECT_H

#include "snic_engine.h"
#include "snic_record.h"

/* `data` holds `used` bytes of records: what the last snic_collect brought, valid until the next. */
struct snic_collector {
    uint8_t *data;
    size_t used;
    size_t room;
    size_t limit;
    struct snic_worker *worker;
};

/*
 * Becomes the sink of `worker`. Grows up to `limit` bytes; what does not fit then is lost, and counted by the worker.
 * NULL: no memory.
 */
struct snic_collector *snic_collector_new(struct snic_worker *worker, size_t limit);
void snic_collector_free(struct snic_collector *collector);
/* Runs the packets whose records make up `packets`, in order. 0 or a negative enum snic_error: it stopped there. */
int snic_collect(struct snic_collector *collector, const uint8_t *packets, size_t bytes);

#endif
