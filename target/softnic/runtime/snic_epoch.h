/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that readers may still see is released late: once every reader has left or entered anew.
 *
 * A worker is a reader while it runs a burst: it enters before the first packet and leaves behind the last. The writer
 * first unlinks, then retires. What is retired at epoch e is released when no reader is inside that entered at e or
 * before. A worker that is not inside holds nothing up.
 *
 * Threads: one writer (retire, reclaim, synchronize); reader n belongs to worker n. Retiring never fails: no more than
 * SNIC_RETIRED_ROOM things wait, then the writer does, for the burst that holds the oldest of them.
 */
#ifndef SNIC_EPOCH_H
#define SNIC_EPOCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "snic_worker.h"

#define SNIC_RETIRED_ROOM 1024u

typedef void snic_release(void *owner, uint64_t what);

struct snic_retired {
    uint64_t epoch;
    snic_release *release;
    void *owner;
    uint64_t what;
};

struct snic_epoch {
    _Atomic uint64_t now; /* from 1 */
    uint32_t first, waiting;
    struct snic_retired retired[SNIC_RETIRED_ROOM]; /* a ring, in the order of epochs */
    struct {
        _Alignas(64) _Atomic uint64_t entered; /* 0: outside */
    } readers[SNIC_MAX_WORKERS];
};

void snic_epoch_init(struct snic_epoch *epoch);

static inline void snic_epoch_enter(struct snic_epoch *epoch, uint32_t reader)
{
    uint64_t now = atomic_load(&epoch->now);
    uint64_t seen;
    /* Either the writer sees this reader inside, or the reader sees the epoch that began with the unlinking. */
    do {
        seen = now;
        atomic_exchange(&epoch->readers[reader].entered, seen);
        now = atomic_load(&epoch->now);
    } while (now != seen);
}

static inline void snic_epoch_leave(struct snic_epoch *epoch, uint32_t reader)
{
    atomic_store_explicit(&epoch->readers[reader].entered, 0, memory_order_release);
}

/* Calls `release(owner, what)` when no reader can see it any more. It must be unlinked already. */
void snic_retire(struct snic_epoch *epoch, snic_release *release, void *owner, uint64_t what);
/* The same for what malloc or calloc gave; NULL: nothing. */
void snic_retire_block(struct snic_epoch *epoch, void *block);
/* Releases what can be released by now. */
void snic_epoch_reclaim(struct snic_epoch *epoch);
/* Waits until no reader is inside that entered before this call. */
void snic_epoch_synchronize(struct snic_epoch *epoch);

#endif
