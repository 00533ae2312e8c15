/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Longest-prefix match: a multibit trie (a byte, a byte, then four bits at a time) whose slots hold the longest prefix
 * that ends within the node and the way to longer ones.
 *
 * A subtree of one prefix is no node but the prefix's cell itself, marked SNIC_LONE, compared whole when a lookup comes
 * to it: memory follows the number of prefixes, not the width of the key. If the key has exact fields beside the
 * prefix, these choose one of many tries, by hash, and all strides are four bits.
 *
 * Bits of the trie count from the first bit of the field's bytes, the padding of a field that is no whole number of
 * bytes included.
 *
 * Threads: one writer; readers are lock-free, inside an epoch. A slot is one word, changed in place: each lookup sees
 * each change to the prefixes of a slot entirely or not at all. Nodes that became empty are unlinked, then retired.
 */
#ifndef SNIC_LPM_H
#define SNIC_LPM_H

#include "snic_exact.h"

/* The number of a cell where that of a node could stand. */
#define SNIC_LONE 0x80000000u

enum { SNIC_WIDE_SLOTS = 256, SNIC_NARROW_SLOTS = 16, SNIC_WIDE_NODE_BITS = 16 };

/* Low half: a node, or a cell with SNIC_LONE, or 0. High half: the cell of the longest prefix that ends here, or 0. */
typedef _Atomic uint64_t snic_trie_slot;

/* One trie for each value of the exact fields. */
struct snic_lpm_group {
    snic_trie_slot root;
    uint32_t prefixes;
    uint32_t unused;
    uint8_t exact[]; /* the key, zero where the lpm field is */
};

struct snic_lpm {
    struct snic_cells *cells;
    struct snic_exact *identities; /* all of the table's entries, by key and mask */
    struct snic_epoch *epoch;
    struct snic_arena wide, narrow; /* nodes */
    snic_trie_slot root;            /* if there are no exact fields */
    bool grouped;
    uint16_t offset, bytes; /* of the lpm field */
    uint16_t padding;       /* bits in front of its first */
    struct snic_exact groups;
    struct snic_cells group_cells;
    uint8_t *exact_mask; /* key_room bytes: ones where the exact fields are */
};

/* 0 or SNIC_NO_MEMORY; what was made is then destroyed by snic_lpm_destroy all the same. */
int snic_lpm_init(struct snic_lpm *lpm, const struct snic_table_desc *desc, struct snic_cells *cells,
                  struct snic_exact *identities, struct snic_epoch *epoch);
void snic_lpm_destroy(struct snic_lpm *lpm);
int snic_lpm_add(struct snic_lpm *lpm, uint32_t cell);
/* `by` has the same key and mask. */
void snic_lpm_replace(struct snic_lpm *lpm, uint32_t cell, uint32_t by);
/* All shorter prefixes of the cell's that are in the trie are among `identities`. */
void snic_lpm_remove(struct snic_lpm *lpm, uint32_t cell);
size_t snic_lpm_memory(const struct snic_lpm *lpm);

static inline uint32_t snic_slot_child(uint64_t slot)
{
    return (uint32_t)slot;
}

static inline uint32_t snic_slot_leaf(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}

/* How many bits the nodes at that depth look at. */
static inline uint32_t snic_lpm_stride(const struct snic_lpm *lpm, uint32_t depth)
{
    return !lpm->grouped && depth < SNIC_WIDE_NODE_BITS ? 8 : 4;
}

static inline snic_trie_slot *snic_lpm_slots(const struct snic_lpm *lpm, uint32_t node, uint32_t depth)
{
    return snic_arena_at(snic_lpm_stride(lpm, depth) == 8 ? &lpm->wide : &lpm->narrow, node);
}

/* Which slot of a node at `depth` is on the way of `field`, the bytes of the lpm field. */
static inline uint32_t snic_lpm_branch(const struct snic_lpm *lpm, const uint8_t *field, uint32_t depth)
{
    uint8_t byte = field[depth / 8];
    if (snic_lpm_stride(lpm, depth) == 8)
        return byte;
    return depth % 8 ? byte & 15 : byte >> 4;
}

/* 0: no entries for these exact fields. `key`: `room` bytes. */
static inline uint32_t snic_lpm_find_group(const struct snic_lpm *lpm, const uint8_t *key, uint32_t room)
{
    _Alignas(8) uint8_t exact[room ? room : 1];
    for (uint32_t i = 0; i < room; i += 8) {
        uint64_t word = snic_word(key + i) & snic_word(lpm->exact_mask + i);
        memcpy(exact + i, &word, 8);
    }
    return snic_exact_search(&lpm->groups, &lpm->group_cells, exact, room, snic_key_hash(exact, room));
}

static inline uint64_t snic_lpm_root(const struct snic_lpm *lpm, const uint8_t *key, uint32_t room)
{
    if (!lpm->grouped)
        return atomic_load_explicit(&lpm->root, memory_order_acquire);
    uint32_t group = snic_lpm_find_group(lpm, key, room);
    if (!group)
        return 0;
    struct snic_lpm_group *found = snic_arena_at(&lpm->group_cells.arena, group);
    return atomic_load_explicit(&found->root, memory_order_acquire);
}

/* The cell of the longest prefix; 0: none. */
static inline uint32_t snic_lpm_search(const struct snic_lpm *lpm, const uint8_t *key, uint32_t room)
{
    const uint8_t *field = key + lpm->offset;
    uint64_t slot = snic_lpm_root(lpm, key, room);
    uint32_t best = snic_slot_leaf(slot);

    for (uint32_t depth = 0;; depth += snic_lpm_stride(lpm, depth)) {
        uint32_t child = snic_slot_child(slot);
        if (child & SNIC_LONE) {
            uint32_t cell = child & ~SNIC_LONE;
            const uint8_t *there = snic_cell_key(lpm->cells, cell);
            return snic_equal_masked(key, there, there + lpm->cells->key_room, room) ? cell : best;
        }
        if (!child)
            return best;
        snic_trie_slot *slots = snic_lpm_slots(lpm, child, depth);
        slot = atomic_load_explicit(&slots[snic_lpm_branch(lpm, field, depth)], memory_order_acquire);
        if (snic_slot_leaf(slot))
            best = snic_slot_leaf(slot);
    }
}

/* Follows the bytes, whose nodes are few and near, and fetches the first of the others. */
static inline void snic_lpm_prefetch(const struct snic_lpm *lpm, const uint8_t *key)
{
    const uint8_t *field = key + lpm->offset;
    uint64_t slot = atomic_load_explicit(&lpm->root, memory_order_acquire);

    for (uint32_t depth = 0; depth <= SNIC_WIDE_NODE_BITS; depth += 8) {
        uint32_t child = snic_slot_child(slot);
        if (child & SNIC_LONE)
            __builtin_prefetch(snic_cell_call(lpm->cells, child & ~SNIC_LONE));
        if (!child || child & SNIC_LONE)
            return;
        snic_trie_slot *next = &snic_lpm_slots(lpm, child, depth)[snic_lpm_branch(lpm, field, depth)];
        if (depth == SNIC_WIDE_NODE_BITS)
            __builtin_prefetch((const void *)next);
        else
            slot = atomic_load_explicit(next, memory_order_acquire);
    }
}

#endif
