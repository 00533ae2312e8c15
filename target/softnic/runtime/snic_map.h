/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointers by a 32-bit id that the control plane chose: members, groups, sessions.
 *
 * Threads: one writer; readers are lock-free, inside an epoch. The map owns its slots, not what they point to.
 */
#ifndef SNIC_MAP_H
#define SNIC_MAP_H

#include "snic_epoch.h"

struct snic_map_slot {
    _Atomic(void *) value; /* NULL: no such id any more */
    _Atomic uint32_t id;
    _Atomic bool used; /* since the slots were made */
};

struct snic_map_slots {
    uint32_t mask;
    uint32_t used;
    struct snic_map_slot rows[];
};

struct snic_map {
    _Atomic(struct snic_map_slots *) slots;
    struct snic_epoch *epoch;
    uint32_t count;
};

int snic_map_init(struct snic_map *map, struct snic_epoch *epoch);
void snic_map_destroy(struct snic_map *map);
/* NULL: no such id. */
void *snic_map_get(const struct snic_map *map, uint32_t id);
/* Replaces what was there. `value` is not NULL. 0 or SNIC_NO_MEMORY. */
int snic_map_put(struct snic_map *map, uint32_t id, void *value);
void snic_map_remove(struct snic_map *map, uint32_t id);
/* The writer's walk over all values: from 0 in `*at`; NULL at the end. */
void *snic_map_next(const struct snic_map *map, uint32_t *at);

#endif
