/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_arena.h"

#include <string.h>
#include <sys/mman.h>

#include "snic_engine.h"

#define HUGE_PAGE_BYTES (2u << 20)
/* Tries carry a mark in the highest bit of a number. */
#define MOST_CELLS (UINT32_MAX >> 1)

void *snic_reserve(size_t bytes)
{
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_PAGE_BYTES)
        madvise(memory, bytes, MADV_HUGEPAGE); /* a hint: without huge pages it works too */
    return memory;
}

void snic_unreserve(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, bytes);
}

int snic_arena_init(struct snic_arena *arena, uint32_t cell_bytes, uint64_t room)
{
    *arena = (struct snic_arena){.cell_bytes = cell_bytes, .used = 1};
    arena->room = (uint32_t)(room < MOST_CELLS ? room : MOST_CELLS) + 1;
    arena->cells = snic_reserve((size_t)arena->room * cell_bytes);
    return arena->cells ? SNIC_OK : SNIC_NO_MEMORY;
}

void snic_arena_destroy(struct snic_arena *arena)
{
    snic_unreserve(arena->cells, (size_t)arena->room * arena->cell_bytes);
    *arena = (struct snic_arena){0};
}

uint32_t snic_arena_take(struct snic_arena *arena)
{
    uint32_t cell = arena->free;

    if (cell) {
        memcpy(&arena->free, snic_arena_at(arena, cell), sizeof arena->free);
        memset(snic_arena_at(arena, cell), 0, arena->cell_bytes);
    } else if (arena->used < arena->room) {
        cell = arena->used++;
    } else {
        return 0;
    }
    arena->live++;
    return cell;
}

void snic_arena_give(struct snic_arena *arena, uint32_t cell)
{
    memcpy(snic_arena_at(arena, cell), &arena->free, sizeof arena->free);
    arena->free = cell;
    arena->live--;
}

size_t snic_arena_memory(const struct snic_arena *arena)
{
    return (size_t)arena->used * arena->cell_bytes;
}
