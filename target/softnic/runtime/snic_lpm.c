/* SPDX-License-Identifier: Apache-2.0 */
#include "snic_lpm.h"

#include <stdlib.h>

static uint64_t make_slot(uint32_t child, uint32_t leaf)
{
    return (uint64_t)leaf << 32 | child;
}

static uint64_t get(snic_trie_slot *slot)
{
    return atomic_load_explicit(slot, memory_order_relaxed);
}

static void set(snic_trie_slot *slot, uint32_t child, uint32_t leaf)
{
    atomic_store_explicit(slot, make_slot(child, leaf), memory_order_release);
}

static const uint8_t *field_of(const struct snic_lpm *lpm, uint32_t cell)
{
    return snic_cell_key(lpm->cells, cell) + lpm->offset;
}

/* Bits of the trie that the cell's prefix takes: up to the last bit of its mask, padding included; 0 for none. */
static uint32_t prefix_bits(const struct snic_lpm *lpm, uint32_t cell)
{
    const uint8_t *mask = snic_cell_mask(lpm->cells, cell) + lpm->offset;

    for (uint32_t i = lpm->bytes; i-- > 0;)
        if (mask[i])
            return i * 8 + 8 - (uint32_t)__builtin_ctz(mask[i]);
    return 0;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static struct snic_arena *nodes_at(struct snic_lpm *lpm, uint32_t depth)
{
    return snic_lpm_stride(lpm, depth) == 8 ? &lpm->wide : &lpm->narrow;
}

static uint32_t slots_at(const struct snic_lpm *lpm, uint32_t depth)
{
    return 1u << snic_lpm_stride(lpm, depth);
}

static void release_node(void *arena, uint64_t node)
{
    snic_arena_give(arena, (uint32_t)node);
}

/* The slots of a node at `depth` that a prefix of `bits` covers; it must end within the node. */
struct span {
    uint32_t first, end;
};

static struct span span_of(const struct snic_lpm *lpm, uint32_t cell, uint32_t bits, uint32_t depth)
{
    uint32_t first = snic_lpm_branch(lpm, field_of(lpm, cell), depth);

    return (struct span){first, first + (1u << (depth + snic_lpm_stride(lpm, depth) - bits))};
}

static bool ends_in_node(const struct snic_lpm *lpm, uint32_t bits, uint32_t depth)
{
    return bits <= depth + snic_lpm_stride(lpm, depth);
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

static int add_below(struct snic_lpm *lpm, snic_trie_slot *slot, uint32_t depth, uint32_t cell, uint32_t bits);

/* Into a node at `depth`; the prefix is longer than that. */
static int add_to_node(struct snic_lpm *lpm, uint32_t node, uint32_t depth, uint32_t cell, uint32_t bits)
{
    snic_trie_slot *slots = snic_lpm_slots(lpm, node, depth);

    if (!ends_in_node(lpm, bits, depth)) {
        snic_trie_slot *slot = &slots[snic_lpm_branch(lpm, field_of(lpm, cell), depth)];
        return add_below(lpm, slot, depth + snic_lpm_stride(lpm, depth), cell, bits);
    }
    struct span span = span_of(lpm, cell, bits, depth);
    for (uint32_t i = span.first; i < span.end; i++) {
        uint64_t old = get(&slots[i]);
        if (!snic_slot_leaf(old) || prefix_bits(lpm, snic_slot_leaf(old)) < bits)
            set(&slots[i], snic_slot_child(old), cell);
    }
    return SNIC_OK;
}

/* Gives back a node that no reader has seen, with those below it. */
static void discard(struct snic_lpm *lpm, uint32_t node, uint32_t depth)
{
    snic_trie_slot *slots = snic_lpm_slots(lpm, node, depth);

    for (uint32_t i = 0; i < slots_at(lpm, depth); i++) {
        uint32_t child = snic_slot_child(get(&slots[i]));
        if (child && !(child & SNIC_LONE))
            discard(lpm, child, depth + snic_lpm_stride(lpm, depth));
    }
    snic_arena_give(nodes_at(lpm, depth), node);
}

/* A prefix that goes on behind `slot`, which leads to `depth`. */
static int add_below(struct snic_lpm *lpm, snic_trie_slot *slot, uint32_t depth, uint32_t cell, uint32_t bits)
{
    uint64_t old = get(slot);
    uint32_t child = snic_slot_child(old);

    if (!child) {
        set(slot, cell | SNIC_LONE, snic_slot_leaf(old));
        return SNIC_OK;
    }
    if (!(child & SNIC_LONE))
        return add_to_node(lpm, child, depth, cell, bits);

    uint32_t lone = child & ~SNIC_LONE;
    uint32_t node = snic_arena_take(nodes_at(lpm, depth));
    if (!node)
        return SNIC_NO_MEMORY;
    int error = add_to_node(lpm, node, depth, lone, prefix_bits(lpm, lone));
    if (!error)
        error = add_to_node(lpm, node, depth, cell, bits);
    if (error)
        discard(lpm, node, depth);
    else
        set(slot, node, snic_slot_leaf(old));
    return error;
}

static int add_to_trie(struct snic_lpm *lpm, snic_trie_slot *root, uint32_t cell)
{
    uint32_t bits = prefix_bits(lpm, cell);

    if (bits)
        return add_below(lpm, root, 0, cell, bits);
    set(root, snic_slot_child(get(root)), cell);
    return SNIC_OK;
}

/* ---- replacing -------------------------------------------------------------------------------------------------- */

static void replace_in_trie(struct snic_lpm *lpm, snic_trie_slot *slot, uint32_t cell, uint32_t by)
{
    uint32_t bits = prefix_bits(lpm, cell);

    if (!bits) {
        set(slot, snic_slot_child(get(slot)), by);
        return;
    }
    for (uint32_t depth = 0;; depth += snic_lpm_stride(lpm, depth)) {
        uint64_t old = get(slot);
        if (snic_slot_child(old) & SNIC_LONE) {
            set(slot, by | SNIC_LONE, snic_slot_leaf(old));
            return;
        }
        snic_trie_slot *slots = snic_lpm_slots(lpm, snic_slot_child(old), depth);
        if (ends_in_node(lpm, bits, depth)) {
            struct span span = span_of(lpm, cell, bits, depth);
            for (uint32_t i = span.first; i < span.end; i++)
                if (snic_slot_leaf(get(&slots[i])) == cell)
                    set(&slots[i], snic_slot_child(get(&slots[i])), by);
            return;
        }
        slot = &slots[snic_lpm_branch(lpm, field_of(lpm, cell), depth)];
    }
}

/* ---- removing --------------------------------------------------------------------------------------------------- */

/* The longest prefix of the cell's that is longer than `depth` and shorter than the cell's `bits`; 0: none. */
static uint32_t next_shorter(const struct snic_lpm *lpm, uint32_t cell, uint32_t bits, uint32_t depth)
{
    uint32_t room = lpm->cells->key_room;
    _Alignas(8) uint8_t identity[2 * room];
    uint8_t *key = identity + lpm->offset, *mask = key + room;

    memcpy(identity, snic_cell_key(lpm->cells, cell), 2 * (size_t)room);
    while (--bits > (depth > lpm->padding ? depth : lpm->padding)) {
        uint8_t bit = (uint8_t)(0x80 >> bits % 8);
        key[bits / 8] &= (uint8_t)~bit;
        mask[bits / 8] &= (uint8_t)~bit;
        uint64_t hash = snic_key_hash(identity, 2 * room);
        uint32_t found = snic_exact_search(lpm->identities, lpm->cells, identity, 2 * room, hash);
        if (found)
            return found;
    }
    return 0;
}

/*
 * What may stand in a slot instead of a way to `node`, at `depth`: nothing, if the node holds nothing; the only prefix
 * below it; or else the node.
 */
static uint32_t simplified(const struct snic_lpm *lpm, uint32_t node, uint32_t depth)
{
    snic_trie_slot *slots = snic_lpm_slots(lpm, node, depth);
    uint32_t only = 0;

    for (uint32_t i = 0; i < slots_at(lpm, depth); i++) {
        uint64_t slot = get(&slots[i]);
        if (!slot)
            continue;
        if (only || snic_slot_leaf(slot) || !(snic_slot_child(slot) & SNIC_LONE))
            return node;
        only = snic_slot_child(slot);
    }
    return only;
}

/* From behind `slot`, which leads to `depth`. */
static void remove_below(struct snic_lpm *lpm, snic_trie_slot *slot, uint32_t depth, uint32_t cell, uint32_t bits)
{
    uint64_t old = get(slot);
    uint32_t node = snic_slot_child(old);

    if (node & SNIC_LONE) {
        set(slot, 0, snic_slot_leaf(old));
        return;
    }
    snic_trie_slot *slots = snic_lpm_slots(lpm, node, depth);
    if (ends_in_node(lpm, bits, depth)) {
        struct span span = span_of(lpm, cell, bits, depth);
        uint32_t instead = next_shorter(lpm, cell, bits, depth);
        for (uint32_t i = span.first; i < span.end; i++)
            if (snic_slot_leaf(get(&slots[i])) == cell)
                set(&slots[i], snic_slot_child(get(&slots[i])), instead);
    } else {
        uint32_t next = snic_lpm_branch(lpm, field_of(lpm, cell), depth);
        remove_below(lpm, &slots[next], depth + snic_lpm_stride(lpm, depth), cell, bits);
    }
    uint32_t simple = simplified(lpm, node, depth);
    if (simple != node) {
        set(slot, simple, snic_slot_leaf(old));
        snic_retire(lpm->epoch, release_node, nodes_at(lpm, depth), node);
    }
}

static void remove_from_trie(struct snic_lpm *lpm, snic_trie_slot *root, uint32_t cell)
{
    uint32_t bits = prefix_bits(lpm, cell);

    if (bits)
        remove_below(lpm, root, 0, cell, bits);
    else
        set(root, snic_slot_child(get(root)), 0);
}

/* ---- groups ----------------------------------------------------------------------------------------------------- */

static struct snic_lpm_group *group_at(const struct snic_lpm *lpm, uint32_t group)
{
    return snic_arena_at(&lpm->group_cells.arena, group);
}

static uint32_t group_of(const struct snic_lpm *lpm, uint32_t cell)
{
    return snic_lpm_find_group(lpm, snic_cell_key(lpm->cells, cell), lpm->cells->key_room);
}

static uint64_t group_hash(const struct snic_lpm *lpm, uint32_t group)
{
    return snic_key_hash(group_at(lpm, group)->exact, lpm->cells->key_room);
}

static uint32_t new_group(struct snic_lpm *lpm, uint32_t cell)
{
    uint32_t group = snic_arena_take(&lpm->group_cells.arena);
    const uint8_t *key = snic_cell_key(lpm->cells, cell);

    if (!group)
        return 0;
    for (uint32_t i = 0; i < lpm->cells->key_room; i++)
        group_at(lpm, group)->exact[i] = key[i] & lpm->exact_mask[i];
    if (snic_exact_add(&lpm->groups, &lpm->group_cells, lpm->epoch, group_hash(lpm, group), group)) {
        snic_arena_give(&lpm->group_cells.arena, group);
        return 0;
    }
    return group;
}

static void drop_empty_group(struct snic_lpm *lpm, uint32_t group)
{
    if (group_at(lpm, group)->prefixes)
        return;
    snic_exact_remove(&lpm->groups, group_hash(lpm, group), group);
    snic_retire(lpm->epoch, release_node, &lpm->group_cells.arena, group);
}

/* ---- what the table calls --------------------------------------------------------------------------------------- */

int snic_lpm_add(struct snic_lpm *lpm, uint32_t cell)
{
    if (!lpm->grouped)
        return add_to_trie(lpm, &lpm->root, cell);

    uint32_t group = group_of(lpm, cell);
    if (!group)
        group = new_group(lpm, cell);
    if (!group)
        return SNIC_NO_MEMORY;
    int error = add_to_trie(lpm, &group_at(lpm, group)->root, cell);
    if (!error)
        group_at(lpm, group)->prefixes++;
    drop_empty_group(lpm, group);
    return error;
}

void snic_lpm_replace(struct snic_lpm *lpm, uint32_t cell, uint32_t by)
{
    snic_trie_slot *root = lpm->grouped ? &group_at(lpm, group_of(lpm, cell))->root : &lpm->root;

    replace_in_trie(lpm, root, cell, by);
}

void snic_lpm_remove(struct snic_lpm *lpm, uint32_t cell)
{
    if (!lpm->grouped) {
        remove_from_trie(lpm, &lpm->root, cell);
        return;
    }
    uint32_t group = group_of(lpm, cell);
    remove_from_trie(lpm, &group_at(lpm, group)->root, cell);
    group_at(lpm, group)->prefixes--;
    drop_empty_group(lpm, group);
}

size_t snic_lpm_memory(const struct snic_lpm *lpm)
{
    size_t bytes = snic_arena_memory(&lpm->wide) + snic_arena_memory(&lpm->narrow);

    if (lpm->grouped)
        bytes += snic_arena_memory(&lpm->group_cells.arena) + snic_exact_memory(&lpm->groups);
    return bytes;
}

static int init_groups(struct snic_lpm *lpm, uint64_t room)
{
    uint32_t key_room = lpm->cells->key_room;
    uint32_t key_at = offsetof(struct snic_lpm_group, exact);

    lpm->group_cells = (struct snic_cells){.key_at = key_at, .key_room = key_room, .identity_room = key_room};
    int error = snic_arena_init(&lpm->group_cells.arena, key_at + key_room, room);
    return error ? error : snic_exact_init(&lpm->groups);
}

int snic_lpm_init(struct snic_lpm *lpm, const struct snic_table_desc *desc, struct snic_cells *cells,
                  struct snic_exact *identities, struct snic_epoch *epoch)
{
    uint64_t entries = (uint64_t)cells->arena.room;
    uint64_t chain = 2 * (uint64_t)desc->key_bytes + 1; /* nodes that two entries may take to part */

    *lpm = (struct snic_lpm){.cells = cells, .identities = identities, .epoch = epoch, .grouped = desc->n_fields > 1};
    lpm->exact_mask = calloc(1, cells->key_room);
    if (!lpm->exact_mask)
        return SNIC_NO_MEMORY;
    memset(lpm->exact_mask, 0xff, desc->key_bytes);
    for (uint32_t i = 0; i < desc->n_fields; i++) {
        const struct snic_key_field *field = &desc->fields[i];
        if (field->match == SNIC_LPM) {
            lpm->offset = field->offset;
            lpm->bytes = field->bytes;
            lpm->padding = (uint16_t)(field->bytes * 8 - field->width);
            memset(lpm->exact_mask + field->offset, 0, field->bytes);
        }
    }
    int error = snic_arena_init(&lpm->narrow, SNIC_NARROW_SLOTS * sizeof(snic_trie_slot),
                                entries * chain + SNIC_RETIRED_ROOM);
    if (!error)
        error = snic_arena_init(&lpm->wide, SNIC_WIDE_SLOTS * sizeof(snic_trie_slot),
                                SNIC_WIDE_SLOTS + 1 + SNIC_RETIRED_ROOM);
    if (!error && lpm->grouped)
        error = init_groups(lpm, entries + SNIC_RETIRED_ROOM);
    return error;
}

void snic_lpm_destroy(struct snic_lpm *lpm)
{
    snic_arena_destroy(&lpm->wide);
    snic_arena_destroy(&lpm->narrow);
    if (lpm->grouped) {
        snic_arena_destroy(&lpm->group_cells.arena);
        snic_exact_destroy(&lpm->groups);
    }
    free(lpm->exact_mask);
}
