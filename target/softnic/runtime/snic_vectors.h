/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules by bit vectors: for each byte of the key and each value it may have, which rules agree.
 *
 * The rules that may match are the bits that all bytes' vectors have in common. Bytes that no rule cares for have no
 * vectors. Up to 64 rules a vector is one word; beyond that the processor's own vectors take 512 rules at each step.
 * Larger vectors, or vectors for one more byte, are built anew and published.
 *
 * Threads: as snic_rules.h. A rule's bit in `taken` is set last and cleared first: a lookup sees the rule, or not.
 */
#ifndef SNIC_VECTORS_H
#define SNIC_VECTORS_H

#include "snic_epoch.h"
#include "snic_rules.h"

typedef _Atomic uint64_t snic_bits;

/* Words that are taken at a time: a cache line. */
enum { SNIC_BLOCK_WORDS = 8 };
typedef uint64_t snic_block __attribute__((vector_size(64), aligned(64), may_alias));

struct snic_bit_rows {
    size_t bytes;
    uint32_t n_columns;
    uint32_t words;   /* of a vector: one, or whole blocks */
    uint16_t *column; /* which byte of the key */
    snic_bid *bids;   /* by bit */
    snic_bits *taken; /* one vector: bits in use */
    snic_bits *rows;  /* n_columns x 256 vectors */
};

struct snic_vectors {
    _Atomic(struct snic_bit_rows *) rows;
    struct snic_epoch *epoch;
    uint32_t count;
};

/* 0 or SNIC_NO_MEMORY; snic_vectors_destroy in any case. */
int snic_vectors_init(struct snic_vectors *vectors, struct snic_epoch *epoch);
void snic_vectors_destroy(struct snic_vectors *vectors);
/* Sets `*bit`. 0, or SNIC_NO_MEMORY and nothing has changed. */
int snic_vectors_add(struct snic_vectors *vectors, const struct snic_rules *rules, uint64_t bid, uint32_t *bit);
void snic_vectors_remove(struct snic_vectors *vectors, const struct snic_rules *rules, uint32_t bit);
/* How many rules there is room for before vectors must grow. */
uint32_t snic_vectors_room(const struct snic_vectors *vectors);
/* The bid at a bit; 0: none. */
uint64_t snic_vectors_bid(const struct snic_vectors *vectors, uint32_t bit);
size_t snic_vectors_memory(const struct snic_vectors *vectors);

/* The vector of a column for a value of its byte. */
static inline snic_bits *snic_vector(const struct snic_bit_rows *rows, uint32_t column, uint8_t value)
{
    return rows->rows + ((size_t)column * 256 + value) * rows->words;
}

/* What the vectors for all bytes of `key` have in common, where a vector is one word. */
static inline uint64_t snic_common_word(const struct snic_bit_rows *rows, const uint8_t *key)
{
    uint64_t common = atomic_load_explicit(&rows->taken[0], memory_order_acquire);
    for (uint32_t i = 0; i < rows->n_columns; i++)
        common &= atomic_load_explicit(snic_vector(rows, i, key[rows->column[i]]), memory_order_relaxed);
    return common;
}

/*
 * Cuts the block `words`, which begins at word `at` of `taken`, down to what all bytes agree on. The writer changes
 * other rules' bits meanwhile, by whole words, and a block is loaded by words or more: ThreadSanitizer, which wants
 * each to be an atomic load, is not asked.
 */
__attribute__((no_sanitize("thread"))) static inline void
snic_common_block(const struct snic_bit_rows *rows, const uint8_t *key, uint32_t at, uint64_t *words)
{
    snic_block common;
    memcpy(&common, words, sizeof common);
    for (uint32_t i = 0; i < rows->n_columns; i++)
        common &= *(const snic_block *)(snic_vector(rows, i, key[rows->column[i]]) + at);
    memcpy(words, &common, sizeof common);
}

/* Lets the rules whose bits are set, numbered from `first`, compete. */
static inline void snic_compete_all(const struct snic_rules *rules, const struct snic_bit_rows *of, const uint8_t *key,
                                    uint32_t room, uint64_t bits, uint32_t first, struct snic_best *best)
{
    for (; bits; bits &= bits - 1) {
        uint32_t bit = first + (uint32_t)__builtin_ctzll(bits);
        snic_compete(rules, key, room, atomic_load_explicit(&of->bids[bit], memory_order_acquire), best);
    }
}

static inline void snic_vectors_search(const struct snic_vectors *vectors, const struct snic_rules *rules,
                                       const uint8_t *key, uint32_t room, struct snic_best *best)
{
    const struct snic_bit_rows *rows = atomic_load_explicit(&vectors->rows, memory_order_acquire);
    uint64_t words[SNIC_BLOCK_WORDS];

    if (rows->words == 1) {
        snic_compete_all(rules, rows, key, room, snic_common_word(rows, key), 0, best);
        return;
    }
    for (uint32_t at = 0; at < rows->words; at += SNIC_BLOCK_WORDS) {
        for (uint32_t i = 0; i < SNIC_BLOCK_WORDS; i++)
            words[i] = atomic_load_explicit(&rows->taken[at + i], memory_order_acquire);
        snic_common_block(rows, key, at, words);
        for (uint32_t i = 0; i < SNIC_BLOCK_WORDS; i++)
            snic_compete_all(rules, rows, key, room, words[i], (at + i) * 64, best);
    }
}

#endif
