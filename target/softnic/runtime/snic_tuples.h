/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules by hash: a tuple is a mask, and holds rules that care for all of its bits, by these bits.
 *
 * Rules that agree in the tuple's bits form a chain, of a few at most: a rule that finds its chain full has to be held
 * otherwise (snic_ternary.h). They may differ in the bits that the tuple leaves out, so that few tuples serve many
 * masks. A lookup asks each tuple once, but for those whose best priority can't win any more.
 *
 * Threads: as snic_rules.h. A bid in a chain is one word: a lookup sees the rule, or not. Chains and tuples that became
 * empty are unlinked, then retired.
 */
#ifndef SNIC_TUPLES_H
#define SNIC_TUPLES_H

#include "snic_exact.h"
#include "snic_rules.h"

enum { SNIC_CHAIN_BIDS = 4, SNIC_MOST_TUPLES = 64 };

struct snic_tuple {
    struct snic_exact chains;
    _Atomic int32_t top;        /* no rule here has a larger priority */
    _Alignas(8) uint8_t mask[]; /* key_room bytes */
};

struct snic_chain {
    snic_bid bids[SNIC_CHAIN_BIDS];
    struct snic_tuple *tuple;
    uint8_t key[]; /* key_room bytes, those of the mask */
};

struct snic_tuples {
    _Atomic(struct snic_tuple *) tuples[SNIC_MOST_TUPLES]; /* NULL: none */
    _Atomic uint32_t used;                                 /* tuples are below it */
    struct snic_cells chains;                              /* all tuples' */
    struct snic_epoch *epoch;
};

/* `numbers`: all rules' are below it. 0 or SNIC_NO_MEMORY; snic_tuples_destroy in any case. */
int snic_tuples_init(struct snic_tuples *tuples, uint32_t key_room, uint32_t numbers, struct snic_epoch *epoch);
void snic_tuples_destroy(struct snic_tuples *tuples);
/* A tuple with that mask, of no rules yet; NULL: there are enough, or no memory is left. */
struct snic_tuple *snic_tuples_open(struct snic_tuples *tuples, const uint8_t *mask);
/* The chain where the rule now is; 0: there is no room for it in any tuple, and nothing has changed. */
uint32_t snic_tuples_add(struct snic_tuples *tuples, const struct snic_rules *rules, uint64_t bid);
void snic_tuples_remove(struct snic_tuples *tuples, uint32_t chain, uint32_t number);
/* Closes tuples of no rules. */
void snic_tuples_prune(struct snic_tuples *tuples);
size_t snic_tuples_memory(const struct snic_tuples *tuples);

static inline void snic_mask_key(uint8_t *masked, const uint8_t *key, const uint8_t *mask, uint32_t room)
{
    for (uint32_t i = 0; i < room; i += 8) {
        uint64_t word = snic_word(key + i) & snic_word(mask + i);
        memcpy(masked + i, &word, 8);
    }
}

/* The chain of `key` in a tuple; 0: none. */
static inline uint32_t snic_tuple_chain(const struct snic_tuples *tuples, const struct snic_tuple *tuple,
                                        const uint8_t *key, uint32_t room)
{
    _Alignas(8) uint8_t masked[room];

    snic_mask_key(masked, key, tuple->mask, room);
    return snic_exact_search(&tuple->chains, &tuples->chains, masked, room, snic_key_hash(masked, room));
}

static inline void snic_tuples_search(const struct snic_tuples *tuples, const struct snic_rules *rules,
                                      const uint8_t *key, uint32_t room, struct snic_best *best)
{
    uint32_t used = atomic_load_explicit(&tuples->used, memory_order_acquire);

    for (uint32_t i = 0; i < used; i++) {
        struct snic_tuple *tuple = atomic_load_explicit(&tuples->tuples[i], memory_order_acquire);
        if (!tuple || (best->cell && atomic_load_explicit(&tuple->top, memory_order_relaxed) < best->priority))
            continue;
        uint32_t found = snic_tuple_chain(tuples, tuple, key, room);
        if (!found)
            continue;
        struct snic_chain *chain = snic_arena_at(&tuples->chains.arena, found);
        for (uint32_t at = 0; at < SNIC_CHAIN_BIDS; at++)
            snic_compete(rules, key, room, atomic_load_explicit(&chain->bids[at], memory_order_acquire), best);
    }
}

#endif
