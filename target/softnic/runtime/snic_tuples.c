/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_tuples.h"

#include <stdlib.h>

static struct snic_tuple *tuple_at(const struct snic_tuples *tuples, uint32_t place)
{
    return atomic_load_explicit(&tuples->tuples[place], memory_order_relaxed);
}

static uint32_t used(const struct snic_tuples *tuples)
{
    return atomic_load_explicit(&tuples->used, memory_order_relaxed);
}

static struct snic_chain *chain_at(const struct snic_tuples *tuples, uint32_t chain)
{
    return snic_arena_at(&tuples->chains.arena, chain);
}

static uint64_t bid_at(const struct snic_chain *chain, uint32_t at)
{
    return atomic_load_explicit(&chain->bids[at], memory_order_relaxed);
}

static uint64_t hash_of(const struct snic_tuples *tuples, const struct snic_chain *chain)
{
    return snic_key_hash(chain->key, tuples->chains.key_room);
}

/* ---- tuples ----------------------------------------------------------------------------------------------------- */

struct snic_tuple *snic_tuples_open(struct snic_tuples *tuples, const uint8_t *mask)
{
    uint32_t place = 0;

    while (place < used(tuples) && tuple_at(tuples, place))
        place++;
    struct snic_tuple *tuple = place < SNIC_MOST_TUPLES ? calloc(1, sizeof *tuple + tuples->chains.key_room) : NULL;
    if (!tuple)
        return NULL;
    if (snic_exact_init(&tuple->chains)) {
        free(tuple);
        return NULL;
    }
    memcpy(tuple->mask, mask, tuples->chains.key_room);
    atomic_init(&tuple->top, INT32_MIN);
    atomic_store_explicit(&tuples->tuples[place], tuple, memory_order_release);
    if (place == used(tuples))
        atomic_store_explicit(&tuples->used, place + 1, memory_order_release);
    return tuple;
}

static void close_tuple(struct snic_tuple *tuple)
{
    snic_exact_destroy(&tuple->chains);
    free(tuple);
}

static void release_tuple(void *tuple, uint64_t unused)
{
    (void)unused;
    close_tuple(tuple);
}

void snic_tuples_prune(struct snic_tuples *tuples)
{
    for (uint32_t place = 0; place < used(tuples); place++) {
        struct snic_tuple *tuple = tuple_at(tuples, place);
        if (!tuple || tuple->chains.count)
            continue;
        atomic_store_explicit(&tuples->tuples[place], NULL, memory_order_release);
        snic_retire(tuples->epoch, release_tuple, tuple, 0);
    }
}

/* ---- rules ------------------------------------------------------------------------------------------------------ */

static bool covers(const uint8_t *cares, const uint8_t *mask, uint32_t room)
{
    return snic_equal_masked(cares, mask, mask, room);
}

static void release_chain(void *arena, uint64_t chain)
{
    snic_arena_give(arena, (uint32_t)chain);
}

/* A chain of this one rule, published; 0: no memory is left. */
static uint32_t new_chain(struct snic_tuples *tuples, struct snic_tuple *tuple, const uint8_t *key, uint64_t bid)
{
    uint32_t made = snic_arena_take(&tuples->chains.arena);

    if (!made)
        return 0;
    struct snic_chain *chain = chain_at(tuples, made);
    chain->tuple = tuple;
    snic_mask_key(chain->key, key, tuple->mask, tuples->chains.key_room);
    atomic_store_explicit(&chain->bids[0], bid, memory_order_relaxed);
    if (snic_exact_add(&tuple->chains, &tuples->chains, tuples->epoch, hash_of(tuples, chain), made)) {
        snic_arena_give(&tuples->chains.arena, made);
        return 0;
    }
    return made;
}

static bool join(struct snic_chain *chain, uint64_t bid)
{
    for (uint32_t at = 0; at < SNIC_CHAIN_BIDS; at++)
        if (!bid_at(chain, at)) {
            atomic_store_explicit(&chain->bids[at], bid, memory_order_release);
            return true;
        }
    return false;
}

static uint32_t add_to_tuple(struct snic_tuples *tuples, struct snic_tuple *tuple, const uint8_t *key, uint64_t bid)
{
    uint32_t chain = snic_tuple_chain(tuples, tuple, key, tuples->chains.key_room);

    if (snic_bid_priority(bid) > atomic_load_explicit(&tuple->top, memory_order_relaxed))
        atomic_store_explicit(&tuple->top, snic_bid_priority(bid), memory_order_relaxed);
    if (!chain)
        return new_chain(tuples, tuple, key, bid);
    return join(chain_at(tuples, chain), bid) ? chain : 0;
}

uint32_t snic_tuples_add(struct snic_tuples *tuples, const struct snic_rules *rules, uint64_t bid)
{
    uint32_t room = tuples->chains.key_room, cell = snic_rule_cell(rules, bid), chain = 0;
    _Alignas(8) uint8_t cares[room];

    if (!used(tuples))
        return 0;
    snic_rule_cares(rules, cell, cares);
    for (uint32_t place = 0; place < used(tuples) && !chain; place++) {
        struct snic_tuple *tuple = tuple_at(tuples, place);
        if (tuple && covers(cares, tuple->mask, room))
            chain = add_to_tuple(tuples, tuple, snic_cell_key(rules->cells, cell), bid);
    }
    return chain;
}

void snic_tuples_remove(struct snic_tuples *tuples, uint32_t from, uint32_t number)
{
    struct snic_chain *chain = chain_at(tuples, from);
    uint32_t others = 0;

    for (uint32_t at = 0; at < SNIC_CHAIN_BIDS; at++)
        if (snic_bid_number(bid_at(chain, at)) == number)
            atomic_store_explicit(&chain->bids[at], 0, memory_order_release);
        else
            others += bid_at(chain, at) != 0;
    if (others)
        return;
    snic_exact_remove(&chain->tuple->chains, hash_of(tuples, chain), from);
    snic_retire(tuples->epoch, release_chain, &tuples->chains.arena, from);
    if (!chain->tuple->chains.count)
        snic_tuples_prune(tuples);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

size_t snic_tuples_memory(const struct snic_tuples *tuples)
{
    size_t bytes = snic_arena_memory(&tuples->chains.arena);

    for (uint32_t place = 0; place < used(tuples); place++)
        if (tuple_at(tuples, place))
            bytes += snic_exact_memory(&tuple_at(tuples, place)->chains);
    return bytes;
}

int snic_tuples_init(struct snic_tuples *tuples, uint32_t key_room, uint32_t numbers, struct snic_epoch *epoch)
{
    uint32_t key_at = offsetof(struct snic_chain, key), bytes = key_at + key_room;

    *tuples = (struct snic_tuples){.epoch = epoch};
    tuples->chains = (struct snic_cells){.key_at = key_at, .key_room = key_room, .identity_room = key_room};
    return snic_arena_init(&tuples->chains.arena, (bytes + 63) / 64 * 64, numbers);
}

void snic_tuples_destroy(struct snic_tuples *tuples)
{
    for (uint32_t place = 0; place < used(tuples); place++)
        if (tuple_at(tuples, place))
            close_tuple(tuple_at(tuples, place));
    snic_arena_destroy(&tuples->chains.arena);
}
