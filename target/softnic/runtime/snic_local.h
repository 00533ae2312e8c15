/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands behind a struct snic_worker: its own counters, and where the engine's state is.
 *
 * Threads: a worker alone writes its counters, and anyone may read them: relaxed atomics, no locked instructions.
 */
#ifndef SNIC_LOCAL_H
#define SNIC_LOCAL_H

#include "snic_extern.h"
#include "snic_table.h"

struct snic_hits {
    _Atomic uint64_t hits, misses;
};

struct snic_round_robin; /* snic_hash.h */

struct snic_local {
    struct snic_worker worker; /* what the world sees: a pointer to it is one to this */
    struct snic_table *tables;
    struct snic_externs *externs;
    struct snic_round_robin *round_robins;
    const bool *shared;         /* the engine has other workers */
    struct snic_hits *hits;     /* by table */
    struct snic_tally **direct; /* by table, then by the entry's number; NULL: no direct counter */
    struct snic_tally **counted; /* by counter, then by index */
    uint8_t *buffers;
};

static inline struct snic_local *snic_local_of(struct snic_worker *worker)
{
    return (struct snic_local *)worker;
}

static inline void snic_add(_Atomic uint64_t *sum, uint64_t by)
{
    atomic_store_explicit(sum, atomic_load_explicit(sum, memory_order_relaxed) + by, memory_order_relaxed);
}

static inline void snic_tally_add(struct snic_tally *tally, uint64_t bytes)
{
    snic_add(&tally->packets, 1);
    snic_add(&tally->bytes, bytes);
}

#endif
