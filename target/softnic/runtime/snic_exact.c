/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_exact.h"

/* 1 KB. */
#define FEWEST_BUCKETS 16u

static struct snic_buckets *new_buckets(uint64_t count)
{
    size_t bytes = sizeof(struct snic_buckets) + count * sizeof(struct snic_bucket);
    struct snic_buckets *buckets = snic_reserve(bytes);

    if (buckets) {
        buckets->mask = count - 1;
        buckets->bytes = bytes;
    }
    return buckets;
}

static void release_buckets(void *buckets, uint64_t bytes)
{
    snic_unreserve(buckets, bytes);
}

static struct snic_buckets *current(const struct snic_exact *index)
{
    return atomic_load_explicit(&index->buckets, memory_order_relaxed);
}

int snic_exact_init(struct snic_exact *index)
{
    struct snic_buckets *buckets = new_buckets(FEWEST_BUCKETS);

    index->count = 0;
    atomic_init(&index->buckets, buckets);
    return buckets ? SNIC_OK : SNIC_NO_MEMORY;
}

void snic_exact_destroy(struct snic_exact *index)
{
    struct snic_buckets *buckets = current(index);

    if (buckets)
        snic_unreserve(buckets, buckets->bytes);
}

size_t snic_exact_memory(const struct snic_exact *index)
{
    return current(index)->bytes;
}

static uint64_t tag_of_slot(struct snic_bucket *bucket, uint32_t slot)
{
    return atomic_load_explicit(&bucket->tags[slot / 4], memory_order_relaxed) >> slot % 4 * 16 & 0xffff;
}

static void set_tag(struct snic_bucket *bucket, uint32_t slot, uint64_t tag)
{
    uint32_t shift = slot % 4 * 16;
    uint64_t tags = atomic_load_explicit(&bucket->tags[slot / 4], memory_order_relaxed);

    tags = (tags & ~((uint64_t)0xffff << shift)) | tag << shift;
    atomic_store_explicit(&bucket->tags[slot / 4], tags, memory_order_release);
}

static bool free_slot(struct snic_bucket *bucket, uint32_t *slot)
{
    for (*slot = 0; *slot < SNIC_BUCKET_SLOTS; (*slot)++)
        if (!tag_of_slot(bucket, *slot))
            return true;
    return false;
}

static bool slot_of(struct snic_bucket *bucket, uint32_t cell, uint32_t *slot)
{
    for (*slot = 0; *slot < SNIC_BUCKET_SLOTS; (*slot)++)
        if (atomic_load_explicit(&bucket->cells[*slot], memory_order_relaxed) == cell)
            return true;
    return false;
}

/* By how much the counts of buckets on the way are to change, as an unsigned number. */
static void pass(struct snic_bucket *bucket, uint32_t change)
{
    uint32_t passed = atomic_load_explicit(&bucket->passed, memory_order_relaxed);

    atomic_store_explicit(&bucket->passed, passed + change, memory_order_release);
}

/* There is a free slot somewhere. */
static void put(struct snic_buckets *buckets, uint64_t hash, uint32_t cell)
{
    struct snic_bucket *bucket = &buckets->rows[hash & buckets->mask];
    uint32_t slot;

    for (uint64_t i = 1; !free_slot(bucket, &slot); i++) {
        pass(bucket, 1);
        bucket = &buckets->rows[(hash + i) & buckets->mask];
    }
    atomic_store_explicit(&bucket->cells[slot], cell, memory_order_release);
    set_tag(bucket, slot, snic_tag(hash));
}

static void copy_all(struct snic_buckets *from, struct snic_buckets *to, const struct snic_cells *cells)
{
    for (uint64_t i = 0; i <= from->mask; i++)
        for (uint32_t slot = 0; slot < SNIC_BUCKET_SLOTS; slot++) {
            uint32_t cell = atomic_load_explicit(&from->rows[i].cells[slot], memory_order_relaxed);
            if (cell)
                put(to, snic_key_hash(snic_cell_key(cells, cell), cells->identity_room), cell);
        }
}

int snic_exact_reserve(struct snic_exact *index, const struct snic_cells *cells, struct snic_epoch *epoch)
{
    struct snic_buckets *buckets = current(index);

    if (index->count < (buckets->mask + 1) * SNIC_BUCKET_SLOTS / 4 * 3)
        return SNIC_OK;
    struct snic_buckets *larger = new_buckets(2 * (buckets->mask + 1));
    if (!larger)
        return SNIC_NO_MEMORY;
    copy_all(buckets, larger, cells);
    atomic_store_explicit(&index->buckets, larger, memory_order_release);
    snic_retire(epoch, release_buckets, buckets, buckets->bytes);
    return SNIC_OK;
}

int snic_exact_add(struct snic_exact *index, const struct snic_cells *cells, struct snic_epoch *epoch, uint64_t hash,
                   uint32_t cell)
{
    int error = snic_exact_reserve(index, cells, epoch);

    if (error)
        return error;
    put(current(index), hash, cell);
    index->count++;
    return SNIC_OK;
}

/* The bucket and slot of a cell that is there. */
static struct snic_bucket *locate(struct snic_buckets *buckets, uint64_t hash, uint32_t cell, uint32_t *slot)
{
    struct snic_bucket *bucket = &buckets->rows[hash & buckets->mask];

    for (uint64_t i = 1; !slot_of(bucket, cell, slot); i++)
        bucket = &buckets->rows[(hash + i) & buckets->mask];
    return bucket;
}

void snic_exact_replace(struct snic_exact *index, uint64_t hash, uint32_t cell, uint32_t by)
{
    uint32_t slot;
    struct snic_bucket *bucket = locate(current(index), hash, cell, &slot);

    atomic_store_explicit(&bucket->cells[slot], by, memory_order_release);
}

void snic_exact_remove(struct snic_exact *index, uint64_t hash, uint32_t cell)
{
    struct snic_buckets *buckets = current(index);
    uint32_t slot;
    struct snic_bucket *bucket = locate(buckets, hash, cell, &slot);

    set_tag(bucket, slot, 0);
    atomic_store_explicit(&bucket->cells[slot], 0, memory_order_release);
    for (uint64_t i = 0; &buckets->rows[(hash + i) & buckets->mask] != bucket; i++)
        pass(&buckets->rows[(hash + i) & buckets->mask], UINT32_MAX);
    index->count--;
}

uint32_t snic_exact_further(const struct snic_buckets *buckets, const struct snic_cells *cells,
                            const uint8_t *identity, uint32_t room, uint64_t hash)
{
    for (uint64_t i = 1; i <= buckets->mask; i++) {
        struct snic_bucket *bucket = (struct snic_bucket *)&buckets->rows[(hash + i) & buckets->mask];
        uint32_t cell = snic_exact_among(bucket, cells, identity, room, snic_tag(hash));
        if (cell || !atomic_load_explicit(&bucket->passed, memory_order_acquire))
            return cell;
    }
    return 0;
}
