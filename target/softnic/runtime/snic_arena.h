/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells of equal size, known by number, in one range of addresses that is reserved at once and filled as it is used.
 *
 * A cell's number is how many words of 8 bytes stand before it: to find it takes no multiplication. Cells never move,
 * so that readers need no lock to follow a number. Number 0 is no cell. Only pages that were
 * touched take memory: a table may declare more than it ever holds. Huge pages, where the kernel has them, save a miss
 * in the TLB for each lookup.
 *
 * Threads: one writer takes and gives; anyone may read a cell that was published to him.
 */
#ifndef SNIC_ARENA_H
#define SNIC_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed memory, 4096-byte aligned, that takes nothing until it is touched. NULL: none is left. */
void *snic_reserve(size_t bytes);
/* `memory` may be NULL. */
void snic_unreserve(void *memory, size_t bytes);

#define SNIC_ARENA_WORD 8u

struct snic_arena {
    uint8_t *cells;
    uint32_t cell_bytes;
    uint32_t room; /* cells, number 0 included */
    uint32_t used; /* numbers below were taken at least once, or are 0 */
    uint32_t end;  /* numbers are below it */
    uint32_t free; /* the first of a list through the cells' first four bytes */
    uint32_t live;
};

/* 0 or SNIC_NO_MEMORY. `cell_bytes`: 8 or more, a multiple of 8. `room`: how many cells may live at a time. */
int snic_arena_init(struct snic_arena *arena, uint32_t cell_bytes, uint64_t room);
void snic_arena_destroy(struct snic_arena *arena);
/* A cell of zeroes; 0: no room. */
uint32_t snic_arena_take(struct snic_arena *arena);
/* No reader may see the cell any more. */
void snic_arena_give(struct snic_arena *arena, uint32_t cell);
/* Bytes of the cells that were ever used. */
size_t snic_arena_memory(const struct snic_arena *arena);

static inline void *snic_arena_at(const struct snic_arena *arena, uint32_t cell)
{
    return arena->cells + (size_t)cell * SNIC_ARENA_WORD;
}

#endif
