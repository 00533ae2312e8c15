/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ternary and range match. Rules with a mask in common are found by hash (snic_tuples.h), all others by bit vectors
 * (snic_vectors.h).
 *
 * Hashing costs the same for each tuple, vectors the same for each 512 rules. So rules begin as bits; when a block of
 * these is full, the mask that serves most of them becomes a tuple, if it serves enough.
 *
 * Threads: as snic_rules.h. A rule on its way from vectors to a tuple is in both: a lookup, which goes through the
 * vectors first, meets it at least once.
 */
#ifndef SNIC_TERNARY_H
#define SNIC_TERNARY_H

#include "snic_tuples.h"
#include "snic_vectors.h"

struct snic_ternary {
    struct snic_rules rules;
    struct snic_vectors vectors;
    struct snic_tuples tuples;
    uint32_t *place; /* by number: a chain, or a bit with IN_VECTORS */
    uint32_t numbers;
};

/* `numbers`: all are below it. 0 or SNIC_NO_MEMORY; snic_ternary_destroy in any case. */
int snic_ternary_init(struct snic_ternary *ternary, const struct snic_table_desc *desc, struct snic_cells *cells,
                      _Atomic uint32_t *cell_of, uint32_t numbers, struct snic_epoch *epoch);
void snic_ternary_destroy(struct snic_ternary *ternary);
/* The number leads to its cell already. `sequence`: of insertion. 0, or SNIC_NO_MEMORY and nothing has changed. */
int snic_ternary_add(struct snic_ternary *ternary, uint32_t number, int32_t priority, uint64_t sequence);
void snic_ternary_remove(struct snic_ternary *ternary, uint32_t number);
/* `used`: how many numbers have been in use. */
size_t snic_ternary_memory(const struct snic_ternary *ternary, uint32_t used);

/* What was seen in the vectors happened before what is seen in the tuples. */
static inline void snic_vectors_before_tuples(void)
{
#ifndef __SANITIZE_THREAD__ /* which knows no fences, and misses none */
    atomic_thread_fence(memory_order_acquire);
#endif
}

/* The winning cell; 0: none. `room`: key_room, a constant where programs look up. */
static inline uint32_t snic_ternary_search(const struct snic_ternary *ternary, const uint8_t *key, uint32_t room)
{
    struct snic_best best = {0, 0, 0};

    snic_vectors_search(&ternary->vectors, &ternary->rules, key, room, &best);
    snic_vectors_before_tuples();
    snic_tuples_search(&ternary->tuples, &ternary->rules, key, room, &best);
    return best.cell;
}

#endif
