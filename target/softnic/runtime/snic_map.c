/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_map.h"

#include <stdlib.h>

#include "snic_engine.h"

#define FEWEST_SLOTS 8u

static struct snic_map_slots *new_slots(uint32_t count)
{
    struct snic_map_slots *slots = calloc(1, sizeof *slots + count * sizeof slots->rows[0]);

    if (slots)
        slots->mask = count - 1;
    return slots;
}

static struct snic_map_slots *current(const struct snic_map *map)
{
    return atomic_load_explicit(&map->slots, memory_order_acquire);
}

int snic_map_init(struct snic_map *map, struct snic_epoch *epoch)
{
    struct snic_map_slots *slots = new_slots(FEWEST_SLOTS);

    map->epoch = epoch;
    map->count = 0;
    atomic_init(&map->slots, slots);
    return slots ? SNIC_OK : SNIC_NO_MEMORY;
}

void snic_map_destroy(struct snic_map *map)
{
    free(current(map));
}

/* The slot of that id, or the one that it would take. */
static struct snic_map_slot *slot_of(struct snic_map_slots *slots, uint32_t id)
{
    uint32_t hash = (uint32_t)(id * 0x9e3779b97f4a7c15u >> 32);

    for (;; hash++) {
        struct snic_map_slot *slot = &slots->rows[hash & slots->mask];
        if (!atomic_load_explicit(&slot->used, memory_order_acquire) ||
            atomic_load_explicit(&slot->id, memory_order_relaxed) == id)
            return slot;
    }
}

void *snic_map_get(const struct snic_map *map, uint32_t id)
{
    struct snic_map_slot *slot = slot_of(current(map), id);

    /* A slot that is being taken for another id has its value first. */
    if (!atomic_load_explicit(&slot->used, memory_order_acquire) ||
        atomic_load_explicit(&slot->id, memory_order_relaxed) != id)
        return NULL;
    return atomic_load_explicit(&slot->value, memory_order_acquire);
}

static void put(struct snic_map_slots *slots, uint32_t id, void *value)
{
    struct snic_map_slot *slot = slot_of(slots, id);

    atomic_store_explicit(&slot->value, value, memory_order_release);
    if (atomic_load_explicit(&slot->used, memory_order_relaxed))
        return;
    atomic_store_explicit(&slot->id, id, memory_order_relaxed);
    atomic_store_explicit(&slot->used, true, memory_order_release);
    slots->used++;
}

/* Slots with room, without the ids that are no more. */
static int renew(struct snic_map *map)
{
    struct snic_map_slots *old = current(map);
    struct snic_map_slots *fresh = new_slots(map->count >= (old->mask + 1) / 4 ? 2 * (old->mask + 1) : old->mask + 1);
    uint32_t at = 0;

    if (!fresh)
        return SNIC_NO_MEMORY;
    for (void *value; (value = snic_map_next(map, &at));)
        put(fresh, atomic_load_explicit(&old->rows[at - 1].id, memory_order_relaxed), value);
    atomic_store_explicit(&map->slots, fresh, memory_order_release);
    snic_retire_block(map->epoch, old);
    return SNIC_OK;
}

int snic_map_put(struct snic_map *map, uint32_t id, void *value)
{
    bool is_new = !snic_map_get(map, id);

    if (2 * (current(map)->used + 1) > current(map)->mask && renew(map))
        return SNIC_NO_MEMORY;
    put(current(map), id, value);
    map->count += is_new;
    return SNIC_OK;
}

void snic_map_remove(struct snic_map *map, uint32_t id)
{
    if (!snic_map_get(map, id))
        return;
    atomic_store_explicit(&slot_of(current(map), id)->value, NULL, memory_order_release);
    map->count--;
}

void *snic_map_next(const struct snic_map *map, uint32_t *at)
{
    struct snic_map_slots *slots = current(map);

    while (*at <= slots->mask) {
        void *value = atomic_load_explicit(&slots->rows[(*at)++].value, memory_order_relaxed);
        if (value)
            return value;
    }
    return NULL;
}
