/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_arena.h"

#include <string.h>
#include <sys/mman.h>

#include "snic_engine.h"

#define PAGE_BYTES 4096u
#define HUGE_PAGE_BYTES (2u << 20)
/* Tries carry a mark in the highest bit of a number: 16 GB of cells. */
#define MOST_WORDS (UINT32_MAX >> 1)

/*
 * What the kernel maps and unmaps in any case. Unless told so, ThreadSanitizer remembers who wrote to the last page
 * when it is gone, and finds a race with whoever reads what is mapped there next: a program's constants, for instance.
 */
static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

void *snic_reserve(size_t bytes)
{
    void *memory = mmap(NULL, whole_pages(bytes), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (bytes >= HUGE_PAGE_BYTES)
        madvise(memory, bytes, MADV_HUGEPAGE); /* a hint: without huge pages it works too */
    return memory;
}

void snic_unreserve(void *memory, size_t bytes)
{
    if (memory)
        munmap(memory, whole_pages(bytes));
}

int snic_arena_init(struct snic_arena *arena, uint32_t cell_bytes, uint64_t room)
{
    uint32_t words = cell_bytes / SNIC_ARENA_WORD;
    uint32_t most = MOST_WORDS / words - 1;

    *arena = (struct snic_arena){.cell_bytes = cell_bytes, .used = words};
    arena->room = (uint32_t)(room < most ? room : most) + 1;
    arena->end = arena->room * words;
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
    } else if (arena->used < arena->end) {
        cell = arena->used;
        arena->used += arena->cell_bytes / SNIC_ARENA_WORD;
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
    return (size_t)arena->used * SNIC_ARENA_WORD;
}
