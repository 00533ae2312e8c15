/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_ternary.h"

#include <stdlib.h>

#define IN_VECTORS 0x80000000u

/* Rules that a mask is chosen by, at most; of how many of them masks are tried; one of how many it must serve. */
enum { MOST_SAMPLES = 512, TRIED_RULES = 16, WORTHWHILE = 8 };
/* How many leading bits of what a rule cares for make a mask. Fewer serve more rules, until chains fill. */
static const uint32_t MASK_BITS[] = {16, 32, 64, UINT32_MAX};

/* ---- choosing a mask -------------------------------------------------------------------------------------------- */

/* Rules in the vectors: what they care for, and their keys, each of `room` bytes. */
struct samples {
    uint32_t count, room;
    uint8_t *bytes;
};

static uint8_t *cares_of(const struct samples *samples, uint32_t sample)
{
    return samples->bytes + (size_t)sample * 2 * samples->room;
}

static uint8_t *key_of(const struct samples *samples, uint32_t sample)
{
    return cares_of(samples, sample) + samples->room;
}

static void take_samples(const struct snic_ternary *ternary, struct samples *samples)
{
    uint32_t bits = ternary->vectors.count + snic_vectors_room(&ternary->vectors);
    uint32_t step = bits / MOST_SAMPLES ? bits / MOST_SAMPLES : 1;

    for (uint32_t bit = 0; bit < bits && samples->count < MOST_SAMPLES; bit += step) {
        uint64_t bid = snic_vectors_bid(&ternary->vectors, bit);
        if (!bid)
            continue;
        uint32_t cell = snic_rule_cell(&ternary->rules, bid);
        snic_rule_cares(&ternary->rules, cell, cares_of(samples, samples->count));
        memcpy(key_of(samples, samples->count), snic_cell_key(ternary->rules.cells, cell), samples->room);
        samples->count++;
    }
}

/* The first bytes of `cares` that have `bits` bits, or all. */
static void make_mask(const uint8_t *cares, uint32_t room, uint32_t bits, uint8_t *mask)
{
    for (uint32_t i = 0, taken = 0; i < room; i++) {
        mask[i] = taken < bits ? cares[i] : 0;
        taken += (uint32_t)__builtin_popcount(mask[i]);
    }
}

/* About how many of the rules a tuple of that mask would hold: keys are told apart by a part of their hash. */
static uint32_t served(const struct samples *samples, const uint8_t *mask)
{
    enum { CHAINS = 4 * MOST_SAMPLES };
    uint8_t chains[CHAINS] = {0};
    _Alignas(8) uint8_t masked[samples->room];
    uint32_t count = 0;

    for (uint32_t i = 0; i < samples->count; i++) {
        if (!snic_equal_masked(cares_of(samples, i), mask, mask, samples->room))
            continue;
        snic_mask_key(masked, key_of(samples, i), mask, samples->room);
        uint8_t *chain = &chains[snic_key_hash(masked, samples->room) % CHAINS];
        count += *chain < SNIC_CHAIN_BIDS;
        *chain += *chain < SNIC_CHAIN_BIDS;
    }
    return count;
}

/* The mask that serves most; false: none is worth a tuple. */
static bool choose_mask(const struct samples *samples, uint8_t *best)
{
    _Alignas(8) uint8_t mask[samples->room];
    uint32_t most = samples->count / WORTHWHILE, step = samples->count / TRIED_RULES + 1;
    bool found = false;

    for (uint32_t i = 0; i < samples->count; i += step)
        for (uint32_t j = 0; j < sizeof MASK_BITS / sizeof MASK_BITS[0]; j++) {
            make_mask(cares_of(samples, i), samples->room, MASK_BITS[j], mask);
            uint32_t count = served(samples, mask);
            if (count <= most)
                continue;
            most = count;
            memcpy(best, mask, samples->room);
            found = true;
        }
    return found;
}

static bool choose_mask_for(const struct snic_ternary *ternary, uint8_t *mask)
{
    struct samples samples = {.room = ternary->rules.cells->key_room};

    samples.bytes = calloc(MOST_SAMPLES, 2 * (size_t)samples.room);
    if (!samples.bytes)
        return false;
    take_samples(ternary, &samples);
    bool found = choose_mask(&samples, mask);
    free(samples.bytes);
    return found;
}

