/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash index over cells: buckets of one cache line, eight tags of 16 bits and eight cell numbers each.
 *
 * An entry that finds its bucket full goes to one of the following, and each bucket that it passed counts it: a lookup
 * goes on only where entries did. Entries never move within one array of buckets. When the array is three quarters
 * full, the writer builds one of twice the size and publishes it.
 *
 * Threads: one writer; readers are lock-free and see each entry before or after any change to it. They are inside an
 * epoch (snic_epoch.h). The writer publishes a cell's number before its tag and withdraws them the other way round; a
 * reader that meets a number under the tag of its predecessor is put right by comparing keys.
 */
#ifndef SNIC_EXACT_H
#define SNIC_EXACT_H

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "snic_cell.h"
#include "snic_epoch.h"

enum { SNIC_BUCKET_SLOTS = 8 };

struct snic_bucket {
    _Alignas(64) _Atomic uint64_t tags[2]; /* four each, from the lowest bits; 0: a free slot */
    _Atomic uint32_t cells[SNIC_BUCKET_SLOTS];
    _Atomic uint32_t passed; /* how many entries went on from here */
};

struct snic_buckets {
    uint64_t mask; /* their number - 1 */
    size_t bytes;
    struct snic_bucket rows[];
};

struct snic_exact {
    _Atomic(struct snic_buckets *) buckets;
    uint32_t count;
};

int snic_exact_init(struct snic_exact *index);
void snic_exact_destroy(struct snic_exact *index);
/* Room for one more, so that the next snic_exact_add can't fail. 0 or SNIC_NO_MEMORY. */
int snic_exact_reserve(struct snic_exact *index, const struct snic_cells *cells, struct snic_epoch *epoch);
/* `hash` is that of the cell's identity, which must not be there yet. 0 or SNIC_NO_MEMORY. */
int snic_exact_add(struct snic_exact *index, const struct snic_cells *cells, struct snic_epoch *epoch, uint64_t hash,
                   uint32_t cell);
/* Both demand that `cell` is there. */
void snic_exact_replace(struct snic_exact *index, uint64_t hash, uint32_t cell, uint32_t by);
void snic_exact_remove(struct snic_exact *index, uint64_t hash, uint32_t cell);
size_t snic_exact_memory(const struct snic_exact *index);

/* The two halves of a product, folded: each bit of the result depends on all bits of both factors. */
static inline uint64_t snic_mix(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* `room`: a multiple of 8. The factors are random odd numbers. One word takes one product. */
static inline uint64_t snic_key_hash(const uint8_t *bytes, uint32_t room)
{
    uint64_t hash = 0x6a1f0c3b9d54e287u;
    if (room == 8)
        return snic_mix(hash ^ snic_word(bytes), 0x97e58d3ba4c1620fu);
    uint32_t i = 0;
    for (; i + 16 <= room; i += 16)
        hash = snic_mix(hash ^ snic_word(bytes + i), 0xd9b4a7c65e3812f1u ^ snic_word(bytes + i + 8));
    if (i < room)
        hash = snic_mix(hash ^ snic_word(bytes + i), 0x97e58d3ba4c1620fu);
    return snic_mix(hash, 0xc2f96b518e07d3a5u);
}

/* Never 0. The bits are not those that choose the bucket, unless there are more than 2^48 of these. */
static inline uint64_t snic_tag(uint64_t hash)
{
    return hash >> 48 | 1;
}

/* Bit 2 * i is set where slot i of the bucket has this tag; other bits mean nothing. */
static inline uint32_t snic_tagged(struct snic_bucket *bucket, uint64_t tag)
{
    uint64_t low = atomic_load_explicit(&bucket->tags[0], memory_order_acquire);
    uint64_t high = atomic_load_explicit(&bucket->tags[1], memory_order_acquire);
#ifdef __SSE2__
    __m128i tags = _mm_set_epi64x((long long)high, (long long)low);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(tags, _mm_set1_epi16((short)tag))) & 0x5555u;
#else
    uint32_t slots = 0;
    for (uint32_t i = 0; i < SNIC_BUCKET_SLOTS; i++) {
        uint64_t tags = i < 4 ? low : high;
        slots |= (uint32_t)((tags >> 16 * (i % 4) & 0xffff) == tag) << 2 * i;
    }
    return slots;
#endif
}

/* The cell of that identity in one bucket; 0: none. */
static inline uint32_t snic_exact_among(struct snic_bucket *bucket, const struct snic_cells *cells,
                                        const uint8_t *identity, uint32_t room, uint64_t tag)
{
    for (uint32_t slots = snic_tagged(bucket, tag); slots; slots &= slots - 1) {
        uint32_t cell = atomic_load_explicit(&bucket->cells[(uint32_t)__builtin_ctz(slots) / 2], memory_order_acquire);
        if (cell && snic_equal(snic_cell_key(cells, cell), identity, room))
            return cell;
    }
    return 0;
}

/* In the buckets behind the first. */
uint32_t snic_exact_further(const struct snic_buckets *buckets, const struct snic_cells *cells,
                            const uint8_t *identity, uint32_t room, uint64_t hash);

/* The cell of that identity, of `room` bytes; 0: none. */
static inline __attribute__((always_inline)) uint32_t snic_exact_search(const struct snic_exact *index,
                                                                        const struct snic_cells *cells,
                                                                        const uint8_t *identity, uint32_t room,
                                                                        uint64_t hash)
{
    struct snic_buckets *buckets = atomic_load_explicit(&index->buckets, memory_order_acquire);
    struct snic_bucket *bucket = &buckets->rows[hash & buckets->mask];
    uint32_t cell = snic_exact_among(bucket, cells, identity, room, snic_tag(hash));

    if (__builtin_expect(cell || !atomic_load_explicit(&bucket->passed, memory_order_acquire), 1))
        return cell;
    return snic_exact_further(buckets, cells, identity, room, hash);
}

static inline struct snic_bucket *snic_exact_bucket(const struct snic_exact *index, uint64_t hash)
{
    struct snic_buckets *buckets = atomic_load_explicit(&index->buckets, memory_order_acquire);
    return &buckets->rows[hash & buckets->mask];
}

static inline void snic_exact_prefetch_bucket(const struct snic_exact *index, uint64_t hash)
{
    __builtin_prefetch(snic_exact_bucket(index, hash));
}

/* Fetches the cell that the bucket most likely names. */
static inline void snic_exact_prefetch_cell(const struct snic_exact *index, const struct snic_cells *cells,
                                            uint64_t hash)
{
    struct snic_bucket *bucket = snic_exact_bucket(index, hash);
    uint32_t slots = snic_tagged(bucket, snic_tag(hash));

    if (slots) {
        uint32_t slot = (uint32_t)__builtin_ctz(slots) / 2;
        __builtin_prefetch(snic_cell_call(cells, atomic_load_explicit(&bucket->cells[slot], memory_order_relaxed)));
    }
}

#endif
