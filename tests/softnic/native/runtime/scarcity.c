/* SPDX-License-Identifier: Apache-2.0 */
#include "scarcity.h"

#include <stdbool.h>
#include <stddef.h>

#include "snic_arena.h"

uint64_t allocations_left = UINT64_MAX;
void (*on_failure)(void);

void *__real_calloc(size_t count, size_t bytes);
void *__real_snic_reserve(size_t bytes);
uint32_t __real_snic_arena_take(struct snic_arena *arena);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_snic_reserve(size_t bytes);
uint32_t __wrap_snic_arena_take(struct snic_arena *arena);

static bool granted(void)
{
    if (allocations_left) {
        allocations_left--;
        return true;
    }
    if (on_failure)
        on_failure();
    return false;
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return granted() ? __real_calloc(count, bytes) : NULL;
}

void *__wrap_snic_reserve(size_t bytes)
{
    return granted() ? __real_snic_reserve(bytes) : NULL;
}

uint32_t __wrap_snic_arena_take(struct snic_arena *arena)
{
    return granted() ? __real_snic_arena_take(arena) : 0;
}
