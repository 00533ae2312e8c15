/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_extern.h"

#include <stdlib.h>
#include <string.h>

#include "snic_arena.h"

/* ---- registers -------------------------------------------------------------------------------------------------- */

static uint32_t register_cell_bytes(uint32_t width)
{
    uint32_t bytes = (width + 7) / 8;

    if (bytes > 8)
        return (bytes + 7) / 8 * 8;
    return bytes <= 1 ? 1 : bytes <= 2 ? 2 : bytes <= 4 ? 4 : 8;
}

/* Where byte `i`, counted from the least significant, stands in a cell of native-endian limbs. */
static uint32_t place_of(const struct snic_register *reg, uint32_t i)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    (void)reg;
    return i;
#else
    uint32_t limb = reg->cell_bytes < 8 ? reg->cell_bytes : 8;
    return i / limb * limb + limb - 1 - i % limb;
#endif
}

void snic_register_load(const struct snic_register *reg, uint32_t index, uint8_t *value)
{
    const uint8_t *cell = reg->cells + (size_t)index * reg->cell_bytes;
    uint32_t bytes = (reg->width + 7) / 8;

    for (uint32_t i = 0; i < bytes; i++)
        value[bytes - 1 - i] = cell[place_of(reg, i)];
}

void snic_register_store(struct snic_register *reg, uint32_t index, const uint8_t *value)
{
    uint8_t *cell = reg->cells + (size_t)index * reg->cell_bytes;
    uint32_t bytes = (reg->width + 7) / 8;

    memset(cell, 0, reg->cell_bytes);
    for (uint32_t i = 0; i < bytes; i++)
        cell[place_of(reg, i)] = value[bytes - 1 - i];
}

/* ---- value sets and replication --------------------------------------------------------------------------------- */

int snic_value_set_replace(struct snic_value_set *set, struct snic_epoch *epoch, const uint8_t *members, uint32_t count)
{
    size_t bytes = (size_t)count * set->key_bytes;
    struct snic_members *fresh = calloc(1, sizeof *fresh + bytes);

    if (!fresh)
        return SNIC_NO_MEMORY;
    fresh->count = count;
    if (bytes)
        memcpy(fresh->keys, members, bytes);
    snic_retire_block(epoch, atomic_exchange(&set->members, fresh));
    return SNIC_OK;
}

static int replace(struct snic_map *map, uint32_t id, void *fresh)
{
    void *old = snic_map_get(map, id);

    if (snic_map_put(map, id, fresh)) {
        free(fresh);
        return SNIC_NO_MEMORY;
    }
    snic_retire_block(map->epoch, old);
    return SNIC_OK;
}

static int drop(struct snic_map *map, uint32_t id)
{
    void *old = snic_map_get(map, id);

    snic_map_remove(map, id);
    snic_retire_block(map->epoch, old);
    return SNIC_OK;
}

int snic_group_replace(struct snic_externs *externs, uint32_t id, const struct snic_replica *replicas, uint32_t count)
{
    if (!count)
        return drop(&externs->groups, id);
    struct snic_replicas *fresh = calloc(1, sizeof *fresh + count * sizeof *replicas);
    if (!fresh)
        return SNIC_NO_MEMORY;
    fresh->count = count;
    memcpy(fresh->replica, replicas, count * sizeof *replicas);
    return replace(&externs->groups, id, fresh);
}

