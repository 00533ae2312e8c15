/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry in memory: the call it stands for, then the key it is found by.
 *
 *     call head | arguments | key | mask, unless the table is exact | priority, if the table has them
 *
 * Key, mask and priority are the entry's identity: no two entries of a table have the same. Keys and masks are padded
 * with zeroes to `key_room`, a multiple of 8. A published cell never changes, its group or member pointer included:
 * what modifies an entry publishes another cell.
 */
#ifndef SNIC_CELL_H
#define SNIC_CELL_H

#include <string.h>

#include "snic_arena.h"
#include "snic_engine.h"

/* An action to run. What the packet path and the program agree on: see snic_packet_api.h. */
struct snic_call {
    uint16_t action; /* index among the table's actions */
    uint16_t kind;   /* enum snic_target_kind */
    uint32_t index;  /* of the entry: dense, and kept when it is modified */
    uint8_t args[];  /* MEMBER, GROUP: a pointer to struct snic_member, snic_group */
};

struct snic_cells {
    struct snic_arena arena;
    uint32_t key_at;
    uint32_t key_room;
    uint32_t identity_room;
};

static inline const struct snic_call *snic_cell_call(const struct snic_cells *cells, uint32_t cell)
{
    return snic_arena_at(&cells->arena, cell);
}

/* A lookup's result as the program takes it. */
static inline const struct snic_call *snic_found(const struct snic_cells *cells, uint32_t cell)
{
    return cell ? snic_cell_call(cells, cell) : NULL;
}

static inline const uint8_t *snic_cell_key(const struct snic_cells *cells, uint32_t cell)
{
    return (const uint8_t *)snic_arena_at(&cells->arena, cell) + cells->key_at;
}

static inline const uint8_t *snic_cell_mask(const struct snic_cells *cells, uint32_t cell)
{
    return snic_cell_key(cells, cell) + cells->key_room;
}

static inline uint64_t snic_word(const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, 8);
    return word;
}

/* `room`: a multiple of 8; a constant where programs look up. */
static inline bool snic_equal(const uint8_t *a, const uint8_t *b, uint32_t room)
{
    uint64_t differing = 0;
    for (uint32_t i = 0; i < room; i += 8)
        differing |= snic_word(a + i) ^ snic_word(b + i);
    return differing == 0;
}

static inline bool snic_equal_masked(const uint8_t *a, const uint8_t *b, const uint8_t *mask, uint32_t room)
{
    uint64_t differing = 0;
    for (uint32_t i = 0; i < room; i += 8)
        differing |= (snic_word(a + i) ^ snic_word(b + i)) & snic_word(mask + i);
    return differing == 0;
}

#endif
