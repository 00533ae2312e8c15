/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_ring.h"

#include <stdlib.h>
#include <string.h>

static void copy_in(struct snic_ring *ring, uint64_t at, const void *data, uint64_t length)
{
    uint64_t start = at & (ring->size - 1), first = ring->size - start;

    if (first > length)
        first = length;
    memcpy(ring->bytes + start, data, first);
    memcpy(ring->bytes, (const uint8_t *)data + first, length - first);
}

static void copy_out(const struct snic_ring *ring, uint64_t at, void *data, uint64_t length)
{
    uint64_t start = at & (ring->size - 1), first = ring->size - start;

    if (first > length)
        first = length;
    memcpy(data, ring->bytes + start, first);
    memcpy((uint8_t *)data + first, ring->bytes, length - first);
}

bool snic_ring_open(struct snic_ring *ring, uint64_t size)
{
    ring->bytes = malloc(size);
    ring->size = size;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return ring->bytes != NULL;
}

void snic_ring_close(struct snic_ring *ring)
{
    free(ring->bytes);
}

bool snic_ring_put(struct snic_ring *ring, enum snic_record_kind kind, uint32_t number, const void *data,
                   uint32_t length)
{
    struct snic_record record = {.kind = kind, .number = number, .length = length};
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

    if (tail - head + sizeof record + length > ring->size)
        return false;
    copy_in(ring, tail, &record, sizeof record);
    copy_in(ring, tail + sizeof record, data, length);
    atomic_store_explicit(&ring->tail, tail + sizeof record + length, memory_order_release);
    return true;
}

uint32_t snic_ring_take(struct snic_ring *ring, uint8_t *out, uint32_t room)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed), at = head;
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

    while (at != tail) {
        struct snic_record record;
        copy_out(ring, at, &record, sizeof record);
        if (at - head + sizeof record + record.length > room)
            break;
        at += sizeof record + record.length;
    }
    copy_out(ring, head, out, at - head);
    atomic_store_explicit(&ring->head, at, memory_order_release);
    return (uint32_t)(at - head);
}