int snic_session_replace(struct snic_externs *externs, uint32_t id, const struct snic_replica *replicas,
                         uint32_t count, uint32_t packet_length_bytes, uint32_t class_of_service)
{
    if (!count)
        return drop(&externs->sessions, id);
    struct snic_session *fresh = calloc(1, sizeof *fresh + count * sizeof *replicas);
    if (!fresh)
        return SNIC_NO_MEMORY;
    fresh->packet_length_bytes = packet_length_bytes;
    fresh->class_of_service = class_of_service;
    fresh->replicas.count = count;
    memcpy(fresh->replicas.replica, replicas, count * sizeof *replicas);
    return replace(&externs->sessions, id, fresh);
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void *reserve_some(size_t count, size_t bytes, bool *whole)
{
    void *memory = count ? snic_reserve(count * bytes) : NULL;

    *whole &= memory || !count;
    return memory;
}

static bool init_arrays(struct snic_externs *externs)
{
    const struct snic_program *program = externs->program;
    bool whole = true;

    for (uint32_t i = 0; i < program->n_counters; i++) {
        struct snic_counter *counter = &externs->counters[i];
        counter->size = program->counters[i].size;
        counter->base = reserve_some(counter->size, sizeof *counter->base, &whole);
    }
    for (uint32_t i = 0; i < program->n_meters; i++) {
        struct snic_meters *meters = &externs->meters[i];
        meters->size = program->meters[i].size;
        meters->in_bytes = program->meters[i].in_bytes;
        meters->cells = reserve_some(meters->size, sizeof *meters->cells, &whole);
    }
    for (uint32_t i = 0; i < program->n_registers; i++) {
        struct snic_register *reg = &externs->registers[i];
        reg->size = program->registers[i].size;
        reg->width = program->registers[i].width;
        reg->cell_bytes = register_cell_bytes(reg->width);
        reg->cells = reserve_some(reg->size, reg->cell_bytes, &whole);
    }
    for (uint32_t i = 0; i < program->n_value_sets; i++)
        externs->value_sets[i].key_bytes = program->value_sets[i].key_bytes;
    return whole;
}

static void *cache_aligned(size_t count, size_t bytes)
{
    size_t whole = (count * bytes + 64) / 64 * 64;
    void *memory = aligned_alloc(64, whole);

    return memory ? memset(memory, 0, whole) : NULL;
}

int snic_externs_init(struct snic_externs *externs, const struct snic_program *program, struct snic_epoch *epoch)
{
    *externs = (struct snic_externs){.program = program};
    externs->counters = calloc(program->n_counters + 1, sizeof *externs->counters);
    externs->meters = calloc(program->n_meters + 1, sizeof *externs->meters);
    externs->registers = cache_aligned(program->n_registers, sizeof *externs->registers);
    externs->value_sets = calloc(program->n_value_sets + 1, sizeof *externs->value_sets);
    bool whole = externs->counters && externs->meters && externs->registers && externs->value_sets;
    whole = whole && init_arrays(externs);
    whole &= !snic_map_init(&externs->groups, epoch);
    whole &= !snic_map_init(&externs->sessions, epoch);
    return whole ? SNIC_OK : SNIC_NO_MEMORY;
}

static void destroy_map(struct snic_map *map)
{
    uint32_t at = 0;

    if (atomic_load(&map->slots))
        for (void *value; (value = snic_map_next(map, &at));)
            free(value);
    snic_map_destroy(map);
}

void snic_externs_destroy(struct snic_externs *externs)
{
    const struct snic_program *program = externs->program;

    for (uint32_t i = 0; externs->counters && i < program->n_counters; i++)
        snic_unreserve(externs->counters[i].base, externs->counters[i].size * sizeof(struct snic_count));
    for (uint32_t i = 0; externs->meters && i < program->n_meters; i++)
        snic_unreserve(externs->meters[i].cells, externs->meters[i].size * sizeof(struct snic_meter));
    for (uint32_t i = 0; externs->registers && i < program->n_registers; i++) {
        struct snic_register *reg = &externs->registers[i];
        snic_unreserve(reg->cells, (size_t)reg->size * reg->cell_bytes);
    }
    for (uint32_t i = 0; externs->value_sets && i < program->n_value_sets; i++)
        free(atomic_load(&externs->value_sets[i].members));
    destroy_map(&externs->groups);
    destroy_map(&externs->sessions);
    free(externs->counters);
    free(externs->meters);
    free(externs->registers);
    free(externs->value_sets);
}
