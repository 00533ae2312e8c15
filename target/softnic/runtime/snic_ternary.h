/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ternary and range match by bit vectors: for each byte of the key and each value it may have, which entries agree.
 *
 * The entries that match are the bits that all bytes' vectors have in common; the best of these wins: larger priority,
 * then earlier insertion. Bytes that no entry cares for have no vectors. Up to 64 entries a vector is one word; beyond
 * that the processor's own vectors take 512 entries at each step. A range that its bytes' vectors can't express is
 * compared once a bit says that it may match.
 *
 * An entry's bit is its dense number (snic_call.index). Larger vectors, or vectors for one more byte, are built anew
 * and published.
 *
 * Threads: one writer; readers are lock-free, inside an epoch. An entry's own bit in `taken` is set last and cleared
 * first, and its number is not taken again before readers have passed: a lookup sees the entry entirely or not at all.
 */
#ifndef SNIC_TERNARY_H
#define SNIC_TERNARY_H

#include "snic_cell.h"
#include "snic_epoch.h"

typedef _Atomic uint64_t snic_bits;

/* Words that are taken at a time: a cache line. */
enum { SNIC_BLOCK_WORDS = 8 };
typedef uint64_t snic_block __attribute__((vector_size(64), aligned(64), may_alias));

struct snic_vectors {
    size_t bytes;
    uint32_t n_columns;
    uint32_t words;   /* of a vector: one, or whole blocks */
    uint16_t *column; /* which byte of the key */
    snic_bits *taken; /* one vector: numbers in use */
    snic_bits *rows;  /* n_columns x 256 vectors */
};

/* In which order entries win, by their numbers. */
struct snic_rank {
    int64_t priority;
    uint64_t sequence; /* of insertion */
};

struct snic_ternary {
    _Atomic(struct snic_vectors *) vectors;
    const struct snic_table_desc *desc;
    struct snic_cells *cells;
    struct snic_epoch *epoch;
    _Atomic uint32_t *cell_of; /* the table's: cells by number */
    struct snic_rank *ranks;   /* by number */
    size_t ranks_bytes;
    bool has_ranges;
};

/* `numbers`: all are below it. 0 or SNIC_NO_MEMORY; snic_ternary_destroy in any case. */
int snic_ternary_init(struct snic_ternary *ternary, const struct snic_table_desc *desc, struct snic_cells *cells,
                      _Atomic uint32_t *cell_of, uint32_t numbers, struct snic_epoch *epoch);
void snic_ternary_destroy(struct snic_ternary *ternary);
/* The entry's number leads to its cell already. */
int snic_ternary_add(struct snic_ternary *ternary, uint32_t cell, struct snic_rank rank);
void snic_ternary_remove(struct snic_ternary *ternary, uint32_t cell);
size_t snic_ternary_memory(const struct snic_ternary *ternary);

/* Whether the range fields of an entry hold those of `key`. */
bool snic_ternary_in_ranges(const struct snic_ternary *ternary, const uint8_t *key, uint32_t cell);

static inline bool snic_rank_before(struct snic_rank a, struct snic_rank b)
{
    return a.priority != b.priority ? a.priority > b.priority : a.sequence < b.sequence;
}

/* The vector of a column for a value of its byte. */
static inline snic_bits *snic_vector(const struct snic_vectors *vectors, uint32_t column, uint8_t value)
{
    return vectors->rows + ((size_t)column * 256 + value) * vectors->words;
}

/* What the vectors for all bytes of `key` have in common, where a vector is one word. */
static inline uint64_t snic_common_word(const struct snic_vectors *vectors, const uint8_t *key)
{
    uint64_t common = atomic_load_explicit(&vectors->taken[0], memory_order_acquire);
    for (uint32_t i = 0; i < vectors->n_columns; i++)
        common &= atomic_load_explicit(snic_vector(vectors, i, key[vectors->column[i]]), memory_order_relaxed);
    return common;
}

/*
 * Cuts the block `words`, which begins at word `at` of `taken`, down to what all bytes agree on. The writer changes
 * other entries' bits meanwhile, by whole words, and a block is loaded by words or more: ThreadSanitizer, which wants
 * each to be an atomic load, is not asked.
 */
__attribute__((no_sanitize("thread"))) static inline void
snic_common_block(const struct snic_vectors *vectors, const uint8_t *key, uint32_t at, uint64_t *words)
{
    snic_block common;
    memcpy(&common, words, sizeof common);
    for (uint32_t i = 0; i < vectors->n_columns; i++)
        common &= *(const snic_block *)(snic_vector(vectors, i, key[vectors->column[i]]) + at);
    memcpy(words, &common, sizeof common);
}

struct snic_best {
    uint32_t cell; /* 0: none yet */
    struct snic_rank rank;
};

/* Lets the entries whose bits are set, numbered from `first`, compete. */
static inline void snic_compete(const struct snic_ternary *ternary, const uint8_t *key, uint64_t matches,
                                uint32_t first, struct snic_best *best)
{
    for (; matches; matches &= matches - 1) {
        uint32_t number = first + (uint32_t)__builtin_ctzll(matches);
        if (best->cell && !snic_rank_before(ternary->ranks[number], best->rank))
            continue;
        uint32_t cell = atomic_load_explicit(&ternary->cell_of[number], memory_order_acquire);
        if (!ternary->has_ranges || snic_ternary_in_ranges(ternary, key, cell))
            *best = (struct snic_best){cell, ternary->ranks[number]};
    }
}

/* The winning cell; 0: none. */
static inline uint32_t snic_ternary_search(const struct snic_ternary *ternary, const uint8_t *key)
{
    const struct snic_vectors *vectors = atomic_load_explicit(&ternary->vectors, memory_order_acquire);
    struct snic_best best = {0, {0, 0}};
    uint64_t words[SNIC_BLOCK_WORDS];

    if (vectors->words == 1)
        snic_compete(ternary, key, snic_common_word(vectors, key), 0, &best);
    else
        for (uint32_t at = 0; at < vectors->words; at += SNIC_BLOCK_WORDS) {
            for (uint32_t i = 0; i < SNIC_BLOCK_WORDS; i++)
                words[i] = atomic_load_explicit(&vectors->taken[at + i], memory_order_acquire);
            snic_common_block(vectors, key, at, words);
            for (uint32_t i = 0; i < SNIC_BLOCK_WORDS; i++)
                snic_compete(ternary, key, words[i], (at + i) * 64, &best);
        }
    return best.cell;
}

#endif
