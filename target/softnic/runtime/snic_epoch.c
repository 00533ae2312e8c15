/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_epoch.h"

#include <sched.h>
#include <stdlib.h>

/* How many things wait before the writer looks whether some may go: looking costs a cache miss for each worker. */
#define ENOUGH 64u

void snic_epoch_init(struct snic_epoch *epoch)
{
    *epoch = (struct snic_epoch){0};
    atomic_init(&epoch->now, 1);
}

static uint64_t oldest_inside(struct snic_epoch *epoch)
{
    uint64_t oldest = UINT64_MAX;

    for (uint32_t i = 0; i < SNIC_MAX_WORKERS; i++) {
        uint64_t entered = atomic_load(&epoch->readers[i].entered);
        if (entered && entered < oldest)
            oldest = entered;
    }
    return oldest;
}

void snic_epoch_reclaim(struct snic_epoch *epoch)
{
    uint64_t oldest = oldest_inside(epoch);

    while (epoch->waiting && epoch->retired[epoch->first].epoch < oldest) {
        struct snic_retired gone = epoch->retired[epoch->first];
        epoch->first = (epoch->first + 1) % SNIC_RETIRED_ROOM;
        epoch->waiting--;
        gone.release(gone.owner, gone.what);
    }
}

void snic_retire(struct snic_epoch *epoch, snic_release *release, void *owner, uint64_t what)
{
    uint64_t unlinked = atomic_fetch_add(&epoch->now, 1);

    if (epoch->waiting >= ENOUGH)
        snic_epoch_reclaim(epoch);
    while (epoch->waiting == SNIC_RETIRED_ROOM) {
        sched_yield();
        snic_epoch_reclaim(epoch);
    }
    epoch->retired[(epoch->first + epoch->waiting) % SNIC_RETIRED_ROOM] =
        (struct snic_retired){unlinked, release, owner, what};
    epoch->waiting++;
}

static void free_block(void *block, uint64_t unused)
{
    (void)unused;
    free(block);
}

void snic_retire_block(struct snic_epoch *epoch, void *block)
{
    if (block)
        snic_retire(epoch, free_block, block, 0);
}

void snic_epoch_synchronize(struct snic_epoch *epoch)
{
    uint64_t before = atomic_fetch_add(&epoch->now, 1);

    while (oldest_inside(epoch) <= before)
        sched_yield();
    snic_epoch_reclaim(epoch);
}