/* ---- moving ----------------------------------------------------------------------------------------------------- */

/* Whatever a tuple has room for leaves the vectors. */
static void move_rules(struct snic_ternary *ternary)
{
    uint32_t bits = ternary->vectors.count + snic_vectors_room(&ternary->vectors);

    for (uint32_t bit = 0; bit < bits; bit++) {
        uint64_t bid = snic_vectors_bid(&ternary->vectors, bit);
        uint32_t chain = bid ? snic_tuples_add(&ternary->tuples, &ternary->rules, bid) : 0;
        if (!chain)
            continue;
        snic_vectors_remove(&ternary->vectors, &ternary->rules, bit);
        ternary->place[snic_bid_number(bid)] = chain;
    }
}

static void relieve_vectors(struct snic_ternary *ternary)
{
    _Alignas(8) uint8_t mask[ternary->rules.cells->key_room];

    if (choose_mask_for(ternary, mask) && snic_tuples_open(&ternary->tuples, mask)) {
        move_rules(ternary);
        snic_tuples_prune(&ternary->tuples);
    }
}

/* ---- what the table calls --------------------------------------------------------------------------------------- */

int snic_ternary_add(struct snic_ternary *ternary, uint32_t number, int32_t priority, uint64_t sequence)
{
    uint64_t bid = snic_make_bid(priority, number);
    uint32_t bit;

    ternary->rules.sequence[number] = sequence;
    if (!snic_vectors_room(&ternary->vectors) && ternary->vectors.count >= SNIC_BLOCK_WORDS * 64)
        relieve_vectors(ternary);
    uint32_t chain = snic_tuples_add(&ternary->tuples, &ternary->rules, bid);
    if (!chain && snic_vectors_add(&ternary->vectors, &ternary->rules, bid, &bit))
        return SNIC_NO_MEMORY;
    ternary->place[number] = chain ? chain : bit | IN_VECTORS;
    return SNIC_OK;
}

void snic_ternary_remove(struct snic_ternary *ternary, uint32_t number)
{
    uint32_t place = ternary->place[number];

    if (place & IN_VECTORS)
        snic_vectors_remove(&ternary->vectors, &ternary->rules, place & ~IN_VECTORS);
    else
        snic_tuples_remove(&ternary->tuples, place, number);
}

size_t snic_ternary_memory(const struct snic_ternary *ternary, uint32_t used)
{
    size_t per_number = sizeof *ternary->rules.sequence + sizeof *ternary->place;

    return snic_vectors_memory(&ternary->vectors) + snic_tuples_memory(&ternary->tuples) + used * per_number;
}

int snic_ternary_init(struct snic_ternary *ternary, const struct snic_table_desc *desc, struct snic_cells *cells,
                      _Atomic uint32_t *cell_of, uint32_t numbers, struct snic_epoch *epoch)
{
    *ternary = (struct snic_ternary){.numbers = numbers};
    ternary->rules = (struct snic_rules){.desc = desc, .cells = cells, .cell_of = cell_of};
    for (uint32_t i = 0; i < desc->n_fields; i++)
        ternary->rules.has_ranges |= desc->fields[i].match == SNIC_RANGE;
    ternary->rules.sequence = snic_reserve(numbers * sizeof *ternary->rules.sequence);
    ternary->place = snic_reserve(numbers * sizeof *ternary->place);
    int error = snic_vectors_init(&ternary->vectors, epoch);
    if (!error)
        error = snic_tuples_init(&ternary->tuples, cells->key_room, numbers, epoch);
    return error || !ternary->rules.sequence || !ternary->place ? SNIC_NO_MEMORY : SNIC_OK;
}

void snic_ternary_destroy(struct snic_ternary *ternary)
{
    snic_tuples_destroy(&ternary->tuples);
    snic_vectors_destroy(&ternary->vectors);
    snic_unreserve(ternary->place, ternary->numbers * sizeof *ternary->place);
    snic_unreserve(ternary->rules.sequence, ternary->numbers * sizeof *ternary->rules.sequence);
}
